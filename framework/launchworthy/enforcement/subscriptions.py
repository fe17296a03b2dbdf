"""Who hears of which change? Streams of `subscriptions/listen`, each URI decided as a read, again and again.

The SDK's own handler honours every URI for as long as a connection lasts. Here a stream is acknowledged what
its caller may read now; what is denied and what is unknown are missing alike. Each delivery is decided again.
A stream ends with its token, with a stop or a deny entry, with a lost identity and with the server; nobody
has more than four. It says that something has changed, never what it is now: for that, it is read.
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Final

from pydantic_core import to_json

from launchworthy.audit import AuditUnwritable
from launchworthy.audit.events import SubscriptionClosed
from launchworthy.credentials.sealed import unseal
from launchworthy.enforcement import records
from launchworthy.enforcement.answers import Answer, json_headers
from launchworthy.enforcement.changes import LISTS_CHANGED, Changes
from launchworthy.enforcement.ports import Readiness, Recorder, Stops, Verifier
from launchworthy.enforcement.presence import ClientLeft, Presence
from launchworthy.enforcement.request import read_listen
from launchworthy.enforcement.resources import NamedResource
from launchworthy.enforcement.verified_request import VerifiedRequest
from launchworthy.state.control import EVERYTHING
from launchworthy.vocabulary import Principal, Reason, Refused

MAX_STREAMS: Final = 4
"""Streams of one caller at a time."""
CHECK_SECONDS: Final = 1.0
"""How long a stream may outlive what it lives by."""
WRITE_SECONDS: Final = 10.0
"""How long a client may take to read one notification."""
_ID_KEY: Final = "io.modelcontextprotocol/subscriptionId"
_METHODS: Final = {
    "toolsListChanged": "notifications/tools/list_changed",
    "promptsListChanged": "notifications/prompts/list_changed",
    "resourcesListChanged": "notifications/resources/list_changed",
}
_ENDS: Final = {
    Reason.TOKEN_DENIED: "denied",
    Reason.TOKEN_EXPIRED: "token",
    Reason.TOOL_STOPPED: "stopped",
}

CheckRead = Callable[[str, VerifiedRequest, int], NamedResource]
"""Decides about a read now; raises `Refused`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lifelines:
    """What a stream lives by.

    Attributes:
        verifier: whether the caller is still who it was.
        readiness: whether calls may go through at all.
        stops: what is stopped now.
        check_read: whether this caller may read that now.
        clock: seconds since the epoch.
    """

    verifier: Verifier
    readiness: Readiness
    stops: Stops
    check_read: CheckRead
    clock: Callable[[], float]


class Subscriptions:
    """All open streams of a server."""

    def __init__(
        self, changes: Changes, audit: Recorder, lifelines: Lifelines, *, check_seconds: float
    ) -> None:
        """Nobody listens yet."""
        self._changes = changes
        self._audit = audit
        self._lifelines = lifelines
        self._check_seconds = check_seconds
        self._open: Counter[tuple[str | None, tuple[str, str, str]]] = Counter()
        self._streams: set[_Stream] = set()
        self._draining = False

    def drain(self) -> None:
        """End every stream, and those that are still to come as soon as they have begun."""
        self._draining = True
        for stream in self._streams:
            stream.end("drain")

    async def serve(self, request: VerifiedRequest) -> Answer:
        """Serve one stream until it ends; its last event is what is returned.

        Raises:
            Refused: it asks for nothing that could be understood, or its caller has four already.
            AuditUnwritable: it cannot be recorded that somebody listens.
            ClientLeft: the caller is gone, or reads nothing.
        """
        wanted = read_listen(request.settled.message.params)
        with self._place(request.principal):
            stream = _Stream(request, wanted.lists, self._lifelines, self._check_seconds)
            stream.choose(wanted.uris)
            self._audit.record(records.subscribed(request.trace, stream.shown, refused=stream.refused))
            request.trace.attempted = True
            self._streams.add(stream)
            if self._draining:
                stream.end("drain")
            try:
                await stream.run(self._changes)
            except ClientLeft:
                stream.end("client")
                raise
            finally:
                self._streams.discard(stream)
                self._record_end(request, stream)
        return stream.last_word()

    @contextmanager
    def _place(self, principal: Principal) -> Iterator[None]:
        whose = (principal.tenant, principal.key)
        if self._open[whose] >= MAX_STREAMS:
            raise Refused(Reason.LIMIT_RATE, f"the caller has {MAX_STREAMS} streams already")
        self._open[whose] += 1
        try:
            yield
        finally:
            self._open[whose] -= 1
            if not self._open[whose]:
                del self._open[whose]

    def _record_end(self, request: VerifiedRequest, stream: "_Stream") -> None:
        event = SubscriptionClosed(
            call=request.trace.call,
            reason=stream.ended or "cancelled",
            milliseconds=request.trace.milliseconds(),
            delivered=stream.delivered,
            withheld=stream.withheld,
        )
        with suppress(AuditUnwritable):  # it has ended whatever becomes of the record
            self._audit.record(event, critical=True)


class _Stream:
    """One stream: what it is about, and how far it is."""

    def __init__(
        self,
        request: VerifiedRequest,
        lists: tuple[str, ...],
        lifelines: Lifelines,
        check_seconds: float,
    ) -> None:
        self.uris: dict[str, str] = {}
        self.shown: tuple[str, ...] = ()
        self._targets: set[str] = set()
        self.refused = 0
        self.ended: str | None = None
        self.delivered = 0
        self.withheld = 0
        self._request = request
        self._lists = lists
        self._lifelines = lifelines
        self._check_seconds = check_seconds
        self._heard: dict[str, None] = {}
        self._wake = asyncio.Event()
        self._meta = {_ID_KEY: request.settled.message.id}

    def choose(self, uris: tuple[str, ...]) -> None:
        """Keep the resources that may be read: canonical spelling → the client's own."""
        for uri in uris:
            try:
                named = self._check(uri)
            except Refused:
                self.refused += 1
                continue
            if self.uris.setdefault(named.uri, uri) == uri:
                self._targets.add(named.asked.target.name)
                self.shown += (records.shown_uri(named.asked.target, named.plain),)

    def end(self, why: str) -> None:
        """Have it end at the next chance, and say why; the first word counts."""
        if self.ended is None:
            self.ended = why
        self._wake.set()

    async def run(self, changes: Changes) -> None:
        """Acknowledge, and tell of changes until it ends."""
        unlisten = changes.listen(self._hear)
        try:
            with Presence(self._request.receive, armed_after=0.0):
                await self._send("notifications/subscriptions/acknowledged", notifications=self._honoured())
                while await self._lives():
                    await self._wait()
                    await self._tell()
        finally:
            unlisten()

    def last_word(self) -> Answer:
        """The result, which says that the stream ended on purpose."""
        result = {"resultType": "complete", "_meta": self._meta}
        message = {"jsonrpc": "2.0", "id": self._request.settled.message.id, "result": result}
        return Answer(status=200, headers=json_headers(self._request.trace.call), body=to_json(message))

    def _honoured(self) -> dict[str, object]:
        honoured: dict[str, object] = dict.fromkeys(self._lists, True)
        if self.uris:
            honoured["resourceSubscriptions"] = list(self.uris.values())
        return honoured

    def _hear(self, what: str) -> None:
        if what in self.uris or (what == LISTS_CHANGED and self._lists):
            self._heard[what] = None
            self._wake.set()

    async def _wait(self) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(self._check_seconds):
                await self._wake.wait()
        self._wake.clear()

    async def _tell(self) -> None:
        heard, self._heard = self._heard, {}
        for what in heard:
            if not await self._lives():
                return
            if what == LISTS_CHANGED:
                for name in self._lists:
                    await self._send(_METHODS[name])
                    self.delivered += 1
            elif self._may_read(what):
                await self._send("notifications/resources/updated", uri=self.uris[what])
                self.delivered += 1
            else:
                self.withheld += 1

    async def _lives(self) -> bool:
        """Whether the server, the identity, what it is about, and its caller still stand; asked each time.

        What its caller may read is decided by what the token is good for now.
        """
        if self.ended is None:
            try:
                self._lifelines.readiness()
                for target in self._targets or (EVERYTHING,):
                    self._lifelines.stops.refuse_stopped(target)
                principal, now = self._request.principal, int(self._lifelines.clock())
                token = unseal(self._request.callers_token)
                principal = await self._lifelines.verifier.verify_again(token, principal, now)
                self._request = self._request._replace(principal=principal)
                if self._request.trace.peering is not None:
                    self._request.trace.peering.require()
            except Refused as refused:
                self.end(_ENDS.get(refused.reason, refused.reason.family))
        return self.ended is None

    def _may_read(self, uri: str) -> bool:
        try:
            self._check(uri)
        except Refused:
            return False
        return True

    def _check(self, uri: str) -> NamedResource:
        return self._lifelines.check_read(uri, self._request, int(self._lifelines.clock()))

    async def _send(self, method: str, **params: object) -> None:
        message = {"jsonrpc": "2.0", "method": method, "params": {**params, "_meta": self._meta}}
        try:
            async with asyncio.timeout(WRITE_SECONDS):
                await self._request.reply.event(to_json(message))
        except TimeoutError:
            self.end("unread")
            raise ClientLeft from None
