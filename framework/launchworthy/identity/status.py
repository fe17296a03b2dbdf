"""What do others get to know about the identity? Its status, its changes, and the one failure."""

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import assert_never

from launchworthy.identity.cause import TRAITS, Failure
from launchworthy.identity.phase import Facts, Phase
from launchworthy.vocabulary import Reason


@dataclass(frozen=True, slots=True, kw_only=True)
class IdentityStatus:
    """The identity at one instant; holds no secret.

    Attributes:
        phase: what it is good for.
        subject: the SPIFFE ID, or the `sub` of a token file; None where nothing is held.
        not_after: seconds since the epoch, or None where nothing is held.
        reason: why it is not usable; None in READY and STALE.
        detail: one sentence for the operator; what failed last, or empty.
        doubted: its source has said once that it is withdrawn: usable still, and good for nothing new.
    """

    phase: Phase
    subject: str | None
    not_after: int | None
    reason: Reason | None
    detail: str
    doubted: bool = False

    @property
    def usable(self) -> bool:
        """Whether work may be done with it: READY or STALE."""
        return self.phase.usable


class IdentityUnavailable(Exception):
    """There is no identity to work with now: the only failure that a user of it sees. Fail closed."""

    def __init__(self, status: IdentityStatus) -> None:
        """Hold the status of the moment."""
        super().__init__(f"{status.phase.value}: {status.detail}")
        self.status = status


def unavailable(status: IdentityStatus, failure: Failure) -> IdentityUnavailable:
    """The identity may stand well, but what was asked of it is not to be had."""
    return IdentityUnavailable(replace(status, reason=TRAITS[failure.cause].reason, detail=failure.detail))


class ChangeKind(StrEnum):
    """What an audit of the identity tells apart."""

    ACQUIRED = "acquired"
    ROTATED = "rotated"
    BUNDLE_CHANGED = "bundle_changed"
    REFRESH_FAILED = "refresh_failed"
    EXPIRED = "expired"
    REVOKED = "revoked"


@dataclass(frozen=True, slots=True, kw_only=True)
class IdentityChange:
    """Something happened to the identity.

    Attributes:
        kind: what.
        detail: one sentence for the operator.
        serial: of the identity that it is about, or None where none is held.
        not_after: of the same, seconds since the epoch.
    """

    kind: ChangeKind
    detail: str
    serial: str | None
    not_after: int | None


def status_of(facts: Facts, phase: Phase) -> IdentityStatus:
    """Put the facts into the words of a status."""
    holding = facts.holding
    return IdentityStatus(
        phase=phase,
        subject=holding.subject if holding is not None else None,
        not_after=holding.not_after if holding is not None else None,
        reason=_reason(facts, phase),
        detail=_detail(facts, phase),
        doubted=facts.doubt is not None and phase.usable,
    )


def _reason(facts: Facts, phase: Phase) -> Reason | None:
    match phase:
        case Phase.READY | Phase.STALE:
            return None
        case Phase.STARTING:
            failure = facts.failure
            return TRAITS[failure.cause].reason if failure is not None else Reason.IDENTITY_MISSING
        case Phase.EXPIRED:
            return Reason.IDENTITY_EXPIRED
        case Phase.REVOKED:
            return Reason.IDENTITY_REVOKED
        case Phase.FORKED | Phase.CLOSED:
            return Reason.IDENTITY_SOURCE
        case _:
            assert_never(phase)


_ABOUT = {
    Phase.STARTING: "there is no identity yet",
    Phase.READY: "",
    Phase.STALE: "a new identity is overdue",
    Phase.EXPIRED: "the identity has expired",
    Phase.REVOKED: "the identity was withdrawn",
    Phase.FORKED: "the identity belongs to the process that this one was forked from",
    Phase.CLOSED: "the identity is closed",
}


def _detail(facts: Facts, phase: Phase) -> str:
    """What the phase says, and what failed last."""
    failure = facts.failure.detail if facts.failure is not None else ""
    return ": ".join(part for part in (_ABOUT[phase], failure) if part != "")
