"""What is held now, and who is told when that changes?

The one place where a provider's findings become a phase. Whatever thread finds something calls `receive` or
`fail`; the facts and the material change together, in one assignment, so that readers need no lock.
"""

import asyncio
import os
import threading
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Generic, TypeVar

from launchworthy.identity.cause import TRAITS, Failure
from launchworthy.identity.phase import (
    NOTHING_YET,
    Facts,
    Holding,
    Phase,
    closed,
    doubt_is_over,
    failed,
    phase_at,
    received,
)
from launchworthy.identity.refusal import refused_at_once, refused_in_time
from launchworthy.identity.status import (
    ChangeKind,
    IdentityChange,
    IdentityStatus,
    IdentityUnavailable,
    status_of,
)

Material = TypeVar("Material")

REPEAT_FAILURE_SECONDS = 60.0
"""The same failure is told again after this time only: an outage is not an event every two seconds."""


class Custody(Generic[Material]):
    """The identity in hand: facts that decide the phase, and the material that goes with them."""

    def __init__(self, *, clock: Callable[[], float], grace: float) -> None:
        """Hold nothing yet, for this process only.

        Args:
            clock: seconds since the epoch.
            grace: seconds for which one word of a withdrawal is doubted; 0 believes it at once.
        """
        self._clock = clock
        self._grace = grace
        self._pid = os.getpid()
        self._lock = threading.Lock()
        self._held: tuple[Facts, Material | None] = (NOTHING_YET, None)
        self._known: tuple[Facts, IdentityStatus] = (NOTHING_YET, status_of(NOTHING_YET, Phase.STARTING))
        self._callbacks: tuple[Callable[[IdentityChange], None], ...] = ()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._settled: asyncio.Future[Failure | None] | None = None
        self._told_failure: tuple[Failure, float] | None = None
        self._told_expiry: Holding | None = None

    @property
    def forked(self) -> bool:
        """Whether this is a copy in a child of the process that owns it."""
        return os.getpid() != self._pid

    def status(self) -> IdentityStatus:
        """How it stands now; two clock reads and a few comparisons."""
        facts = self._held[0]
        phase = phase_at(facts, self._clock(), forked=os.getpid() != self._pid)
        known_facts, known = self._known
        if known_facts is facts and known.phase is phase:
            return known
        status = status_of(facts, phase)
        self._known = (facts, status)
        return status

    def require(self) -> Material:
        """What is held, if it is usable.

        Raises:
            IdentityUnavailable: it is not.
        """
        facts, material = self._held
        if material is None or not phase_at(facts, self._clock(), forked=self.forked).usable:
            raise IdentityUnavailable(self.status())
        return material

    def failure(self) -> Failure | None:
        """What failed last, since the last success."""
        return self._held[0].failure

    def holding(self) -> Holding | None:
        """What is held, usable or not."""
        return self._held[0].holding

    def material(self) -> Material | None:
        """What goes with what is held, usable or not; for providers, who compare."""
        return self._held[1]

    def on_change(self, callback: Callable[[IdentityChange], None]) -> None:
        """Tell this one too, on the event loop."""
        with self._lock:
            self._callbacks = (*self._callbacks, callback)

    async def settle(self, deadline_seconds: float) -> Failure | None:
        """Wait for the first identity.

        Returns:
            None once there is one; a failure that makes waiting pointless.

        Raises:
            TimeoutError: neither came in time.
        """
        return await asyncio.wait_for(asyncio.shield(self._future()), deadline_seconds)

    async def settle_or_close(self, deadline_seconds: float, close: Callable[[], Awaitable[None]]) -> None:
        """Wait for the first identity, and close its provider where none comes.

        Raises:
            StartupRefused: stage `identity`; everything is closed by then.
        """
        try:
            failure = await self.settle(deadline_seconds)
        except TimeoutError:
            last = self.failure()
            await close()
            raise refused_in_time(last, deadline_seconds) from None
        if failure is not None:
            await close()
            raise refused_at_once(failure)

    def attach(self) -> None:
        """Tell changes on the running loop from now on."""
        self._loop = asyncio.get_running_loop()
        self._settled = self._loop.create_future()

    def receive(self, holding: Holding, material: Material, *, news: str) -> None:
        """A good identity came.

        Args:
            holding: what decides the phase.
            material: what goes with it.
            news: what changed in what we trust, or empty.
        """
        with self._lock:
            facts, before = self._held
            if facts.closed:
                return
            was = phase_at(facts, self._clock(), forked=False)
            self._held = (received(facts, holding), material)
            self._told_failure = None
            if not was.usable:
                self._tell(ChangeKind.ACQUIRED, f"this workload is `{holding.subject}`", holding)
            elif facts.holding is not None and facts.holding.serial != holding.serial:
                self._tell(ChangeKind.ROTATED, f"`{holding.subject}` was renewed", holding)
            if before is not None and news != "":
                self._tell(ChangeKind.BUNDLE_CHANGED, news, holding)
            self._schedule(self._settle, None)

    def fail(self, failure: Failure) -> None:
        """An attempt failed; what is held stays, unless its source has withdrawn it."""
        with self._lock:
            facts, material = self._held
            if facts.closed:
                return
            after = failed(facts, failure, now=self._clock(), grace=self._grace)
            self._held = (after, material if after.holding is not None else None)
            if after.revoked and not facts.revoked:
                self._told_failure = (failure, self._clock())
                self._tell(ChangeKind.REVOKED, failure.detail, facts.holding)
            elif self._worth_telling(failure):
                self._tell(ChangeKind.REFRESH_FAILED, failure.detail, after.holding)
            if TRAITS[failure.cause].at_once:
                self._schedule(self._settle, failure)

    def notice_expiry(self) -> None:
        """Tell once that what is held has expired, or that a doubt is none; the phase knows without this."""
        with self._lock:
            facts = self._held[0]
            if doubt_is_over(facts, self._clock()):
                detail = facts.failure.detail if facts.failure is not None else "the identity was withdrawn"
                self._held = (replace(facts, holding=None, revoked=True, doubt=None), None)
                self._tell(ChangeKind.REVOKED, detail, facts.holding)
                return
            holding = facts.holding
            if holding is None or holding is self._told_expiry or self._clock() < holding.ends_at:
                return
            self._told_expiry = holding
            self._tell(ChangeKind.EXPIRED, f"`{holding.subject}` has expired and was not renewed", holding)

    def close(self) -> None:
        """Drop what is held, for good."""
        with self._lock:
            self._held = (closed(self._held[0]), None)

    def _worth_telling(self, failure: Failure) -> bool:
        now = self._clock()
        if self._told_failure is not None:
            told, at = self._told_failure
            if told == failure and 0 <= now - at < REPEAT_FAILURE_SECONDS:
                return False
        self._told_failure = (failure, now)
        return True

    def _tell(self, kind: ChangeKind, detail: str, holding: Holding | None) -> None:
        change = IdentityChange(
            kind=kind,
            detail=detail,
            serial=holding.serial if holding is not None else None,
            not_after=holding.not_after if holding is not None else None,
        )
        for callback in self._callbacks:
            self._schedule(callback, change)

    def _schedule(self, function: Callable[..., None], argument: object) -> None:
        if self._loop is None:
            return
        try:
            self._loop.call_soon_threadsafe(function, argument)
        except RuntimeError:  # the loop is closed: nobody is left to be told
            return

    def _settle(self, failure: Failure | None) -> None:
        future = self._future()
        if not future.done():
            future.set_result(failure)

    def _future(self) -> asyncio.Future[Failure | None]:
        if self._settled is None:
            raise RuntimeError("attach comes before settle")
        return self._settled
