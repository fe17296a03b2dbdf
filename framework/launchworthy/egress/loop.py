"""How does uvloop come to ask before it connects? It looks up and connects in C, which no audit hook sees."""

import socket
from collections.abc import Callable
from typing import Any

import uvloop

from launchworthy.egress.calls import CallEgress, current, read_address
from launchworthy.egress.guard import NAMES


class GuardedLoop(uvloop.Loop):
    """uvloop's loop, in which a call connects to what its manifest names."""

    async def getaddrinfo(self, host: Any, port: Any, **named: Any) -> Any:
        """Look a name up."""
        call = current()
        if call is not None:
            call.check_name(host)
        found = await super().getaddrinfo(host, port, **named)
        NAMES.learn(host, [at[0] for *_, at in found])
        return found

    async def getnameinfo(self, sockaddr: Any, flags: int = 0) -> Any:
        """Ask what an address is called."""
        call = current()
        if call is not None:
            call.check_address(sockaddr)
        return await super().getnameinfo(sockaddr, flags)

    async def create_connection(
        self,
        protocol_factory: Callable[[], Any],
        host: Any = None,
        port: Any = None,
        *,
        local_addr: Any = None,
        **named: Any,
    ) -> Any:
        """Connect to a host; a socket that is passed has been connected, and judged, before."""
        call = current()
        _check_own(call, local_addr)
        if call is not None and host is not None:
            await self._judge(call, host, port)
        return await super().create_connection(protocol_factory, host, port, local_addr=local_addr, **named)

    async def create_server(
        self, protocol_factory: Callable[[], Any], host: Any = None, port: Any = None, **named: Any
    ) -> Any:
        """Listen; the name of a place of our own is looked up like any other."""
        for each in host if isinstance(host, tuple | list) else (host,):
            _check_own(current(), (each,))
        return await super().create_server(protocol_factory, host, port, **named)

    async def create_unix_connection(
        self, protocol_factory: Callable[[], Any], path: Any = None, **named: Any
    ) -> Any:
        """Connect to a socket of this machine."""
        call = current()
        if call is not None and path is not None:
            call.check_address(path)
        return await super().create_unix_connection(protocol_factory, path, **named)

    async def create_datagram_endpoint(
        self,
        protocol_factory: Callable[[], Any],
        local_addr: Any = None,
        remote_addr: Any = None,
        **named: Any,
    ) -> Any:
        """Send datagrams, to one destination."""
        call = current()
        if call is not None:
            if remote_addr is None:
                call.deny("an endpoint that can send to anybody")
            _check_own(call, local_addr)
            await self._judge(call, *remote_addr[:2])
        return await super().create_datagram_endpoint(protocol_factory, local_addr, remote_addr, **named)

    async def _judge(self, call: CallEgress, host: Any, port: Any) -> None:
        """Judge an address; of a name, every address that it leads to."""
        if read_address(host) is not None:
            call.check(host, port)
            return
        for *_, at in await self.getaddrinfo(host, port, type=socket.SOCK_STREAM):
            call.check(at[0], port)


def _check_own(call: CallEgress | None, address: Any) -> None:
    """Judge the look-up of an address to bind to: uvloop makes it in C, and a question carries data away."""
    if call is not None and isinstance(address, tuple | list) and address:
        call.check_name(address[0])
