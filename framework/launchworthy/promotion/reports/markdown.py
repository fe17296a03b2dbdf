"""The result for a pull request: the verdict, what holds it and what to do, and a table by family."""

from collections.abc import Iterator

from launchworthy.promotion.finding import Finding
from launchworthy.promotion.reports.summary import WORDS, family_rows, verdict_line, visible, waived
from launchworthy.promotion.result import Result

_SPECIAL = str.maketrans({each: f"\\{each}" for each in "\\`*_{}[]<>#|~"})


def render_markdown(result: Result) -> str:
    """One comment; nothing in it can end a table or begin a heading but we."""
    return "\n".join(_lines(result)) + "\n"


def _lines(result: Result) -> Iterator[str]:
    yield f"## {verdict_line(result)}"
    yield ""
    commit = f"commit `{result.commit[:7]}`" if result.commit is not None else "no commit"
    yield (
        f"{_plain(result.project)} {_plain(result.project_version)}, {commit} · "
        f"launchworthy {result.framework_version} · {result.requests} requests · {result.seconds:.0f} s"
    )
    for finding in (*result.failed, *result.undecided, *waived(result)):
        yield ""
        yield from _finding(finding, result)
    yield ""
    yield "| | controls | hold | held | waived | n/a | requests |"
    yield "|---|--:|--:|--:|--:|--:|--:|"
    for row in family_rows(result):
        cells = (row.controls, row.hold, row.held, row.waived, row.not_applicable, row.requests)
        yield f"| {row.family} | " + " | ".join(str(cell or "·") for cell in cells) + " |"


def _finding(finding: Finding, result: Result) -> Iterator[str]:
    control = result.control(finding)
    yield f"### {finding.control} {WORDS[finding.status]}: {_plain(control.title)}"
    yield ""
    if not finding.failures or finding in waived(result):
        yield _plain(finding.message)
    for failure in finding.failures:
        where = f" (`{failure.where.replace('`', '')}`)" if failure.where is not None else ""
        yield f"- {_plain(failure.what)}{where}"
        fix = failure.fix or (control.fix,)
        yield f"  - to do: {_plain(fix[0])}"
        if fix[1:]:
            yield ""
            yield "    ```"
            pasted = visible("\n".join(fix[1:])).replace("```", "")
            yield from (f"    {line}" for line in pasted.splitlines())
            yield "    ```"


def _plain(text: str) -> str:
    return visible(" ".join(text.split())).translate(_SPECIAL)
