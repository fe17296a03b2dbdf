"""Row 11: is it stopped, does policy allow it, and if not, does a grant lift exactly what said no?

1. a stop comes first, and no grant lifts it
2. policy is asked as if there were no grant; where it allows, none was used
3. where rules said no, those of them that a grant of this caller for this target names are taken out, and
   policy is asked again, until it allows or what says no is lifted by nobody
4. each grant that was needed leaves a record of its own, on the disk before the attempt

Scopes, environments and guards are no rules that a grant can name, and a refusal for another reason than a
rule or a missing yes is final.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from launchworthy.audit.events import BreakglassUsed
from launchworthy.enforcement.ports import PolicyDecisionPoint, Recorder, Stops
from launchworthy.enforcement.records import Trace, who
from launchworthy.policy import Query
from launchworthy.vocabulary import Decision, Granted, Principal, Reason, Refused

_OF_RULES = frozenset({Reason.TOOL_POLICY, Reason.TOOL_APPROVAL})
_NONE: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class GrantUse:
    """One grant, and which rules it has lifted for this call."""

    grant: Granted
    lifted: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Decided:
    """A call that is allowed.

    Attributes:
        decision: by which permit.
        uses: the grants without which it would not be; nearly always none.
    """

    decision: Decision
    uses: tuple[GrantUse, ...]

    @property
    def lifted(self) -> frozenset[str]:
        """Every rule that was lifted for it."""
        return frozenset(rule for use in self.uses for rule in use.lifted)


class Deciding:
    """Decides, and records what a grant has lifted."""

    __slots__ = ("_audit", "_policy", "_stops")

    def __init__(self, policy: PolicyDecisionPoint, stops: Stops, audit: Recorder) -> None:
        """Hold who is asked, and where a use is recorded."""
        self._policy = policy
        self._stops = stops
        self._audit = audit

    def refuse_stopped(self, target: str) -> None:
        """Return if calls of this target are not stopped now.

        Raises:
            Refused: `tool.stopped`.
        """
        self._stops.refuse_stopped(target)

    def decide(self, query: Query) -> Decided:
        """Allow a call, or refuse it.

        Raises:
            ApprovalNeeded: nothing is missing but a person's yes.
            Refused: `tool.stopped`, or as policy does; what no grant lifts.
        """
        self._stops.refuse_stopped(query.target.name)
        lifted = _NONE
        grants: tuple[Granted, ...] = ()
        while True:
            try:
                decision = self._policy.decide(replace(query, lifted=lifted) if lifted else query)
            except Refused as refused:
                if refused.reason not in _OF_RULES:
                    raise
                grants = grants or self._stops.granted(query.principal, query.target.name, query.now)
                more = _liftable(refused, grants) - lifted
                if not more:
                    raise
                lifted |= more
            else:
                return Decided(decision=decision, uses=tuple(_uses(lifted, grants)))

    def decide_without_grants(self, query: Query) -> Decision:
        """The same for what goes on by itself, as a stream: a grant is for calls, each with its record.

        Raises:
            Refused: as `decide`.
        """
        self._stops.refuse_stopped(query.target.name)
        return self._policy.decide(query)

    async def record(self, decided: Decided, trace: Trace, principal: Principal, target: str) -> None:
        """Write down which grants this call uses, before its attempt; waits for the disk.

        Raises:
            AuditUnwritable: nothing may run.
        """
        for use in decided.uses:
            await self._audit.record_durable(
                BreakglassUsed(
                    call=trace.call,
                    target=target,
                    grant=use.grant.id,
                    incident=use.grant.incident,
                    lifted=use.lifted,
                    approvers=use.grant.approvers,
                    until=use.grant.until,
                    **who(principal),
                )
            )


def _liftable(refused: Refused, grants: tuple[Granted, ...]) -> frozenset[str]:
    """Which of the rules that said no a grant names."""
    return frozenset(rule for rule in refused.rules for grant in grants if rule in grant.lifts)


def _uses(lifted: frozenset[str], grants: tuple[Granted, ...]) -> Iterator[GrantUse]:
    """Which grant has lifted which rules; the first that names a rule has."""
    left = set(lifted)
    for grant in grants:
        mine = tuple(sorted(left & grant.lifts))
        if mine:
            left.difference_update(mine)
            yield GrantUse(grant=grant, lifted=mine)
