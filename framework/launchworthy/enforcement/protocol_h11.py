"""The bounds of a connection, over uvicorn's h11 implementation."""

import asyncio
from typing import Any

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

from launchworthy.enforcement.connection_bounds import (
    FIELD_OVERHEAD,
    VERSIONS,
    Bounds,
    ConnectionLimits,
    Phase,
)
from launchworthy.vocabulary import Reason


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
        size = sum(len(name) + len(value) + FIELD_OVERHEAD for name, value in request.headers)
        if len(names) > self._limits.fields or len(request.target) + size > self._limits.section_bytes:
            self.too_large = True
            raise h11.RemoteProtocolError("the header section is too large", error_status_hint=431)
        if b"content-length" in names and b"transfer-encoding" in names:  # h11 would take it; RFC 9112 §6.3
            raise h11.RemoteProtocolError("the length of the body is ambiguous")
        if request.http_version.decode() not in VERSIONS:
            raise h11.RemoteProtocolError("another version of HTTP")


class H11(Bounds, H11Protocol):
    """uvicorn's protocol over h11, bounded."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Parse with a connection that counts."""
        super().__init__(*args, **kwargs)
        self.conn: _H11Connection = _H11Connection(self.terms.limits)

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn's
        """Begin to wait for the first byte."""
        super().connection_made(transport)
        self.timeout_keep_alive = self.terms.limits.first_byte_seconds  # type: ignore[assignment]  # takes any
        self.opened()

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop the timer."""
        self.disarm()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Parse, unless this connection has been turned away."""
        if not self.is_turned_away():
            super().data_received(data)

    def handle_events(self) -> None:
        """Handle what was parsed, and see how far the newest request has come."""
        super().handle_events()
        if not self.is_turned_away():
            self._follow()

    def on_response_complete(self) -> None:
        """The answer is complete."""
        super().on_response_complete()
        self.answer_sent()

    def send_400_response(self, msg: str) -> None:
        """What was parsed is no HTTP."""
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
