"""How does a function borrow for the length of a `with`? In a coroutine and in a plain function alike.

A coroutine says `async with`, and its credential is taken back when that block ends. A plain function runs in
a thread and says `with`: what it asks is done on the server's event loop, and it waits for it.
"""

import asyncio
from collections.abc import Coroutine, Mapping
from types import MappingProxyType, TracebackType
from typing import Any, TypeVar

import httpx2

from launchworthy.credentials.call_credentials import CallCredentials
from launchworthy.credentials.errors import CredentialEnded
from launchworthy.credentials.lease import Lease
from launchworthy.credentials.upstream import UpstreamClient, open_upstream
from launchworthy.vocabulary import Secret

T = TypeVar("T")


class BorrowedCredential:
    """A credential that is not for HTTP, for as long as its `with` lasts."""

    __slots__ = ("_book", "_lease")

    def __init__(self, book: CallCredentials, lease: Lease) -> None:
        """Show this lease while the book says that it may be used."""
        self._book = book
        self._lease = lease

    @property
    def id(self) -> str:
        """Its name in the audit."""
        return self._lease.id

    @property
    def not_after(self) -> int:
        """When it ends at the latest, in seconds since the epoch."""
        return self._lease.not_after

    @property
    def secret(self) -> Secret:
        """The credential itself; `reveal()` it where it is sent, and keep it nowhere.

        Raises:
            CredentialEnded: the call or the `with` has ended.
        """
        return self._open().secret

    @property
    def parts(self) -> Mapping[str, Secret]:
        """Its parts by name, where it has several: `username`, `password`.

        Raises:
            CredentialEnded: the call or the `with` has ended.
        """
        return MappingProxyType(dict(self._open().parts))

    def _open(self) -> Lease:
        if not self._book.is_open(self._lease):
            raise CredentialEnded(self._lease.credential)
        return self._lease


class PlainUpstreamClient:
    """`UpstreamClient` for a plain function: the same methods, and it waits for each."""

    __slots__ = ("_client", "_loop")

    def __init__(self, client: UpstreamClient, loop: asyncio.AbstractEventLoop) -> None:
        """Ask on this loop."""
        self._client = client
        self._loop = loop

    def request(self, method: str, url: str, **options: Any) -> httpx2.Response:
        """Send one request; arguments and errors as in `UpstreamClient.request`."""
        return _waited(self._client.request(method, url, **options), self._loop)

    def get(self, url: str, **options: Any) -> httpx2.Response:
        """GET, as `request`."""
        return self.request("GET", url, **options)

    def post(self, url: str, **options: Any) -> httpx2.Response:
        """POST, as `request`."""
        return self.request("POST", url, **options)

    def put(self, url: str, **options: Any) -> httpx2.Response:
        """PUT, as `request`."""
        return self.request("PUT", url, **options)

    def patch(self, url: str, **options: Any) -> httpx2.Response:
        """PATCH, as `request`."""
        return self.request("PATCH", url, **options)

    def delete(self, url: str, **options: Any) -> httpx2.Response:
        """DELETE, as `request`."""
        return self.request("DELETE", url, **options)


class _Loan:
    """One `with`: borrows at its begin, gives back at its end."""

    def __init__(self, book: CallCredentials, name: str, loop: asyncio.AbstractEventLoop) -> None:
        self._book = book
        self._name = name
        self._loop = loop
        self._lease: Lease | None = None

    async def _borrow(self) -> Lease:
        if self._lease is not None:
            raise CredentialEnded(self._name)  # each `with` asks anew
        self._lease = await self._book.borrow(self._name)
        return self._lease

    async def _give_back(self) -> None:
        if self._lease is not None:
            await self._book.give_back(self._lease)

    def _waited(self, work: Coroutine[Any, Any, T]) -> T:
        return _waited(work, self._loop)


class CredentialLoan(_Loan):
    """What `call.credential(name)` returns."""

    async def __aenter__(self) -> BorrowedCredential:
        """Borrow it."""
        return BorrowedCredential(self._book, await self._borrow())

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Give it back."""
        await self._give_back()

    def __enter__(self) -> BorrowedCredential:
        """Borrow it, in a plain function."""
        return BorrowedCredential(self._book, self._waited(self._borrow()))

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Give it back."""
        self._waited(self._give_back())


class UpstreamLoan(_Loan):
    """What `call.upstream(name)` returns."""

    async def __aenter__(self) -> UpstreamClient:
        """Borrow a credential, and open a client that signs with it."""
        return await self._open()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Give it back; the client sends nothing any more."""
        await self._give_back()

    def __enter__(self) -> PlainUpstreamClient:
        """The same, in a plain function."""
        return PlainUpstreamClient(self._waited(self._open()), self._loop)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Give it back."""
        self._waited(self._give_back())

    async def _open(self) -> UpstreamClient:
        return open_upstream(self._book, self._name, await self._borrow())


def _waited(work: Coroutine[Any, Any, T], loop: asyncio.AbstractEventLoop) -> T:
    """Have the server's event loop do it, and wait in this thread.

    Raises:
        TypeError: this is the event loop's own thread, where waiting would be for ever.
    """
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return asyncio.run_coroutine_threadsafe(work, loop).result()
    work.close()
    raise TypeError("in a coroutine, write `async with` and `await`")
