"""A listener with the bounded protocol and an application that shows what it got."""

import asyncio
import json
import socket
import threading
import time
from dataclasses import replace
from typing import Any, Self

import uvicorn

from launchworthy.enforcement.protocol import RULE_33, bounded_h11, bounded_httptools
from launchworthy.vocabulary import Reason

LIMITS = replace(RULE_33, first_byte_seconds=0.25, head_seconds=0.25, linger_seconds=0.25)


async def show(scope: Any, receive: Any, send: Any) -> None:
    """Answer at once with the headers, or after the body where the path says so, or late."""
    if scope["path"] == "/body":
        while (await receive()).get("more_body"):
            pass
    if scope["path"] == "/late":
        await asyncio.sleep(0.4)
    shown = json.dumps(
        [[name.decode(), value.decode("latin-1")] for name, value in scope["headers"]]
    ).encode()
    headers = [(b"content-length", str(len(shown)).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": shown})


class Listener:
    """Enter it to listen."""

    def __init__(self, implementation: str, **limits: float) -> None:
        self.reported: list[Reason] = []
        make = bounded_httptools if implementation == "httptools" else bounded_h11
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port = self._socket.getsockname()[1]
        config = uvicorn.Config(
            show, http=make(replace(LIMITS, **limits), self.reported.append), ws="none", lifespan="off",
            log_config=None, access_log=False, timeout_keep_alive=5, timeout_graceful_shutdown=1,
        )  # fmt: skip
        self._server = uvicorn.Server(config)
        self._server.install_signal_handlers = lambda: None
        self._thread = threading.Thread(
            target=lambda: asyncio.run(self._server.serve([self._socket])), daemon=True
        )

    def __enter__(self) -> Self:
        self._thread.start()
        end = time.monotonic() + 5
        while not self._server.started and time.monotonic() < end:
            time.sleep(0.005)
        return self

    def __exit__(self, *_: object) -> None:
        self._server.should_exit = True
        self._thread.join(5)
        self._socket.close()

    def connect(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.port), timeout=4)


def read_answer(connection: socket.socket) -> tuple[bytes, bytes]:
    """The status line and the body of one answer with a length."""
    received = b""
    while b"\r\n\r\n" not in received:
        chunk = connection.recv(65536)
        if not chunk:
            return received, b""
        received += chunk
    head, _, body = received.partition(b"\r\n\r\n")
    length = next(
        int(line.split(b":")[1]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length")
    )
    while len(body) < length:
        body += connection.recv(65536)
    return head.split(b"\r\n")[0], body


def seconds_until_closed(connection: socket.socket) -> float:
    """How long the other side keeps it open."""
    began = time.monotonic()
    try:
        while connection.recv(65536):
            pass
    except ConnectionResetError:
        pass
    return time.monotonic() - began
