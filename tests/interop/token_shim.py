"""How does a program that knows nothing of tokens call a server that demands them? Through this.

A proxy for one server: every request gets the token, and the port of the server in its Host; all other bytes
go through as they came, in both directions, as they come. One request a connection.
"""

import asyncio
import re
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Self
from urllib.parse import urlsplit

_LONGEST_HEAD = 64 * 1024


class TokenShim:
    """Enter it to listen; leave it to stop."""

    def __init__(self, url: str, token: Callable[[], str]) -> None:
        """Stand before the server at `url`; `token` is asked for each request."""
        parts = urlsplit(url)
        assert parts.hostname is not None
        assert parts.port is not None
        self._server = (parts.hostname, parts.port)
        self._path = parts.path
        self._token = token
        self._ready = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()), name="shim", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        assert self._ready.wait(10)
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._ended.set)
        self._thread.join(10)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}{self._path}"

    async def _serve(self) -> None:
        self._loop, self._ended = asyncio.get_running_loop(), asyncio.Event()
        self._open: set[asyncio.Task[None]] = set()
        listening = await asyncio.start_server(self._connected, "127.0.0.1", 0, limit=_LONGEST_HEAD)
        self.port: int = listening.sockets[0].getsockname()[1]
        self._ready.set()
        await self._ended.wait()
        listening.close()
        for task in self._open:
            task.cancel()
        await asyncio.gather(*self._open, return_exceptions=True)

    def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.ensure_future(self._exchange(reader, writer))
        self._open.add(task)
        task.add_done_callback(self._open.discard)

    async def _exchange(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there = None
        try:
            head = await reader.readuntil(b"\r\n\r\n")
            back, there = await asyncio.open_connection(*self._server)
            there.write(self._with_token(head))
            forth = asyncio.ensure_future(_copy(reader, there))
            await _copy(back, writer)
            forth.cancel()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            for each in (writer, there):
                if each is not None:
                    each.close()

    def _with_token(self, head: bytes) -> bytes:
        line, _, fields = head.partition(b"\r\n")
        port = b":%d" % self._server[1]
        fields = re.sub(rb"(?im)^(host:[^\r\n]*):%d\b" % self.port, rb"\1" + port, fields)
        fields = re.sub(rb"(?im)^(origin:[^\r\n]*):%d\b" % self.port, rb"\1" + port, fields)
        fields = re.sub(rb"(?im)^connection:[^\r\n]*\r\n", b"", fields)
        token = self._token().encode()
        return line + b"\r\nAuthorization: Bearer " + token + b"\r\nConnection: close\r\n" + fields


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(ConnectionError):
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
