"""Who wants to know that something has changed? What bodies say has changed, told to the open streams.

A body may run in a thread: what it says is told in the event loop of who listens. Nobody waits for anybody.
"""

import asyncio
from collections.abc import Callable
from typing import Final

Heard = Callable[[str], None]
LISTS_CHANGED: Final = ""
"""Told in place of a URI: what lists show may have changed."""


class Changes:
    """One for each server."""

    __slots__ = ("_canonical", "_listeners")

    def __init__(self, canonical: Callable[[str], str]) -> None:
        """Hear of what has changed.

        Args:
            canonical: gives a declared resource's URI in its one spelling; raises ValueError for another.
        """
        self._canonical = canonical
        self._listeners: dict[Heard, asyncio.AbstractEventLoop] = {}

    def listen(self, heard: Heard) -> Callable[[], None]:
        """Have `heard` told of every change from now on, in this event loop; returns what ends it."""
        self._listeners[heard] = asyncio.get_running_loop()

        def end() -> None:
            self._listeners.pop(heard, None)

        return end

    def tell(self, uri: str) -> None:
        """Say that a resource has changed; from any thread.

        Raises:
            ValueError: no resource of this server has that URI.
        """
        self._spread(self._canonical(uri))

    def tell_lists(self) -> None:
        """Say that lists may show something else now."""
        self._spread(LISTS_CHANGED)

    def _spread(self, what: str) -> None:
        for heard, loop in tuple(self._listeners.items()):
            loop.call_soon_threadsafe(heard, what)
