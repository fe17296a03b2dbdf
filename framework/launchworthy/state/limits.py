"""Is there room for one more call? Rates, budgets and places of one caller; nobody else's are touched.

Of a target, from the manifest: `rate` in time, `concurrency` at once. Over all targets: the budget of what
writes and of what destroys, because an agent that chains tools stays below each tool's own rate. These are
counted where all replicas see them. What one caller may do to one replica, whatever it calls, is counted
there: it is for the replica's sake.

Where the shared state cannot be asked, reads are counted here, and everything else is refused.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from dataclasses import dataclass
from functools import lru_cache

from launchworthy.manifest import Effect, Rate, ServerManifest, TargetManifest, parse_rate
from launchworthy.state.keys import KeyPurpose, state_key
from launchworthy.state.memory import MemoryStore
from launchworthy.state.store import Charge, Counters, Slot
from launchworthy.vocabulary import CallId, Principal, Reason, Refused

LONGEST_CALL = 360.0
"""Seconds after which a place is free again although nobody freed it: longer than any call may take."""
_KEPT = 4096
TenantOf = Callable[[Principal], str]


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitsOf:
    """What limits a server, besides what each target's manifest says.

    Attributes:
        server: for its budget.
        caller: how often one caller may ask one replica for anything.
        at_once: how many requests of one caller one replica serves at once.
    """

    server: ServerManifest
    caller: Rate
    at_once: int


@dataclass(frozen=True, slots=True, kw_only=True)
class _Needs:
    """What one caller's call of one target uses."""

    charges: tuple[Charge, ...]
    slots: tuple[Slot, ...]


class CallLimits:
    """The limits of one server; every key names the tenant and the caller."""

    def __init__(
        self, shared: Counters, limits: LimitsOf, *, clock: Callable[[], float], tenant_of: TenantOf
    ) -> None:
        """Count in `shared`, and in memory what is this replica's own.

        Args:
            shared: where replicas count together.
            limits: what is allowed.
            clock: seconds that never go back.
            tenant_of: what the keys begin with; empty where there is one tenant.
        """
        self._shared = shared
        self._limits = limits
        self._own = MemoryStore(clock, "own")
        self._tenant_of = tenant_of
        self._needs = lru_cache(maxsize=_KEPT)(self._needs_of)
        self._own_needs = lru_cache(maxsize=_KEPT)(self._own_needs_of)
        self._budget = {
            Effect(name): parse_rate(text)
            for name, text in limits.server.budget.model_dump(exclude_none=True).items()
        }

    def request(self, principal: Principal, call: CallId) -> "_Room":
        """Room for one request that calls nothing.

        Raises:
            LimitReached: (on entering) the caller asks this replica too often, or for too much at once.
        """
        return _Room(self._own, self._own_needs(self._who(principal)), call)

    def call(
        self, target: TargetManifest, principal: Principal, call: CallId
    ) -> AbstractAsyncContextManager[None]:
        """Room for one call of a target.

        Raises:
            LimitReached: (on entering) the first limit that has no room.
            Refused: (on entering) `limit.store`, for what is no read.
        """
        who = self._who(principal)
        needs = self._needs(
            who, target.kind.value, target.name, target.effect, target.rate, target.concurrency
        )
        own = _Room(self._own, self._own_needs(who), call)
        return self._within(own, needs, target, call) if needs.charges or needs.slots else own

    @asynccontextmanager
    async def _within(
        self, own: "_Room", needs: _Needs, target: TargetManifest, call: CallId
    ) -> AsyncIterator[None]:
        """Room for one call of a target that has limits itself, beside its caller's."""
        async with own:
            counters = await self._take(needs, target, call)
            try:
                yield
            finally:
                if needs.slots:
                    await asyncio.shield(_give_back(counters, needs.slots, call))

    async def _take(self, needs: _Needs, target: TargetManifest, call: CallId) -> Counters:
        """Take the room, and say where: in the shared state; here, where that is dead and this is a read."""
        try:
            await self._shared.take(needs.charges, needs.slots, call)
        except Refused as refused:
            if refused.reason is not Reason.LIMIT_STORE or target.effect is not Effect.READ:
                raise
        else:
            return self._shared
        await self._own.take(needs.charges, needs.slots, call)
        return self._own

    def _who(self, principal: Principal) -> tuple[str, ...]:
        return (self._tenant_of(principal), *principal.key)

    def _own_needs_of(self, who: tuple[str, ...]) -> _Needs:
        """What every request of a caller uses of this replica."""
        charge = Charge(
            key=state_key(KeyPurpose.CALLER, *who),
            rate=self._limits.caller,
            reason=Reason.LIMIT_RATE,
            limit="caller",
        )
        slot = Slot(
            key=state_key(KeyPurpose.CALLER, *who),
            places=self._limits.at_once,
            seconds=LONGEST_CALL,
            limit="caller_at_once",
        )
        return _Needs(charges=(charge,), slots=(slot,))

    def _needs_of(  # noqa: PLR0917 - a cache's key has a part for each
        self,
        who: tuple[str, ...],
        kind: str,
        name: str,
        effect: Effect,
        rate: Rate | None,
        concurrency: int | None,
    ) -> _Needs:
        charges: list[Charge] = []
        slots: tuple[Slot, ...] = ()
        if rate is not None:
            key = state_key(KeyPurpose.RATE, *who, kind, name)
            charges.append(Charge(key=key, rate=rate, reason=Reason.LIMIT_RATE, limit="rate"))
        if (budget := self._budget.get(effect)) is not None:
            key = state_key(KeyPurpose.BUDGET, *who, effect.value)
            charges.append(Charge(key=key, rate=budget, reason=Reason.LIMIT_BUDGET, limit="budget"))
        if concurrency is not None:
            key = state_key(KeyPurpose.CONCURRENCY, *who, kind, name)
            slots = (Slot(key=key, places=concurrency, seconds=LONGEST_CALL, limit="concurrency"),)
        return _Needs(charges=tuple(charges), slots=slots)


class _Room:
    """What every request of a caller uses of this replica; a class, since every request enters one."""

    __slots__ = ("_call", "_needs", "_own")

    def __init__(self, own: MemoryStore, needs: _Needs, call: CallId) -> None:
        self._own = own
        self._needs = needs
        self._call = call

    async def __aenter__(self) -> None:
        await self._own.take(self._needs.charges, self._needs.slots, self._call)

    async def __aexit__(self, *_: object) -> None:
        await self._own.free(self._needs.slots, self._call)


async def _give_back(counters: Counters, slots: tuple[Slot, ...], call: CallId) -> None:
    """Free the places; what cannot be freed frees itself in time."""
    with suppress(Refused):
        await counters.free(slots, call)
