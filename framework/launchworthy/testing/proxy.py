"""What does a proxy make of a request? One on loopback that changes what it is told to, or nothing.

It reads a request, hands its bytes to a change, sends what comes of that to the server on a connection of its
own, and passes the answer on as it comes.
"""

import socket
import socketserver
import ssl
import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

_SECONDS = 20.0
_MOST = 4 * 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Passing:
    """A request on its way.

    Attributes:
        line: the request line.
        fields: the header fields, in their order.
        body: as it came.
    """

    line: str
    fields: tuple[tuple[str, str], ...]
    body: bytes

    def values(self, name: str) -> tuple[str, ...]:
        """The values of a field."""
        return tuple(value for each, value in self.fields if each.lower() == name.lower())

    def without(self, *names: str) -> "Passing":
        """The same without some fields."""
        left_out = {name.lower() for name in names}
        return replace(self, fields=tuple(field for field in self.fields if field[0].lower() not in left_out))

    def having(self, name: str, value: str) -> "Passing":
        """The same with one field more."""
        return replace(self, fields=(*self.fields, (name, value)))

    def instead(self, name: str, value: str) -> "Passing":
        """The same with another value of a field."""
        return self.without(name).having(name, value)

    def __bytes__(self) -> bytes:
        """What is sent."""
        fields = "".join(f"{name}: {value}\r\n" for name, value in self.fields)
        return f"{self.line}\r\n{fields}\r\n".encode("latin-1") + self.body


Change = Callable[[Passing], Passing]


def unchanged(passing: Passing) -> Passing:
    """What a good proxy does."""
    return passing


class SimulatedProxy:
    """A proxy in front of one server. Use it as a context manager.

    Attributes:
        url: where it is; without a path.
        change: what it does to requests; may be set at any time.
    """

    def __init__(
        self, server: str, *, tls: ssl.SSLContext | None = None, change: Change = unchanged, port: int = 0
    ) -> None:
        """Take a port.

        Args:
            server: its URL.
            tls: what to connect with, where the server has TLS of its own.
            change: what it does to requests.
            port: of 127.0.0.1; a free one if not said.
        """
        parts = urlsplit(server)
        self._address = (
            parts.hostname or "127.0.0.1",
            parts.port or (443 if parts.scheme == "https" else 80),
        )
        self._tls = tls
        self.change = change
        outer = self

        class Handler(socketserver.BaseRequestHandler):
            def handle(self) -> None:
                outer._pass_on(self.request)

        self._listening = _Listening(("127.0.0.1", port), Handler)
        self.url = f"http://127.0.0.1:{self._listening.server_address[1]}"
        self._thread = threading.Thread(
            target=self._listening.serve_forever, kwargs={"poll_interval": 0.05}, name="proxy", daemon=True
        )

    def __enter__(self) -> Self:
        """Listen."""
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop."""
        self._listening.shutdown()
        self._listening.server_close()
        self._thread.join(_SECONDS)

    def _pass_on(self, caller: socket.socket) -> None:
        caller.settimeout(_SECONDS)
        try:
            passing = _read(caller)
            if passing is None:
                return
            with socket.create_connection(self._address, timeout=_SECONDS) as plain:
                server = (
                    plain
                    if self._tls is None
                    else self._tls.wrap_socket(plain, server_hostname=self._address[0])
                )
                server.sendall(bytes(self.change(passing)))
                while chunk := server.recv(65536):
                    caller.sendall(chunk)
        except OSError:
            return  # somebody left: the other one sees it as a closed connection


class _Listening(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True
    block_on_close = False


def _read(caller: socket.socket) -> Passing | None:
    """One request, with a body of a declared length; None where the caller left."""
    received = b""
    while b"\r\n\r\n" not in received:
        chunk = caller.recv(65536)
        if not chunk or len(received) > _MOST:
            return None
        received += chunk
    head, _, body = received.partition(b"\r\n\r\n")
    line, *rest = head.decode("latin-1").split("\r\n")
    fields = tuple((name, value.strip()) for name, _, value in (each.partition(":") for each in rest))
    passing = Passing(line=line, fields=fields, body=b"")
    length = int((passing.values("content-length") or ("0",))[0])
    while len(body) < min(length, _MOST):
        chunk = caller.recv(65536)
        if not chunk:
            return None
        body += chunk
    return replace(passing.instead("Connection", "close"), body=body)
