"""May it go? The verdict over all findings: pure, and never better than the worst of them."""

from collections.abc import Iterable
from enum import StrEnum

from launchworthy.promotion.finding import ControlId, Finding, Status

HOLDS = frozenset({Status.PASS, Status.WAIVED, Status.NOT_APPLICABLE})


class Verdict(StrEnum):
    """There is nothing in between."""

    CLEARED = "cleared"
    HELD = "held"


def decide(findings: Iterable[Finding], catalogue: Iterable[ControlId]) -> Verdict:
    """Clear only if every control of the catalogue has exactly one finding, and each of them holds.

    A control without a finding, a finding of no control, and two findings of one are all HELD: a check that
    was skipped or crashed must not look like one that passed.
    """
    seen = list(findings)
    wanted = list(catalogue)
    named = [finding.control for finding in seen]
    if not wanted or sorted(named) != sorted(set(wanted)):
        return Verdict.HELD
    if not any(finding.status is Status.PASS for finding in seen):
        return Verdict.HELD
    return Verdict.CLEARED if all(finding.status in HOLDS for finding in seen) else Verdict.HELD
