"""How does an application of the simulated world listen? In a thread, on 127.0.0.1, ended when told to."""

import asyncio
import socket
import ssl
import threading
from abc import ABC, abstractmethod
from collections.abc import Callable
from types import TracebackType
from typing import Any, Self

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

_START_SECONDS = 10.0
_STOP_SECONDS = 5.0


class Listening:
    """One run of an application: a thread, its event loop and its listener."""

    def __init__(
        self,
        build: Callable[[asyncio.Event], Any],
        port: int,
        *,
        name: str,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        """Listen; returns when the first request can be answered.

        Args:
            build: makes the ASGI application; the event is set when it ends, and whatever hangs lets go.
            port: of 127.0.0.1.
            name: of the thread.
            tls: where it ends here; the certificate that a client shows is `scope["state"]["certificate"]`.

        Raises:
            RuntimeError: it did not start.
        """
        self._build = build
        self._tls = tls
        self._name = name
        self._ready = threading.Event()
        self._end: Callable[[], object] = lambda: None
        listener = socket.create_server(("127.0.0.1", port))
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # else answers wait for ACKs, 40 ms
        self._thread = threading.Thread(
            target=lambda: asyncio.run(self._serve(listener)), name=name, daemon=True
        )
        self._thread.start()
        if not self._ready.wait(_START_SECONDS):
            raise RuntimeError(f"the {name} did not start on port {port}")

    def stop(self) -> None:
        """Let go of everything that hangs, and wait until the port is closed.

        Raises:
            RuntimeError: it did not stop.
        """
        self._end()
        self._thread.join(_STOP_SECONDS)
        if self._thread.is_alive():
            raise RuntimeError(f"the {self._name} did not stop")

    async def _serve(self, listener: socket.socket) -> None:
        loop, ended = asyncio.get_running_loop(), asyncio.Event()
        self._end = lambda: loop.call_soon_threadsafe(ended.set)
        config = uvicorn.Config(
            self._build(ended),
            loop="asyncio",
            http=_Protocol,
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            timeout_graceful_shutdown=1,
            ssl_context_factory=None if (tls := self._tls) is None else lambda *_: tls,
        )
        await _Server(config, self._ready, ended).serve(sockets=[listener])


class Listens(ABC):
    """A service that listens while it is entered, and may be entered again."""

    _listening: Listening | None = None

    @abstractmethod
    def _listen(self) -> Listening:
        """Begin one run."""

    def __enter__(self) -> Self:
        """Start it."""
        self._listening = self._listen()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop it; what it has seen stays."""
        if self._listening is not None:
            self._listening.stop()
            self._listening = None


class _Protocol(H11Protocol):
    """uvicorn's, which leaves the peer's certificate where an application finds it."""

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        connection = transport.get_extra_info("ssl_object")
        shown = None if connection is None else connection.getpeercert(binary_form=True)
        self.app_state = {**self.app_state, "certificate": shown}


class _Server(uvicorn.Server):
    """uvicorn in a thread: it says when it listens, and ends when it is told to instead of asking itself."""

    def __init__(self, config: uvicorn.Config, ready: threading.Event, ended: asyncio.Event) -> None:
        super().__init__(config)
        self._ready = ready
        self._ended = ended

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._ready.set()

    async def main_loop(self) -> None:
        await self._ended.wait()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Close at once, without the grace that callers of a real server are owed."""
        for listener in (*self.servers, *(sockets or ())):
            listener.close()
        tasks = tuple(self.server_state.tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for connection in tuple(self.server_state.connections):
            connection.transport.abort()
        await asyncio.sleep(0)
