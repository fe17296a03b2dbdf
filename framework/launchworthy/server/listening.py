"""Where does it listen? Sockets bound before anything is promised, and uvicorn's servers on them."""

import asyncio
import contextlib
import errno
import socket
import ssl
from collections.abc import Callable, Iterator
from typing import cast

import uvicorn

from launchworthy.enforcement.protocol import RULE_33, ConnectionLimits, bounded_protocol
from launchworthy.vocabulary import EX_TEMPFAIL, Problem, Reason, StartupRefused

STAGE = "listen"
SHUTDOWN_SECONDS = 5.0
"""For a peer to say that it has read the end of TLS."""


class _Server(uvicorn.Server):
    """uvicorn without its signal handling (ending is this package's business), and a word once it accepts."""

    def __init__(self, config: uvicorn.Config, tls: ssl.SSLContext | None, handshake_seconds: float) -> None:
        super().__init__(config)
        self._tls = tls
        self._handshake_seconds = handshake_seconds
        self.accepting = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start accepting, and say so; with TLS within our own time for a handshake (uvicorn leaves 60 s)."""
        if self._tls is None:
            await super().startup(sockets)
        else:
            await self.lifespan.startup()
            loop = asyncio.get_running_loop()
            self.servers = [
                await loop.create_server(
                    self._connection,
                    sock=each,
                    ssl=self._tls,
                    ssl_handshake_timeout=self._handshake_seconds,
                    ssl_shutdown_timeout=SHUTDOWN_SECONDS,
                    backlog=self.config.backlog,
                )
                for each in sockets or ()
            ]
            self.started = True
        self.accepting.set()

    def _connection(self) -> asyncio.Protocol:
        """What uvicorn makes for each connection."""
        make = cast("Callable[..., asyncio.Protocol]", self.config.http_protocol_class)
        return make(config=self.config, server_state=self.server_state, app_state=self.lifespan.state)

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave the process's handlers alone."""
        yield


class Listener:
    """One address and the application behind it."""

    def __init__(  # noqa: PLR0913 - the composition root names each part
        self,
        app: object,
        address: tuple[str, int],
        *,
        name: str,
        grace_seconds: float,
        report: Callable[[Reason], None],
        tls: ssl.SSLContext | None,
        limits: ConnectionLimits = RULE_33,
    ) -> None:
        """Bind the address now; `serve` accepts.

        Args:
            app: an ASGI application.
            address: host and port.
            name: the field that says so.
            grace_seconds: for what runs when the end comes.
            report: told of what is refused before there is a request that the application could record.
            tls: what each connection begins with; None is plain HTTP.
            limits: what a connection may take; a handshake as long as a header section.

        Raises:
            StartupRefused: the address cannot be bound.
        """
        self.name = name
        self._socket = bind(address, name)
        config = uvicorn.Config(
            app,  # type: ignore[arg-type]  # an ASGI application; uvicorn's alias is a private one
            http=bounded_protocol(limits, report),
            ws="none",
            lifespan="off",
            interface="asgi3",
            workers=1,
            log_config=None,
            access_log=False,
            proxy_headers=False,
            server_header=False,
            timeout_graceful_shutdown=max(1, round(grace_seconds)),
        )
        self._server = _Server(config, tls, limits.head_seconds)

    @property
    def address(self) -> str:
        """`127.0.0.1:8443`, as bound."""
        host, port = self._socket.getsockname()[:2]
        return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"

    async def serve(self) -> None:
        """Accept until `end` is called, then wait for what runs, no longer than the grace period."""
        await self._server.serve(sockets=[self._socket])
        running = set(self._server.server_state.tasks)
        if running:
            await asyncio.wait(running, timeout=1)

    def end(self) -> None:
        """Stop accepting."""
        self._server.should_exit = True

    async def accepting(self) -> None:
        """Wait until connections are accepted."""
        await self._server.accepting.wait()


def bind(address: tuple[str, int], name: str) -> socket.socket:
    """Bind and return a listening socket.

    Raises:
        StartupRefused: with the field to look at.
    """
    host, port = address
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError as error:
        listener.close()
        taken = error.errno == errno.EADDRINUSE
        raise StartupRefused(
            STAGE,
            Problem(
                reason="address-in-use" if taken else "cannot-listen",
                what=f"cannot listen on `{host}:{port}` ({errno.errorcode.get(error.errno or 0, 'OSError')})",
                fix=("stop what listens there, or set another address: " + name,),
                field=name,
            ),
            exit_code=EX_TEMPFAIL,
        ) from None
    listener.setblocking(False)
    return listener
