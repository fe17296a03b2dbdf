"""How do we read one JSON document from an issuer without being led anywhere else?

No redirects, no proxies of the environment, no cookies, no compression, 64 KiB, status 200, JSON; and the
address that was judged is the one connected to, while TLS and `Host` still name the host.
"""

import asyncio
import socket
import ssl
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Final

import httpx2

from launchworthy.tokens.address import Reach, check_addresses, reach_of
from launchworthy.tokens.endpoint import Endpoint
from launchworthy.tokens.shown import shown
from launchworthy.tokens.strict_json import StrictJSONError, parse_object

MAX_BYTES: Final = 64 * 1024
MAX_DEPTH: Final = 16
SECONDS: Final = 5.0
JSON_TYPES: Final = frozenset(("application/json", "application/jwk-set+json"))

_HEADERS: Final = {"Accept": "application/json", "Accept-Encoding": "identity"}
_FORM_HEADERS: Final = {**_HEADERS, "Content-Type": "application/x-www-form-urlencoded"}

Resolve = Callable[[str, int], Awaitable[Sequence[str]]]
"""From a host name and a port to IP addresses, in the order in which they are to be tried."""


class FetchError(Exception):
    """The document could not be read now; another attempt may go better."""


class AnswerError(FetchError):
    """There was an answer, and it is no such document."""


async def resolve(host: str, port: int) -> Sequence[str]:
    """Ask the system's resolver.

    Raises:
        FetchError: the name is not known.
    """
    try:
        found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except OSError as error:
        raise FetchError(f"the host {shown(host)} cannot be resolved ({type(error).__name__})") from None
    return tuple(dict.fromkeys(str(sockaddr[0]) for *_, sockaddr in found))


@dataclass(frozen=True, slots=True, kw_only=True)
class Network:
    """How names become addresses, who vouches for hosts, and how long we wait.

    Attributes:
        resolve: the resolver.
        tls: verifies the hosts' certificates.
        seconds: for all requests of one refresh together.
    """

    resolve: Resolve
    tls: ssl.SSLContext
    seconds: float


def system_network() -> Network:
    """The resolver and the trust anchors of this machine, and five seconds."""
    return Network(resolve=resolve, tls=ssl.create_default_context(), seconds=SECONDS)


class Fetcher:
    """Reads JSON documents for one issuer."""

    def __init__(self, issuer: Endpoint, network: Network, *, loopback: bool) -> None:
        """Remember whose documents these are.

        Args:
            issuer: the issuer's own endpoint; private addresses are open only where it has one itself.
            network: the way there.
            loopback: whether this is the simulated world, which ends at this machine.
        """
        self._issuer = issuer
        self._resolve = network.resolve
        self._tls = network.tls
        self._loopback = loopback
        self.seconds = network.seconds

    async def get(self, endpoint: Endpoint) -> dict[str, object]:
        """Read one JSON object; raises as `post` does."""
        return await self._ask(endpoint, None)

    async def post(self, endpoint: Endpoint, form: bytes) -> dict[str, object]:
        """Send a form and read the JSON object that is the answer.

        Raises:
            FetchError: it could not be had, whatever the cause but the address.
                The caller bounds the time.
            EndpointError: the name leads where we do not connect.
        """
        return await self._ask(endpoint, form)

    async def _ask(self, endpoint: Endpoint, form: bytes | None) -> dict[str, object]:
        addresses = await self._resolve(endpoint.host, endpoint.port)
        private = endpoint.host == self._issuer.host or await self._issuer_is_private()
        check_addresses(addresses, loopback=self._loopback, private=private)
        body = await self._first_answer(endpoint, addresses, form)
        try:
            return parse_object(body, max_depth=MAX_DEPTH, max_bytes=MAX_BYTES)
        except StrictJSONError as error:
            raise AnswerError(f"{_at(endpoint)} is {error}") from None

    async def _issuer_is_private(self) -> bool:
        try:
            own = await self._resolve(self._issuer.host, self._issuer.port)
        except FetchError:
            return False
        return bool(own) and all(reach_of(address) is Reach.PRIVATE for address in own)

    async def _first_answer(self, endpoint: Endpoint, addresses: Sequence[str], form: bytes | None) -> bytes:
        """Try the judged addresses in turn; only a failed connection moves on to the next."""
        for address in addresses:
            try:
                return await self._read(endpoint, address, form)
            except httpx2.ConnectError as error:
                refused = error
            except (httpx2.HTTPError, httpx2.InvalidURL, httpx2.StreamError) as error:
                raise FetchError(f"{_at(endpoint)} broke off ({type(error).__name__})") from None
        raise FetchError(f"no connection to {_at(endpoint)} ({shown(str(refused))})") from None

    async def _read(self, endpoint: Endpoint, address: str, form: bytes | None) -> bytes:
        literal = f"[{address}]" if ip_address(address).version == 6 else address  # noqa: PLR2004 - IPv6
        async with (
            httpx2.AsyncClient(
                trust_env=False, follow_redirects=False, verify=self._tls, timeout=self.seconds
            ) as client,
            client.stream(
                "GET" if form is None else "POST",
                f"{endpoint.scheme}://{literal}:{endpoint.port}{endpoint.target}",
                headers={"Host": endpoint.authority, **(_HEADERS if form is None else _FORM_HEADERS)},
                content=form,
                extensions={"sni_hostname": endpoint.host},
            ) as response,
        ):
            _check_head(response, endpoint)
            body = bytearray()
            async for chunk in response.aiter_raw():
                body += chunk
                if len(body) > MAX_BYTES:
                    raise AnswerError(f"{_at(endpoint)} is longer than {MAX_BYTES} bytes")
            return bytes(body)


def _check_head(response: httpx2.Response, endpoint: Endpoint) -> None:
    if response.status_code != httpx2.codes.OK:
        raise AnswerError(f"{_at(endpoint)} answered {response.status_code}")
    if response.headers.get("content-encoding", "identity") != "identity":
        raise AnswerError(f"{_at(endpoint)} is compressed")
    media_type = response.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type not in JSON_TYPES:
        raise AnswerError(f"{_at(endpoint)} is {shown(media_type)}, not JSON")


def _at(endpoint: Endpoint) -> str:
    return shown(f"{endpoint.scheme}://{endpoint.authority}{endpoint.target}")
