"""The bounds of a connection, over uvicorn's httptools implementation."""

import asyncio
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from launchworthy.enforcement.connection_bounds import FIELD_OVERHEAD, VERSIONS, Bounds, Phase
from launchworthy.vocabulary import Reason


class HttpTools(Bounds, HttpToolsProtocol):
    """uvicorn's protocol over httptools, bounded.

    The parser keeps a field until it is complete, however long it gets; so bytes are counted as they come,
    until the header section is complete, and its fields then.

    What it reads differently from others does not pass. It takes the body of a request that offers an upgrade
    for the next request, so an offer is refused. It hands trailers over as if they were headers, so they are
    dropped: nothing of a trailer may say who is calling or what (RFC 9110 §6.5.1). It takes any version.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Begin with nothing read."""
        super().__init__(*args, **kwargs)
        self._unparsed = 0
        self._section = 0
        self._fields = 0
        self._too_large = False
        self._moved = False
        self._in_head = False
        self._running: Any = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn's
        """Begin to wait for the first byte."""
        super().connection_made(transport)
        self.timeout_keep_alive = self.terms.limits.first_byte_seconds  # type: ignore[assignment]  # takes any
        self.opened()

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop the timer, and tell the request that runs: uvicorn tells only the newest."""
        self.disarm()
        super().connection_lost(exc)
        if self._running is not None and not self._running.response_complete:
            self._running.disconnected = True
            self._running.message_event.set()

    def _start_asgi_task(self, cycle: Any, app: Any) -> None:
        self._running = cycle
        super()._start_asgi_task(cycle, app)

    def data_received(self, data: bytes) -> None:
        """Parse, unless this connection has been turned away."""
        if self.is_turned_away():
            return
        self._unparsed += len(data)
        super().data_received(data)
        if self.is_turned_away():
            return
        in_head = self._phase in {Phase.AWAITED, Phase.HEAD, Phase.WHOLE}
        if self._too_large or (in_head and self._unparsed > self.terms.limits.section_bytes):
            self.turn_away(431, Reason.HTTP_SIZE)
        else:
            self._follow()

    def on_message_begin(self) -> None:
        """The first byte of a request."""
        super().on_message_begin()
        self._section = self._fields = 0
        self._move(Phase.HEAD)

    def on_url(self, url: bytes) -> None:
        """A part of the request line."""
        self._count(len(url))
        if not self._too_large:
            super().on_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        """One complete field; after the header section it is a trailer, which nobody reads."""
        if not self._in_head:
            self._fields += 1
            self._count(len(name) + len(value) + FIELD_OVERHEAD)
            return
        name, value = name.lower(), value.strip(b" \t")
        if name == b"expect" and value.lower() == b"100-continue":
            self.expect_100_continue = True
        self.headers.append((name, value))

    def on_headers_complete(self) -> None:
        """The header section is complete, and small enough to go on."""
        self._fields = len(self.headers)
        if self._unparsed + FIELD_OVERHEAD * self._fields > self.terms.limits.section_bytes:
            self._section += sum(len(name) + len(value) + FIELD_OVERHEAD for name, value in self.headers)
        self._count(0)
        if self._too_large or self.is_turned_away():
            return
        if self.parser.should_upgrade() or self.parser.get_http_version() not in VERSIONS:
            self.turn_away(400, Reason.PROTOCOL_INVALID)
            return
        self._unparsed = 0
        super().on_headers_complete()
        path, _, query = self.url.partition(b"?")  # as it came: neither an authority nor a fragment taken off
        self.scope["raw_path"], self.scope["query_string"] = path, query
        self._move(Phase.BODY)

    def on_body(self, body: bytes) -> None:
        """A part of the body."""
        self._unparsed = 0
        if not (self._too_large or self.is_turned_away()):
            super().on_body(body)

    def on_message_complete(self) -> None:
        """The request is complete."""
        if self._too_large or self.is_turned_away():
            return
        self._unparsed = 0
        super().on_message_complete()
        self._move(Phase.WHOLE)

    def on_response_complete(self) -> None:
        """The answer is complete."""
        super().on_response_complete()
        self.answer_sent()

    def send_400_response(self, msg: str) -> None:
        """What was parsed is no HTTP."""
        del msg
        if self._too_large:
            self.turn_away(431, Reason.HTTP_SIZE)
        else:
            self.turn_away(400, Reason.PROTOCOL_INVALID)

    def _move(self, phase: Phase) -> None:
        self._phase = phase
        self._in_head = phase is Phase.HEAD
        self._moved = True

    def _follow(self) -> None:
        """Set the timer for how far the newest request has come by now: most come whole, and need none."""
        unwatched = self._timer is None and self.timeout_keep_alive_task is None and self.answered
        if self._moved or unwatched:
            self._moved = False
            self.enter(self._phase)

    def _count(self, size: int) -> None:
        self._section += size
        if self._section > self.terms.limits.section_bytes or self._fields > self.terms.limits.fields:
            self._too_large = True
