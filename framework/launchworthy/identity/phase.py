"""In which phase is the identity? Pure: facts and an instant in, a phase out.

The rules, in the order in which they decide:

1. closed, or copied into a forked child: nothing is usable, and nothing will be.
2. withdrawn by its source (SPIFFE Workload API §5.2.1): REVOKED at once, until the source gives one again.
   With a grace the first word of that is a doubt: still usable, but not ready, and good for nothing new. It
   is REVOKED when the source says so again in the second half of the grace, or when the grace is over.
3. never had one: STARTING.
4. past its end: EXPIRED, whatever the source does. Our own expiry decides, never the agent's health.
5. past the instant at which a new one was due: STALE. Still usable; somebody should look.
6. READY. A failed refresh changes nothing before 4 or 5.
"""

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

from launchworthy.identity.cause import TRAITS, Failure


class Phase(StrEnum):
    """What the identity is good for now."""

    STARTING = "STARTING"
    READY = "READY"
    STALE = "STALE"
    EXPIRED = "EXPIRED"
    REVOKED = "REVOKED"
    FORKED = "FORKED"
    CLOSED = "CLOSED"

    @property
    def usable(self) -> bool:
        """Whether work may be done with it."""
        return self is Phase.READY or self is Phase.STALE


@dataclass(frozen=True, slots=True, kw_only=True)
class Holding:
    """The identity in hand.

    Attributes:
        subject: the SPIFFE ID, or the `sub` of a token.
        serial: tells one issue from the next: the certificate's serial number, or the token's digest.
        not_after: seconds since the epoch, as its issuer wrote it.
        ends_at: when it stops being usable here; at or before `not_after`.
        stale_at: when a newer one should have come.
    """

    subject: str
    serial: str
    not_after: int
    ends_at: float
    stale_at: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Doubt:
    """The source has said once that what is held is withdrawn, and there is a grace.

    Attributes:
        second_from: from when on the same word again is believed.
        ends: when it is believed without.
    """

    second_from: float
    ends: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """All that decides the phase, beside the instant.

    Attributes:
        holding: the last good identity, or None.
        failure: what failed since, or None.
        revoked: the source has withdrawn what was held.
        doubt: the source has said so once, and there is a grace; None without.
        closed: no more is wanted.
    """

    holding: Holding | None
    failure: Failure | None
    revoked: bool
    closed: bool
    doubt: Doubt | None = None


NOTHING_YET: Final = Facts(holding=None, failure=None, revoked=False, closed=False)


def phase_at(facts: Facts, now: float, *, forked: bool) -> Phase:
    """The phase at this instant."""
    if facts.closed:
        return Phase.CLOSED
    if forked:
        return Phase.FORKED
    if facts.revoked or doubt_is_over(facts, now):
        return Phase.REVOKED
    holding = facts.holding
    if holding is None:
        return Phase.STARTING
    if now >= holding.ends_at:
        return Phase.EXPIRED
    return Phase.STALE if now >= holding.stale_at else Phase.READY


def received(facts: Facts, holding: Holding) -> Facts:
    """A good identity came. The same one again keeps the instant at which a newer one was due."""
    old = facts.holding
    same = old is not None and (old.serial, old.not_after) == (holding.serial, holding.not_after)
    return replace(facts, holding=old if same else holding, failure=None, revoked=False, doubt=None)


def doubt_is_over(facts: Facts, now: float) -> bool:
    """Whether a doubt has become a certainty by time alone."""
    return facts.doubt is not None and now >= facts.doubt.ends


def failed(facts: Facts, failure: Failure, *, now: float, grace: float) -> Facts:
    """An attempt failed. What is held stays, unless its source has withdrawn it.

    Args:
        facts: so far.
        failure: of the attempt.
        now: seconds since the epoch.
        grace: seconds for which one word of a withdrawal is doubted; 0 believes it at once.
    """
    if not TRAITS[failure.cause].withdraws:
        return replace(facts, failure=failure)
    if grace > 0 and facts.holding is not None:
        doubt = facts.doubt or Doubt(second_from=now + grace / 2, ends=now + grace)
        if now < (doubt.second_from if facts.doubt is not None else doubt.ends):
            return replace(facts, failure=failure, doubt=doubt)
    withdrawn = facts.revoked or facts.holding is not None
    return replace(facts, holding=None, failure=failure, revoked=withdrawn, doubt=None)


def closed(facts: Facts) -> Facts:
    """No more is wanted, and nothing is held."""
    return replace(facts, holding=None, closed=True, doubt=None)
