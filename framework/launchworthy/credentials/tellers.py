"""Whom do all calls of a server ask? The brokers, the hosts that they open, and who takes things back."""

import asyncio
from collections.abc import Callable, Coroutine, Mapping
from contextlib import suppress
from typing import Any, Protocol

from launchworthy.audit import Recorder
from launchworthy.credentials.custody import Custody
from launchworthy.credentials.lease import CredentialBroker
from launchworthy.credentials.one_host import OneHost
from launchworthy.egress import ours

CLOSE_SECONDS = 8.0


class LeaseBook(Protocol):
    """What one call has borrowed."""

    @property
    def target(self) -> str:
        """What runs: the name of the tool, resource or prompt."""

    async def end(self) -> None:
        """Take everything back."""


class Tellers:
    """What the lease books of a server share.

    Attributes:
        brokers: by the table in the settings.
        hosts: the upstreams of those tables that name one.
        custody: takes leases back.
        audit: where it is recorded.
        open_books: the lease books that have borrowed something and not ended.
    """

    def __init__(
        self,
        brokers: Mapping[str, CredentialBroker],
        hosts: Mapping[str, OneHost],
        *,
        audit: Recorder,
        clock: Callable[[], float],
    ) -> None:
        """Hold them; nobody is asked yet.

        Args:
            brokers: by the table in the settings.
            hosts: the upstreams, by the same name.
            audit: where it is recorded.
            clock: seconds since the epoch.
        """
        self.brokers = brokers
        self.hosts = hosts
        self.audit = audit
        self.custody = Custody(brokers, audit, clock)
        self._clock = clock
        self.open_books: set[LeaseBook] = set()
        self._under_way: set[asyncio.Task[None]] = set()

    def now(self) -> int:
        """Seconds since the epoch."""
        return int(self._clock())

    async def see_through(self, work: Coroutine[Any, Any, None]) -> None:
        """Do this to its end, whatever becomes of who waits for it.

        Raises:
            asyncio.CancelledError: the one who waits was cancelled; the work goes on.
        """
        with ours():
            task = asyncio.get_running_loop().create_task(work)
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)
        await asyncio.shield(task)

    def end_stopped(self, stops: Callable[[str], bool]) -> None:
        """Begin to take back what calls of stopped targets hold; they are lent nothing more.

        Args:
            stops: whether a target, by its name, is stopped.
        """
        for book in tuple(self.open_books):
            if stops(book.target):
                task = asyncio.get_running_loop().create_task(book.end())
                self._under_way.add(task)
                task.add_done_callback(self._under_way.discard)

    async def aclose(self) -> None:
        """See what is under way through, take back what is left, and close every connection."""
        for book in tuple(self.open_books):  # of a function that outlived its call
            await book.end()
        if self._under_way:
            await asyncio.wait(tuple(self._under_way), timeout=CLOSE_SECONDS)
        await self.custody.aclose()
        for broker in self.brokers.values():
            with suppress(OSError):
                await broker.aclose()
        for host in self.hosts.values():
            with suppress(OSError):
                await host.aclose()
