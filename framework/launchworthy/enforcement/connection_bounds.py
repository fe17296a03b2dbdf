"""How long may one connection take, whatever parses it?

A timer for each phase of the newest request, and one way to turn away what is no request: where no answer is
outstanding it is answered, otherwise the connection ends after that answer, never in its place.
"""

import asyncio
import socket
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, auto
from typing import Any, ClassVar, Final

from launchworthy.enforcement.peering import STATE
from launchworthy.enforcement.request.head import MAX_FIELDS, MAX_SECTION
from launchworthy.identity.handshake import SvidObject
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
FIELD_OVERHEAD = 4
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
    app_state: dict[str, Any]

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
        self._note_peer()
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
        elif self._phase is Phase.BODY:
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

    def _note_peer(self) -> None:
        """Leave the peer that the handshake verified where the gate finds it: in `scope["state"]`."""
        secured = self.transport.get_extra_info("ssl_object")
        if isinstance(secured, SvidObject) and secured.peer is not None:
            self.app_state = {**self.app_state, STATE: secured.peer}

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
