"""How does one assertion serve many callers? Cached per audience, fetched once at a time, refreshed early.

A real agent attests its caller at every request, so an assertion is kept. It is refreshed in the background
at half of the life it had left, never more often than every few seconds (the agent has a cache of its own and
may give the same one again), and served while the agent is away until too little of it is left. What the
agent refuses to give any more is dropped at once.
"""

import asyncio
import functools
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from launchworthy.identity.cause import TRAITS, Cause, SourceError
from launchworthy.vocabulary import Secret

MAX_AUDIENCES = 64
REFRESH_SPACING_SECONDS = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class FetchedAssertion:
    """A token for one audience, whose claims were looked at.

    Attributes:
        secret: the token.
        expires_at: seconds since the epoch.
    """

    secret: Secret
    expires_at: int


@dataclass(slots=True, kw_only=True)
class _Kept:
    fetched: FetchedAssertion
    refresh_at: float


class Assertions:
    """Assertions by audience; used from one event loop."""

    def __init__(
        self, fetch: Callable[[str], FetchedAssertion], *, clock: Callable[[], float], min_left: float
    ) -> None:
        """Fetch with `fetch`, which blocks and is called in a thread of this object's own.

        Args:
            fetch: audience in, assertion out; raises `SourceError`.
            clock: seconds since the epoch.
            min_left: seconds that an assertion must still be good for when it is handed out.
        """
        self._fetch = fetch
        self._clock = clock
        self._min_left = min_left
        self._kept: dict[str, _Kept] = {}
        self._flights: dict[str, asyncio.Task[FetchedAssertion]] = {}
        self._generation = 0
        self._threads = ThreadPoolExecutor(max_workers=4, thread_name_prefix="launchworthy-assertion")

    async def get(self, audience: str) -> Secret:
        """An assertion for this audience alone.

        Raises:
            SourceError: none is to be had.
        """
        now = self._clock()
        kept = self._kept.get(audience)
        if kept is not None and kept.fetched.expires_at - now >= self._min_left:
            if now >= kept.refresh_at:
                kept.refresh_at = now + REFRESH_SPACING_SECONDS
                self._flight(audience)
            return kept.fetched.secret
        fetched = await asyncio.shield(self._flight(audience))
        return fetched.secret

    def forget(self) -> None:
        """Drop everything, also what is on its way."""
        self._generation += 1
        self._kept.clear()

    def close(self) -> None:
        """Drop everything and let the threads go; does not wait for them."""
        self.forget()
        for flight in self._flights.values():
            flight.cancel()
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _flight(self, audience: str) -> asyncio.Task[FetchedAssertion]:
        """The one fetch for this audience that is on its way."""
        flight = self._flights.get(audience)
        if flight is None:
            flight = asyncio.get_running_loop().create_task(self._fly(audience, self._generation))
            self._flights[audience] = flight
            flight.add_done_callback(functools.partial(self._landed, audience))
        return flight

    async def _fly(self, audience: str, generation: int) -> FetchedAssertion:
        loop = asyncio.get_running_loop()
        try:
            fetched = await loop.run_in_executor(self._threads, self._fetch, audience)
        except SourceError as error:
            if TRAITS[error.failure.cause].withdraws:
                self._kept.pop(audience, None)
            raise
        now = self._clock()
        left = fetched.expires_at - now
        if left < self._min_left:
            raise SourceError(Cause.EXPIRED, f"the assertion that came is good for {max(0, left):.0f} s only")
        if generation != self._generation:
            raise SourceError(Cause.UNAVAILABLE, "the identity changed while its assertion was fetched")
        self._kept.pop(audience, None)
        if len(self._kept) >= MAX_AUDIENCES:
            del self._kept[next(iter(self._kept))]
        self._kept[audience] = _Kept(fetched=fetched, refresh_at=now + max(left / 2, REFRESH_SPACING_SECONDS))
        return fetched

    def _landed(self, audience: str, flight: asyncio.Task[FetchedAssertion]) -> None:
        if self._flights.get(audience) is flight:
            del self._flights[audience]
        if not flight.cancelled():
            flight.exception()  # a refresh in the background has nobody who waits for it
