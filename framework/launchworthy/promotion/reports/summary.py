"""What do the reports for people say, whatever they are written in? One wording of what came out."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from launchworthy.promotion.control import FAMILIES, to_come
from launchworthy.promotion.finding import Finding, Status
from launchworthy.promotion.result import Result
from launchworthy.promotion.verdict import Verdict
from launchworthy.vocabulary import printable

WORDS: Final = {
    Status.PASS: "holds",
    Status.FAIL: "does not hold",
    Status.ERROR: "undecided",
    Status.NOT_APPLICABLE: "not applicable",
    Status.WAIVED: "waived",
}
CANNOT_SEE: Final = (
    "The gate never imports what it judges, and judges it from outside. Code that recognises a rehearsal can "
    "behave in it: against malice stand review and the live canary, not this report. Nor can it see what a "
    "control's own page names as its blind spot."
)
"""What every report has to say of itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FamilyRow:
    """One line of the table by family."""

    family: str
    controls: int
    hold: int
    held: int
    waived: int
    not_applicable: int
    requests: int


def verdict_line(result: Result) -> str:
    """`CLEARED for production`, or how many controls hold it."""
    if result.partial:
        return f"no verdict, not all were asked: {len(result.failed)} of {len(result.findings)} do not hold"
    if result.verdict is Verdict.CLEARED:
        return f"CLEARED for {result.environment.value}"
    failed = len(result.failed)
    parts = [f"{failed} {'does' if failed == 1 else 'do'} not hold"] if failed else []
    parts += [f"{len(result.undecided)} could not be decided"] if result.undecided else []
    return f"HELD for {result.environment.value}: of {len(result.findings)} controls {' and '.join(parts)}"


def judged_line(result: Result) -> str:
    """What was judged, when and by what, in one line: what a reviewer asks first."""
    started = datetime.fromtimestamp(result.started_at, UTC).strftime("%Y-%m-%d %H:%M UTC")
    commit = "no commit" if result.commit is None else f"commit {result.commit[:12]}"
    dirty = f", {len(result.dirty)} files differ" if result.dirty else ""
    asked = f"{len(result.findings)} controls, {result.requests} requests"
    return f"{commit}{dirty} · {started} · {asked} · by launchworthy {result.framework_version}"


def visible(text: str) -> str:
    """A text in which nothing moves a cursor or turns the direction of writing; its lines stay."""
    return "\n".join(printable(line) for line in text.split("\n"))


def facts(result: Result) -> Iterator[tuple[str, str]]:
    """What was judged, when, by what: labels and values."""
    started = datetime.fromtimestamp(result.started_at, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
    dirty = f", and {len(result.dirty)} files differ from it" if result.dirty else ", clean"
    yield "project", f"{result.project} {result.project_version}"
    yield "commit", (result.commit + dirty) if result.commit is not None else "none"
    yield "judged", f"{started}, in {result.seconds:.0f} s"
    coming = len(to_come()) or "none"
    yield "by", f"launchworthy {result.framework_version}; still to come of its 70 controls: {coming}"
    yield "requests", f"{result.requests}, each attack beside an unchanged twin that passed"
    yield from sorted(result.facts.items())


def waived(result: Result) -> tuple[Finding, ...]:
    """What does not hold, and somebody answers for."""
    return tuple(finding for finding in result.findings if finding.status is Status.WAIVED)


def family_rows(result: Result) -> Iterator[FamilyRow]:
    """The table by family; families of which nothing was asked are left out."""
    for family in FAMILIES:
        findings = [finding for finding in result.findings if result.control(finding).family == family]
        if findings:
            yield FamilyRow(
                family=family,
                controls=len(findings),
                hold=_count(findings, Status.PASS),
                held=_count(findings, Status.FAIL) + _count(findings, Status.ERROR),
                waived=_count(findings, Status.WAIVED),
                not_applicable=_count(findings, Status.NOT_APPLICABLE),
                requests=sum(finding.requests for finding in findings),
            )


def _count(findings: list[Finding], status: Status) -> int:
    return sum(finding.status is status for finding in findings)
