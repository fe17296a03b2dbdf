"""Where do plain functions run? In worker threads, as many as there are places.

A place is kept until the function has really ended. A thread cannot be stopped: when a call runs out of time
its function runs on, and must go on counting, or a caller could have any number of threads by letting calls
time out.
"""

import asyncio
from collections.abc import Callable
from typing import Final, TypeVar

import anyio
import anyio.to_thread

PLACES: Final = 40
"""As many as the SDK's own limiter has."""
T = TypeVar("T")


class Workers:
    """A bounded number of functions at once; for one event loop."""

    def __init__(self, places: int = PLACES) -> None:
        """Make room for so many functions at once."""
        self._places = anyio.CapacityLimiter(places)
        self._threads = anyio.CapacityLimiter(10 * places)  # never the one that decides

    @property
    def running(self) -> int:
        """How many functions run, abandoned ones included."""
        return int(self._places.borrowed_tokens)

    async def run(self, function: Callable[[], T], *, begin: Callable[[], None] = lambda: None) -> T:
        """Run a function in a thread; when the awaiting task is cancelled, the function runs on.

        Args:
            function: to be run.
            begin: called once there is a place; what it raises leaves the function unrun.

        Raises:
            BaseException: whatever the function raises, or `begin`.
        """
        place = _Place(self._places, asyncio.get_running_loop())
        await self._places.acquire_on_behalf_of(place)
        try:
            begin()
        except BaseException:
            place.leave()
            raise

        def job() -> T:
            place.entered = True
            try:
                return function()
            finally:
                place.leave_from_thread()

        try:
            return await anyio.to_thread.run_sync(job, abandon_on_cancel=True, limiter=self._threads)
        finally:
            if not place.entered:
                place.leave()


class _Place:
    """One borrowed place, given back exactly once, on the loop's thread."""

    __slots__ = ("_loop", "_places", "_taken", "entered")

    def __init__(self, places: anyio.CapacityLimiter, loop: asyncio.AbstractEventLoop) -> None:
        self._places = places
        self._loop = loop
        self._taken = True
        self.entered = False

    def leave(self) -> None:
        if self._taken:
            self._taken = False
            self._places.release_on_behalf_of(self)

    def leave_from_thread(self) -> None:
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self.leave)
