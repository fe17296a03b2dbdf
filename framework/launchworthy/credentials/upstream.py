"""How does a tool talk to its upstream? An HTTP client for one host, signed below what the tool sees.

The base URL is the settings'; a URL of another host, or above the configured path, is refused;
`Authorization` is ours and nobody else's; redirects are not followed, proxies not used, answers bounded in
size and time.
"""

import asyncio
from typing import Any
from urllib.parse import unquote

import httpx2

from launchworthy.credentials.call_credentials import CallCredentials
from launchworthy.credentials.errors import CredentialEnded
from launchworthy.credentials.lease import Lease
from launchworthy.credentials.one_host import OneHost, OtherHostError

MAX_ANSWER_BYTES = 16 * 1024 * 1024
SECONDS = 10.0
LONGEST_SECONDS = 120.0
_PASSED_ON = frozenset({"params", "headers", "json", "data", "content", "files", "cookies"})


class _Signing(httpx2.AsyncBaseTransport):
    """Adds the credential to each request, as long as it may be used."""

    def __init__(self, host: OneHost, lease: Lease, book: CallCredentials) -> None:
        self._host = host
        self._lease = lease
        self._book = book

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        if not self._book.is_open(self._lease):
            raise CredentialEnded(self._lease.credential)
        path = self._host.endpoint.target.rstrip("/")
        if path and not (request.url.path == path or request.url.path.startswith(f"{path}/")):
            raise OtherHostError("this credential opens one path, and the request leads out of it")
        if _climbs(request.url.path):
            raise OtherHostError("a path with `..` may lead out of what this credential opens")
        return await self._host.send(request, f"Bearer {self._lease.secret.reveal()}")


def _climbs(path: str) -> bool:
    """Whether some server would read `..` in a path: encoded again, with parameters, between backslashes."""
    for spelling in (path, unquote(path)):
        if any(part.partition(";")[0] == ".." for part in spelling.replace("\\", "/").split("/")):
            return True
    return False


class UpstreamClient:
    """An HTTP client for one upstream, for as long as its `async with` lasts."""

    def __init__(self, host: OneHost, lease: Lease, book: CallCredentials) -> None:
        """Sign with this lease while the book says that it may be used."""
        self._lease = lease
        self._book = book
        ours = host.endpoint
        self._client = httpx2.AsyncClient(
            base_url=f"{ours.scheme}://{ours.authority}{ours.target}",
            transport=_Signing(host, lease, book),
            trust_env=False,
            follow_redirects=False,
            timeout=LONGEST_SECONDS,
        )

    async def request(
        self, method: str, url: str, *, seconds: float = SECONDS, **options: Any
    ) -> httpx2.Response:
        """Send one request.

        Args:
            method: GET, POST, …
            url: a path below the upstream's URL, or a URL that begins with it.
            seconds: for the whole answer, at most two minutes.
            options: `params`, `headers`, `json`, `data`, `content`, `files`, `cookies`, as in httpx2.

        Raises:
            httpx2.TransportError: it is for another host, or there was no answer.
            CredentialEnded: the call or the `with` has ended, before it or meanwhile.
        """
        unknown = options.keys() - _PASSED_ON
        if unknown:
            raise TypeError(f"an upstream's request takes no `{min(unknown)}`")
        try:
            async with asyncio.timeout(min(seconds, LONGEST_SECONDS)) as deadline:
                with self._book.until_given_back(self._lease, deadline):
                    return await self._client.request(method, url, **options)
        except TimeoutError:
            if not self._book.is_open(self._lease):
                raise CredentialEnded(self._lease.credential) from None
            raise httpx2.ReadTimeout("the upstream did not answer in time") from None

    async def get(self, url: str, **options: Any) -> httpx2.Response:
        """GET, as `request`."""
        return await self.request("GET", url, **options)

    async def post(self, url: str, **options: Any) -> httpx2.Response:
        """POST, as `request`."""
        return await self.request("POST", url, **options)

    async def put(self, url: str, **options: Any) -> httpx2.Response:
        """PUT, as `request`."""
        return await self.request("PUT", url, **options)

    async def patch(self, url: str, **options: Any) -> httpx2.Response:
        """PATCH, as `request`."""
        return await self.request("PATCH", url, **options)

    async def delete(self, url: str, **options: Any) -> httpx2.Response:
        """DELETE, as `request`."""
        return await self.request("DELETE", url, **options)

    async def aclose(self) -> None:
        """Close it; the connections belong to the server."""
        await self._client.aclose()


def open_upstream(book: CallCredentials, name: str, lease: Lease) -> UpstreamClient:
    """A client for the upstream of this credential.

    Raises:
        LookupError: its table in the settings names no `url`.
    """
    host = book.tellers.hosts.get(name)
    if host is None:
        raise LookupError(f"[credentials.{name}] names no `url`; use call.credential({name!r})")
    return UpstreamClient(host, lease, book)
