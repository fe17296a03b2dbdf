"""How do people read a probe's report? The verdict, then what is wrong, then what was not run, then a table.

Plain lines of at most 98 columns; whoever prints them may colour them. Ids stand at the left edge, so that
`grep` finds them.
"""

import textwrap
from collections.abc import Iterator

from launchworthy.probe.report import Finding, Report, Result, count

_WIDTH = 98
_MOST_IDS = 8


def render_terminal(report: Report, *, exit_code: int) -> str:
    """The whole screen, without a final newline."""
    return "\n".join(_lines(report, exit_code))


def verdict(report: Report) -> str:
    """`WRONG   7 of 132 cases`."""
    right, wrong = len(report.of(Result.RIGHT)), len(report.of(Result.WRONG))
    not_run = len(report.of(Result.NOT_RUN))
    left = f", {_counted(not_run, 'was', 'were')} not run" if not_run else ""
    if wrong:
        return f"WRONG   {wrong} of {_counted(right + wrong, 'case', 'cases')}{left}"
    if not report.decided:
        return f"UNDECIDED   {_counted(right, 'case is', 'cases are')} right{left}"
    return f"RIGHT   {_counted(right, 'case', 'cases')}{left}"


def _lines(report: Report, exit_code: int) -> Iterator[str]:
    yield ""
    yield from _wrapped(f" {_headline(report)}", "   ")
    yield ""
    yield f" {verdict(report)}"
    if report.ended is not None:
        yield from _wrapped(f" ended early: {report.ended}", "   ")
    for revision, why in report.not_served.items():
        yield from _wrapped(f" {revision} was not asked: {why}", "   ")
    for findings in _alike(report.of(Result.WRONG)):
        yield ""
        yield from _wrong(findings)
    yield from _not_run(report.of(Result.NOT_RUN))
    yield ""
    yield from _table(report)
    yield ""
    yield f" {report.requests} requests, each case beside an unchanged request that went through"
    first = next(iter(report.of(Result.WRONG)), None)
    hint = f" launchworthy explain {first.case}" if first is not None else ""
    yield f"{hint}  {report.milliseconds / 1000:.1f} s, exit {exit_code}"


def _headline(report: Report) -> str:
    tokens = {
        "issuer": "tokens of the simulated issuer",
        "command": "tokens of the command",
        "none": "no tokens",
    }
    parts = (
        report.url,
        ", ".join(report.revisions) or "no revision",
        ", ".join(report.targets),
        tokens[report.tokens],
        f"launchworthy {report.launchworthy}",
    )
    return " · ".join(parts)


def _alike(findings: tuple[Finding, ...]) -> list[list[Finding]]:
    """Findings of one case that differ in revision and target only."""
    found: dict[tuple[object, ...], list[Finding]] = {}
    for each in findings:
        found.setdefault((each.case, each.wrong), []).append(each)
    return list(found.values())


def _wrong(findings: list[Finding]) -> Iterator[str]:
    first = findings[0]
    where = ", ".join(dict.fromkeys(each.revision for each in findings if each.revision is not None))
    yield from _wrapped(f" {first.case}  {first.title}{f' ({where})' if where else ''}", "   ")
    rows = (
        ("seen", "; ".join(first.wrong)),
        ("right", first.right),
        ("why", first.why),
        ("source", first.source),
    )
    for label, text in rows:
        yield from _wrapped(f"   {label:<7} {text}", " " * 11)


def _not_run(findings: tuple[Finding, ...]) -> Iterator[str]:
    causes: dict[str, list[str]] = {}
    for each in findings:
        causes.setdefault(each.not_run or "", []).append(each.case)
    for cause, cases in causes.items():
        names = tuple(dict.fromkeys(cases))
        more = f", and {len(names) - _MOST_IDS} more" if len(names) > _MOST_IDS else ""
        yield ""
        yield from _wrapped(f" not run: {cause}", "   ")
        yield from _wrapped(f"   {', '.join(names[:_MOST_IDS])}{more}", "   ")


def _table(report: Report) -> Iterator[str]:
    yield f" {'':<20}" + "".join(f"{head:>10}" for head in ("right", "wrong", "not run"))
    for family in report.families:
        some = [each for each in report.findings if each.family == family]
        cells = (count(some, result) for result in Result)
        yield f" {family:<20}" + "".join(f"{cell or '·':>10}" for cell in cells)


def _wrapped(text: str, indent: str) -> list[str]:
    return textwrap.wrap(
        text, _WIDTH, subsequent_indent=indent, drop_whitespace=True, replace_whitespace=False,
        break_on_hyphens=False,
    )  # fmt: skip


def _counted(number: int, one: str, more: str) -> str:
    return f"{number} {one if number == 1 else more}"
