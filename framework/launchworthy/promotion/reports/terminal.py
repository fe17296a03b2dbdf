"""The result as people read it: the verdict first, then what does not hold and what to do, then a table.

Plain lines; whoever prints them may colour them. Ids stand at the left edge, so that `grep` finds them.
"""

from collections.abc import Iterator

from launchworthy.promotion.control import FAMILIES, to_come
from launchworthy.promotion.finding import TO_DO, Finding, Status
from launchworthy.promotion.result import Result
from launchworthy.promotion.verdict import HOLDS, Verdict
from launchworthy.vocabulary import printable

_IDS_A_LINE = 12


def render_terminal(result: Result, *, exit_code: int) -> str:
    """The whole screen, without a final newline."""
    return "\n".join(map(printable, _lines(result, exit_code)))


def headline(result: Result) -> str:
    """`orders 0.3.1 · commit 3f9c2ab, clean · for production · launchworthy 0.4.0, 41 controls`."""
    commit = f"commit {result.commit[:7]}" if result.commit is not None else "no commit"
    state = "clean" if not result.dirty else _counted(len(result.dirty), "file differs", "files differ")
    return (
        f"{result.project} {result.project_version} · {commit}, {state} · "
        f"for {result.environment.value} · launchworthy {result.framework_version}, "
        f"{_counted(len(result.controls), 'control', 'controls')}"
    )


def _lines(result: Result, exit_code: int) -> Iterator[str]:
    yield ""
    yield f" {headline(result)}"
    yield ""
    yield f" {_verdict(result)}"
    for finding in result.failed:
        yield ""
        yield from _finding(finding, result)
    for cause, findings in _by_cause(result.undecided).items():
        yield ""
        yield from _undecided(cause, findings, result)
    yield ""
    yield from _table(result)
    yield ""
    if result.requests:
        yield f" {result.requests} requests, each attack beside an unchanged twin that passed"
    if result.replaced:
        yield f" replaced for rehearsals: {len(result.replaced)} settings (report.json lists both values)"
    if not result.partial and to_come():
        yield f" {len(to_come())} of 70 controls are still to come (launchworthy explain controls)"
    first = next(iter((*result.failed, *result.undecided)), None)
    hint = f" launchworthy explain {first.control} " if first is not None else ""
    yield f"{hint} {result.seconds:.1f} s, exit {exit_code}"


def _verdict(result: Result) -> str:
    held, undecided = len(result.failed), len(result.undecided)
    holding = sum(finding.status in HOLDS for finding in result.findings)
    if result.verdict is Verdict.CLEARED:
        word = "ALL HOLD" if result.partial else "CLEARED"
        return f"{word}   {_counted(holding, 'control holds', 'controls hold')}, none is undecided"
    parts = [_counted(held, "control does not hold", "controls do not hold")] if held else []
    parts += [f"{undecided} could not be decided"] if undecided else []
    return f"HELD   {', '.join(parts) or 'nothing was looked at'}"


def _by_cause(findings: tuple[Finding, ...]) -> dict[str, list[Finding]]:
    """What could not be decided, by why: one cause may stop every rehearsal, and is said once."""
    causes: dict[str, list[Finding]] = {}
    for finding in findings:
        causes.setdefault(finding.message, []).append(finding)
    return causes


def _undecided(cause: str, findings: list[Finding], result: Result) -> Iterator[str]:
    first, (why, _, fix) = findings[0], cause.partition(TO_DO)
    if len(findings) == 1:
        yield f" {first.control}  could not be decided: {why}"
        yield f"       → {fix or result.control(first).fix}"
        return
    yield f" {len(findings)} controls could not be decided, for one cause: {why}"
    if fix:
        yield f"       → {fix}"
    for start in range(0, len(findings), _IDS_A_LINE):
        yield " " + "  ".join(finding.control for finding in findings[start : start + _IDS_A_LINE])


def _finding(finding: Finding, result: Result) -> Iterator[str]:
    for number, assertion in enumerate(finding.failures):
        label = finding.control if number == 0 else " " * len(finding.control)
        yield f" {label}  {assertion.what}"
        if assertion.where is not None:
            yield f"         {assertion.where}"
        fix = assertion.fix or (result.control(finding).fix,)
        for line_number, line in enumerate(fix):
            yield f"       {'→' if line_number == 0 else ' '} {line}"


def _table(result: Result) -> Iterator[str]:
    heads = ("controls", "hold", "held", "n/a", "requests", "time")
    yield " " + " " * 20 + "".join(f"{head:>11}" for head in heads)
    for family in FAMILIES:
        findings = [finding for finding in result.findings if result.control(finding).family == family]
        if not findings:
            continue
        cells = (
            len(findings),
            sum(finding.status in {Status.PASS, Status.WAIVED} for finding in findings),
            sum(finding.status in {Status.FAIL, Status.ERROR} for finding in findings),
            sum(finding.status is Status.NOT_APPLICABLE for finding in findings),
            sum(finding.requests for finding in findings),
        )
        seconds = sum(finding.seconds for finding in findings)
        yield f" {family:<20}" + "".join(f"{cell or '·':>11}" for cell in cells) + f"{seconds:>9.1f} s"


def _counted(number: int, one: str, more: str) -> str:
    return f"{number} {one if number == 1 else more}"
