"""Is the client still there? Who has left waits for nothing: what runs for them is cancelled.

The watch is armed after 50 ms, so that short calls do not pay for it.
"""

import asyncio
from collections.abc import Callable
from types import TracebackType
from typing import Final, Self

from launchworthy.enforcement.reply import Receive

ARMED_AFTER: Final = 0.05


class ClientLeft(Exception):
    """The client closed the connection before it had its answer."""


class Presence:
    """Cancels the task that entered it when the client leaves, and raises `ClientLeft` in the end."""

    __slots__ = ("_after", "_handle", "_instead", "_left", "_receive", "_task", "_watch")

    def __init__(
        self,
        receive: Receive,
        *,
        armed_after: float = ARMED_AFTER,
        instead: Callable[[], None] | None = None,
    ) -> None:
        """Watch this connection, whose body has been read; `instead` is done in place of a cancellation."""
        self._receive = receive
        self._after = armed_after
        self._instead = instead
        self._left = False
        self._watch: asyncio.Task[None] | None = None

    def __enter__(self) -> Self:
        """Begin; only one task is watched for."""
        task = asyncio.current_task()
        if task is None:
            raise RuntimeError("only a task can be watched for")
        self._task = task
        self._handle = asyncio.get_running_loop().call_later(self._after, self._arm)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End the watch; a cancellation of its own becomes `ClientLeft`."""
        self._handle.cancel()
        if self._watch is not None:
            self._watch.cancel()
        if self._left and self._task.uncancel() == 0 and kind is asyncio.CancelledError:
            raise ClientLeft from None

    def _arm(self) -> None:
        self._watch = asyncio.get_running_loop().create_task(self._wait())

    async def _wait(self) -> None:
        while (await self._receive())["type"] != "http.disconnect":
            pass
        if self._instead is not None:
            self._instead()
            return
        self._left = True
        self._task.cancel()
