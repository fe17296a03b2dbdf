"""How long may a connection take, and how much may its header section be?

uvicorn has no timers but the one between two requests: half a header, or the rest of a body that nobody
wants, keeps a connection for ever. These subclasses of its two protocols add what rule 33 demands:

* the first byte of a request within 10 s, its header section within 5 s, at most 64 fields and 32 KiB of it
* what is left of a body after its answer is read, and thrown away, for 10 s
* a bounded number of connections
* white space around header values is taken off, as RFC 9110 §5.5 has it; h11 does so, httptools does not
* what is no HTTP is answered once everything before it has been, never in its place
"""

import asyncio
import socket
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, auto
from typing import Any, ClassVar, Final

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

from launchworthy.enforcement.request.head import MAX_FIELDS, MAX_SECTION
from launchworthy.vocabulary import Reason

_LINES: Final = {
    400: b"HTTP/1.1 400 Bad Request\r\n",
    431: b"HTTP/1.1 431 Request Header Fields Too Large\r\n",
}
_BODY: Final = (
    b'{"jsonrpc":"2.0","id":null,"error":{"code":-32600,"message":"not a request that is served here",'
    b'"data":{"reason":"invalid_request"}}}'
)
VERSIONS: Final = frozenset({"1.0", "1.1"})
"""Of HTTP; what follows any other is not for this parser."""
_FIELD_OVERHEAD = 4
"""Colon, space and line end, as the request had them or could have."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectionLimits:
    """What one connection may take.

    Attributes:
        first_byte_seconds: until a request begins.
        head_seconds: from its first byte to the end of its header section.
        linger_seconds: for what is left of a body after the answer, and of an answer after the end.
        fields: of a header section.
        section_bytes: of a header section, the request line included.
        connections: at once; one more is closed.
    """

    first_byte_seconds: float
    head_seconds: float
    linger_seconds: float
    fields: int
    section_bytes: int
    connections: int


RULE_33: Final = ConnectionLimits(
    first_byte_seconds=10.0,
    head_seconds=5.0,
    linger_seconds=10.0,
    fields=MAX_FIELDS,
    section_bytes=MAX_SECTION,
    connections=1000,
)
Report = Callable[[Reason], None]


def report_nothing(reason: Reason) -> None:
    """Tell nobody."""


def bounded_protocol(
    limits: ConnectionLimits = RULE_33, report: Report = report_nothing
) -> type[asyncio.Protocol]:
    """The protocol class for `uvicorn.Config(http=…)`: over httptools where it installs, else over h11.

    Args:
        limits: what a connection may take; less strict ones are for tests.
        report: told of what is refused before there is a request that the gate could record.
    """
    try:
        import httptools  # noqa: F401, PLC0415 - it does not install everywhere
    except ModuleNotFoundError:
        return bounded_h11(limits, report)
    return bounded_httptools(limits, report)


def bounded_h11(limits: ConnectionLimits, report: Report) -> type[asyncio.Protocol]:
    """The protocol over h11."""
    return type("BoundedH11Protocol", (_H11,), {"terms": Terms(limits=limits, report=report)})


def bounded_httptools(limits: ConnectionLimits, report: Report) -> type[asyncio.Protocol]:
    """The protocol over httptools."""
    from launchworthy.enforcement.protocol_httptools import HttpTools  # noqa: PLC0415 - it needs httptools

    return type("BoundedHttpToolsProtocol", (HttpTools,), {"terms": Terms(limits=limits, report=report)})


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What all connections of one protocol class share."""

    limits: ConnectionLimits
    report: Report


class Phase(Enum):
    """Where the newest request of a connection is."""

    AWAITED = auto()
    HEAD = auto()
    BODY = auto()
    WHOLE = auto()


class Bounds:
    """The timers of one connection; mixed into a protocol of uvicorn's."""

    terms: ClassVar[Terms]

    loop: asyncio.AbstractEventLoop
    transport: asyncio.Transport
    connections: set[Any]
    cycle: Any
    flow: Any

    _phase = Phase.AWAITED
    _timer: asyncio.TimerHandle | None = None
    _turned_away = False

    def opened(self) -> None:
        """A connection was made: begin to wait, or close it where there are too many."""
        if len(self.connections) > self.terms.limits.connections:
            self._turned_away = True
            self.transport.abort()
            return
        _send_at_once(self.transport)
        self.enter(Phase.AWAITED)

    def enter(self, phase: Phase) -> None:
        """The newest request has come so far; set the timer that belongs to it."""
        self._phase = phase
        match phase:
            case Phase.HEAD:
                self._arm(self.terms.limits.head_seconds)
            case Phase.AWAITED | Phase.BODY | Phase.WHOLE if not self.answered:
                self.disarm()
            case Phase.BODY:
                self._arm(self.terms.limits.linger_seconds)
            case Phase.AWAITED | Phase.WHOLE:
                self._arm(self.terms.limits.first_byte_seconds)

    def answer_sent(self) -> None:
        """An answer is complete."""
        if self._turned_away:
            self._end()
        elif self._phase is not Phase.HEAD:
            self.enter(self._phase)

    @property
    def answered(self) -> bool:
        """Whether no request waits for its answer."""
        return self.cycle is None or bool(self.cycle.response_complete)

    def is_turned_away(self) -> bool:
        """Whether nothing more is read from this connection."""
        return self._turned_away

    def turn_away(self, status: int, reason: Reason) -> None:
        """Answer what is no request and end; where an answer is outstanding, end after it."""
        if self._turned_away:
            return
        self._turned_away = True
        self.disarm()
        self.terms.report(reason)
        if not self.answered:
            self.flow.pause_reading()
            return
        head = b"content-type: application/json\r\ncache-control: no-store\r\nconnection: close\r\n"
        length = b"content-length: %d\r\n\r\n" % len(_BODY)
        self.transport.write(_LINES[status] + head + length + _BODY)
        self._end()

    def disarm(self) -> None:
        """Stop the timer."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _arm(self, seconds: float) -> None:
        self.disarm()
        self._timer = self.loop.call_later(seconds, self._expired)

    def _expired(self) -> None:
        self._timer = None
        if self._phase in {Phase.HEAD, Phase.BODY}:
            self.terms.report(Reason.HTTP_DEADLINE)
        self._turned_away = True
        self._end()

    def _end(self) -> None:
        """Close, and do not wait for ever until the peer has read what it was sent."""
        if not self.transport.is_closing():
            self.transport.close()
        self._timer = self.loop.call_later(self.terms.limits.linger_seconds, self.transport.abort)


def _send_at_once(transport: asyncio.Transport) -> None:
    """Switch Nagle's algorithm off, which asyncio leaves on for sockets that were bound for it.

    Head and body of an answer are two writes, and the second would wait 40 ms for an acknowledgement.
    """
    connection = transport.get_extra_info("socket")
    if connection is not None and connection.family in {socket.AF_INET, socket.AF_INET6}:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)


class _H11Connection(h11.Connection):
    """Counts header fields; h11 itself bounds what is not yet complete."""

    def __init__(self, limits: ConnectionLimits) -> None:
        super().__init__(h11.SERVER, limits.section_bytes)
        self._limits = limits
        self.too_large = False

    def next_event(self) -> Any:
        try:
            event = super().next_event()
        except h11.RemoteProtocolError as error:
            self.too_large = error.error_status_hint == 431  # noqa: PLR2004
            raise
        if isinstance(event, h11.Request):
            self._check(event)
        return event

    def _check(self, request: h11.Request) -> None:
        names = [name for name, _ in request.headers]
        size = sum(len(name) + len(value) + _FIELD_OVERHEAD for name, value in request.headers)
        if len(names) > self._limits.fields or len(request.target) + size > self._limits.section_bytes:
            self.too_large = True
            raise h11.RemoteProtocolError("the header section is too large", error_status_hint=431)
        if b"content-length" in names and b"transfer-encoding" in names:  # h11 would take it; RFC 9112 §6.3
            raise h11.RemoteProtocolError("the length of the body is ambiguous")
        if request.http_version.decode() not in VERSIONS:
            raise h11.RemoteProtocolError("another version of HTTP")


class _H11(Bounds, H11Protocol):
    """uvicorn's protocol over h11, bounded."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.conn: _H11Connection = _H11Connection(self.terms.limits)

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn's
        super().connection_made(transport)
        self.opened()

    def connection_lost(self, exc: Exception | None) -> None:
        self.disarm()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if not self.is_turned_away():
            super().data_received(data)

    def handle_events(self) -> None:
        super().handle_events()
        if not self.is_turned_away():
            self._follow()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        self.answer_sent()

    def send_400_response(self, msg: str) -> None:
        del msg
        if self.conn.too_large:
            self.turn_away(431, Reason.HTTP_SIZE)
        else:
            self.turn_away(400, Reason.PROTOCOL_INVALID)

    def _follow(self) -> None:
        state = self.conn.their_state
        if state is h11.IDLE:
            phase = Phase.HEAD if self.conn.trailing_data[0] else Phase.AWAITED
        else:
            phase = Phase.BODY if state is h11.SEND_BODY else Phase.WHOLE
        if phase is not self._phase:
            self.enter(phase)
