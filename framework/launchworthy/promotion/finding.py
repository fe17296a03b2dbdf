"""What did a check see? Assertions, and the one finding per control that they add up to.

A finding cannot say more than was looked at: a pass without an assertion, or a rehearsal's pass without its
positive twin, cannot be constructed.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import NewType

from launchworthy.vocabulary import ProblemError

TO_DO = " → "
"""In the message of what could not be decided, before what to do about it."""
ControlId = NewType("ControlId", str)
"""`TOK-04`: a prefix and a number, kept for ever."""


class Status(StrEnum):
    """How a control came out; whatever is not `pass`, `waived` or `not_applicable` holds the promotion."""

    PASS = "pass"  # noqa: S105 - a status
    FAIL = "fail"
    ERROR = "error"
    NOT_APPLICABLE = "not_applicable"
    WAIVED = "waived"


@dataclass(frozen=True, slots=True, kw_only=True)
class Assertion:
    """One thing that was looked at.

    Attributes:
        holds: whether it is as it must be.
        what: one sentence: what was seen where it does not hold, what was proved where it does.
        where: `manifests/server.toml:10`, or None.
        fix: what to do, a line each; further lines are to be pasted.
        requests: how many requests to the running server it took; 0 for reading.
        twin: whether this is the unchanged request beside which an attack stands.
    """

    holds: bool
    what: str
    where: str | None = None
    fix: tuple[str, ...] = ()
    requests: int = 0
    twin: bool = False


class NotApplicable(Exception):
    """This control asks for something that this project does not have; says which fact shows it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """How one control came out.

    Attributes:
        control: which.
        status: how.
        message: the first thing that does not hold, or why it could not be decided.
        assertions: all that was looked at, in order.
        rehearsed: whether a running server was asked.
        seconds: how long it took.
    """

    control: ControlId
    status: Status
    message: str
    assertions: tuple[Assertion, ...]
    rehearsed: bool
    seconds: float

    def __post_init__(self) -> None:
        """Refuse a pass that nothing supports.

        Raises:
            ValueError: a vacuous pass, or one that contradicts its assertions.
        """
        if self.status is not Status.PASS:
            return
        if not self.assertions:
            raise ValueError(f"{self.control}: a pass without an assertion")
        if not all(assertion.holds for assertion in self.assertions):
            raise ValueError(f"{self.control}: a pass beside an assertion that does not hold")
        if self.rehearsed and not any(assertion.twin for assertion in self.assertions):
            raise ValueError(f"{self.control}: a rehearsal's pass without its positive twin")

    @property
    def requests(self) -> int:
        """How many requests to the running server it took."""
        return sum(assertion.requests for assertion in self.assertions)

    @property
    def failures(self) -> tuple[Assertion, ...]:
        """What does not hold."""
        return tuple(assertion for assertion in self.assertions if not assertion.holds)


def conclude(
    control: ControlId, assertions: tuple[Assertion, ...], *, rehearsed: bool, seconds: float
) -> Finding:
    """Turn what was looked at into a finding; nothing looked at, or no twin, is an error."""
    failures = [assertion for assertion in assertions if not assertion.holds]
    if failures:
        status, message = Status.FAIL, failures[0].what
    elif not assertions:
        status, message = Status.ERROR, "the check looked at nothing"
    elif rehearsed and not any(assertion.twin for assertion in assertions):
        status, message = Status.ERROR, "no unchanged twin passed beside the attacks"
    else:
        status, message = Status.PASS, assertions[0].what
    return Finding(
        control=control,
        status=status,
        message=message,
        assertions=assertions,
        rehearsed=rehearsed,
        seconds=seconds,
    )


def why_undecided(error: ProblemError) -> str:
    """A problem that keeps a control from being decided, with what to do about it, as one line."""
    problem = error.problems[0]
    return f"{problem.what}{TO_DO}{problem.fix[0]}" if problem.fix else problem.what


def undecided(control: ControlId, why: str, *, rehearsed: bool, seconds: float) -> Finding:
    """A check that could not be made; it holds the promotion."""
    return Finding(
        control=control, status=Status.ERROR, message=why, assertions=(), rehearsed=rehearsed, seconds=seconds
    )
