"""What does a body get as its `call`?"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

from launchworthy.credentials import CallLog
from launchworthy.credentials.call_credentials import CallCredentials
from launchworthy.credentials.loans import CredentialLoan, UpstreamLoan
from launchworthy.enforcement.authorized import Progress
from launchworthy.vocabulary import CallId, Environment, Principal


class OperationsLog(Protocol):
    """The operations log: structlog's bound logger, or anything like it."""

    def bind(self, **fields: object) -> Any:
        """A logger whose every line says this too."""

    def error(self, event: str, /, **fields: object) -> object:
        """Say what failed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunningCall:
    """The `Call` of one body; implements `launchworthy.credentials.Call`.

    Attributes:
        id: the call's name.
        principal: who calls.
        environment: where this runs.
        unbound_log: the operations log, not yet bound to this call.
        report: tells the client.
        tell_changed: tells who listens.
        _app: what the server keeps open.
        _book: what this call borrows.
        _loop: where it is borrowed, also for a plain function in its thread.
    """

    id: CallId
    principal: Principal
    environment: Environment
    unbound_log: OperationsLog
    report: Progress
    tell_changed: Callable[[str], None]
    _app: Any = field(repr=False)
    _book: CallCredentials = field(repr=False)
    _loop: asyncio.AbstractEventLoop = field(repr=False)

    @property
    def tenant(self) -> str | None:
        """Whose the caller is; None where the server has one tenant."""
        return self.principal.tenant

    @property
    def app(self) -> Any:
        """What the server keeps open, as long as the call lasts.

        Raises:
            RuntimeError: the call is over; what it left behind goes no further.
        """
        if self._book.ended:
            raise RuntimeError("this call is over, and nothing of it goes on")
        return self._app

    @property
    def log(self) -> CallLog:
        """The operations log, bound to this call when it is first wanted."""
        bound: CallLog = self.unbound_log.bind(call=self.id)
        return bound

    def upstream(self, name: str) -> UpstreamLoan:
        """An HTTP client for the `url` of `[credentials.<name>]`, signed with a credential of this call."""
        return UpstreamLoan(self._book, name, self._loop)

    def credential(self, name: str) -> CredentialLoan:
        """A credential of this call for what is not HTTP."""
        return CredentialLoan(self._book, name, self._loop)

    async def progress(self, done: float, of: float | None = None) -> None:
        """Tell a client that asked for it how far the call is."""
        await self.report(done, of)

    def changed(self, uri: str) -> None:
        """Tell who listens that a resource of this server has changed.

        Raises:
            ValueError: no resource of this server has that URI.
        """
        self.tell_changed(uri)
