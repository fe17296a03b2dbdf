"""How is one host talked to, and no other? The transport under every request for or with a credential.

1. scheme, host and port are the configured ones; anything else is refused before a name is resolved
2. the address that was judged is the one connected to; TLS and `Host` still name the host
3. no proxies, no redirects, no compression; an answer is read whole, up to a bound
4. what signs a request does so here, below the client: no request or response that a tool sees has it
5. connecting is ours; what a tool makes its body of, while it is sent, is the call's, and judged as that
"""

from collections.abc import AsyncIterator, Sequence
from ipaddress import ip_address

import httpx2

from launchworthy.egress import CallEgress, carried, current, ours
from launchworthy.tokens.address import check_addresses
from launchworthy.tokens.endpoint import Endpoint, EndpointError, read_endpoint
from launchworthy.tokens.fetch import FetchError, Network

_OURS = frozenset({"host", "authorization", "proxy-authorization", "accept-encoding", "connection"})
"""Headers that nobody above sets."""


class OtherHostError(httpx2.UnsupportedProtocol):
    """A request for another host than the one that was configured; nothing was sent."""


class AnswerTooLongError(httpx2.ReadError):
    """The answer is longer than what is read, or compressed."""


class OneHost:
    """The way to one host.

    Attributes:
        endpoint: of the configured URL; its path is where requests begin.
    """

    def __init__(
        self, url: str, network: Network, *, simulated: bool, max_bytes: int, keep_alive: bool
    ) -> None:
        """Judge the URL; nothing is opened yet.

        Args:
            url: from the settings.
            network: the way there.
            simulated: whether this world ends at this machine.
            max_bytes: the longest answer.
            keep_alive: whether connections are kept.

        Raises:
            EndpointError: we do not connect there.
        """
        self.endpoint: Endpoint = read_endpoint(url, allow_loopback_http=simulated, query=True)
        self._network = network
        self._simulated = simulated
        self.max_bytes = max_bytes
        self._transport = httpx2.AsyncHTTPTransport(
            verify=network.tls,
            trust_env=False,
            limits=httpx2.Limits(max_connections=64, max_keepalive_connections=16 if keep_alive else 0),
        )

    def reaches(self, url: httpx2.URL) -> bool:
        """Whether a URL is on this host."""
        port = url.port if url.port is not None else {"https": 443, "http": 80}.get(url.scheme)
        ours = self.endpoint
        return (url.scheme, url.host, port) == (ours.scheme, ours.host, ours.port) and not url.userinfo

    async def send(self, request: httpx2.Request, authorization: str | None) -> httpx2.Response:
        """Send one request and read its answer whole.

        Args:
            request: whatever was built above.
            authorization: the header that signs it.

        Raises:
            httpx2.TransportError: it is for another host, or the host cannot be had.
        """
        if not self.reaches(request.url):
            raise OtherHostError("this credential opens one host, and the request is for another")
        headers = [(k, v) for k, v in request.headers.raw if k.lower().decode("latin-1") not in _OURS]
        headers += [(b"Host", self.endpoint.authority.encode()), (b"Accept-Encoding", b"identity")]
        if authorization is not None:
            headers.append((b"Authorization", authorization.encode()))
        body = _MadeByCall(request.stream, current())
        with ours():
            return await self._first_answer(request, headers, body, await self._addresses())

    async def aclose(self) -> None:
        """Close every connection."""
        await self._transport.aclose()

    async def _addresses(self) -> Sequence[str]:
        try:
            found = await self._network.resolve(self.endpoint.host, self.endpoint.port)
            check_addresses(found, loopback=self._simulated, private=True)
        except (FetchError, EndpointError) as error:
            raise httpx2.ConnectError(str(error)) from None
        return found

    async def _first_answer(
        self,
        request: httpx2.Request,
        headers: list[tuple[bytes, bytes]],
        body: httpx2.AsyncByteStream,
        addresses: Sequence[str],
    ) -> httpx2.Response:
        """Try the judged addresses in turn; only a failed connection moves on to the next."""
        failed: httpx2.ConnectError | None = None
        for address in addresses:
            literal = f"[{address}]" if ip_address(address).version == 6 else address  # noqa: PLR2004 - IPv6
            pinned = httpx2.Request(
                request.method,
                request.url.copy_with(host=literal, port=self.endpoint.port),
                headers=headers,
                stream=body,
                extensions={**request.extensions, "sni_hostname": self.endpoint.host},
            )
            try:
                return await self._read(pinned)
            except httpx2.ConnectError as error:
                failed = error
        raise httpx2.ConnectError(f"no connection ({type(failed).__name__})")

    async def _read(self, pinned: httpx2.Request) -> httpx2.Response:
        response = await self._transport.handle_async_request(pinned)
        try:
            if response.headers.get("content-encoding", "identity") != "identity":
                raise AnswerTooLongError("the answer is compressed, which was not asked for")
            body = bytearray()
            async for chunk in response.aiter_raw():
                body += chunk
                if len(body) > self.max_bytes:
                    raise AnswerTooLongError(f"the answer is longer than {self.max_bytes} bytes")
        finally:
            await response.aclose()
        kept = [(k, v) for k, v in response.headers.raw if k.lower() != b"transfer-encoding"]
        return httpx2.Response(response.status_code, headers=kept, content=bytes(body))


class _MadeByCall(httpx2.AsyncByteStream):
    """A body that may be made while it is sent, by an iterator or a file that somebody gave."""

    def __init__(self, stream: object, call: CallEgress | None) -> None:
        """Have it made for this call; None outside of calls.

        Raises:
            TypeError: it was made for a client that waits.
        """
        if not isinstance(stream, httpx2.AsyncByteStream):
            raise TypeError("the body is no stream of an asynchronous client")
        self._stream = stream
        self._call = call

    async def __aiter__(self) -> AsyncIterator[bytes]:
        """Piece by piece; between two pieces everything is ours again."""
        pieces = aiter(self._stream)
        while True:
            with carried(self._call):
                piece = await anext(pieces, None)
            if piece is None:
                return
            yield piece

    async def aclose(self) -> None:
        """Close what it was made of."""
        with carried(self._call):
            await self._stream.aclose()


class HostTransport(httpx2.AsyncBaseTransport):
    """`OneHost` as a client's transport, unsigned: for what carries its own proof in the body."""

    def __init__(self, host: OneHost) -> None:
        """Send there."""
        self._host = host

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """Send one request."""
        return await self._host.send(request, None)
