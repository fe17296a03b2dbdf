"""How does an answer leave: as JSON, unless the body had something to say first; then as a stream of events.

A stream begins with the first notification and is kept open by a comment every 15 s, since proxies end what
is silent. Its last event is the answer.
"""

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, Final

from launchworthy.enforcement.answers import Answer, common_headers
from launchworthy.vocabulary import CallId

Message = MutableMapping[str, Any]
Send = Callable[[Message], Awaitable[None]]
Receive = Callable[[], Awaitable[Message]]

COMMENT_SECONDS: Final = 15.0
_NO_CONTENT: Final = 204
_COMMENT = b": still here\r\n\r\n"


class Reply:
    """The answer to one request."""

    __slots__ = ("_call", "_comments", "_interval", "_send", "streaming")

    def __init__(self, send: Send, call: CallId, *, interval: float = COMMENT_SECONDS) -> None:
        """Nothing is sent yet."""
        self._send = send
        self._call = call
        self._interval = interval
        self._comments: asyncio.Task[None] | None = None
        self.streaming = False

    async def event(self, message: bytes) -> None:
        """Send one JSON-RPC message before the answer."""
        if not self.streaming:
            await self._begin()
        await self._send_body(b"event: message\r\ndata: %b\r\n\r\n" % message, more=True)

    async def finish(self, answer: Answer) -> None:
        """Send the answer; of a stream's, only the body counts any more."""
        if self.streaming:
            self.close()
            await self._send_body(b"event: message\r\ndata: %b\r\n\r\n" % answer.body, more=False)
            return
        headers = [*answer.headers]
        if answer.status != _NO_CONTENT:  # which has no length (RFC 9110 §8.6)
            headers.append((b"content-length", str(len(answer.body)).encode("ascii")))
        await self._send({"type": "http.response.start", "status": answer.status, "headers": headers})
        await self._send_body(answer.body, more=False)

    def close(self) -> None:
        """Send no more comments."""
        if self._comments is not None:
            self._comments.cancel()
            self._comments = None

    async def _begin(self) -> None:
        self.streaming = True
        headers = [
            (b"content-type", b"text/event-stream"),
            *common_headers(self._call),
            (b"x-accel-buffering", b"no"),  # nginx would keep events until the answer is complete
        ]
        await self._send({"type": "http.response.start", "status": 200, "headers": headers})
        self._comments = asyncio.create_task(self._comment())

    async def _comment(self) -> None:
        while True:
            await asyncio.sleep(self._interval)
            await self._send_body(_COMMENT, more=True)

    async def _send_body(self, body: bytes, *, more: bool) -> None:
        await self._send({"type": "http.response.body", "body": body, "more_body": more})
