"""What does a tool know about the call it runs in?"""

from typing import TYPE_CHECKING, Protocol, TypeVar, runtime_checkable

from launchworthy.vocabulary import CallId, Environment, Principal

if TYPE_CHECKING:  # a tool's module loads no HTTP client
    from launchworthy.credentials.loans import CredentialLoan, UpstreamLoan

App_co = TypeVar("App_co", covariant=True)


class CallLog(Protocol):
    """The operations log, bound to this call; never the audit."""

    def debug(self, event: str, /, **fields: object) -> object:
        """Say what helps while developing."""

    def info(self, event: str, /, **fields: object) -> object:
        """Say what happened."""

    def warning(self, event: str, /, **fields: object) -> object:
        """Say what is odd."""

    def error(self, event: str, /, **fields: object) -> object:
        """Say what failed."""


@runtime_checkable
class Call(Protocol[App_co]):
    """The parameter of this type is filled in for each call, and is no part of the tool's schema.

    `Call[OrderStore]` says what `call.app` is; a server that opens something else does not start.
    """

    @property
    def id(self) -> CallId:
        """The call's name in every record and answer: `4T7K-9QX2-M0DV`."""

    @property
    def principal(self) -> Principal:
        """Who is calling, from a verified token."""

    @property
    def tenant(self) -> str | None:
        """Whose the caller is, from a verified token: what a store is keyed by; None where there is one."""

    @property
    def environment(self) -> Environment:
        """Where this runs."""

    @property
    def app(self) -> App_co:
        """What the server keeps open while it runs."""

    @property
    def log(self) -> CallLog:
        """The operations log, bound to this call."""

    def upstream(self, name: str) -> "UpstreamLoan":
        """An HTTP client for the `url` of `[credentials.<name>]`, signed with a credential of this call.

        `async with call.upstream("payments") as payments:`, in a plain function `with`. It reaches no other
        host, and its credential is taken back when the block ends, however it ends.

        Raises:
            CredentialUnavailable: on entering: the credential is not to be had now; nothing was sent.
            CredentialNotAllowed: on entering: the manifest does not name it.
        """

    def credential(self, name: str) -> "CredentialLoan":
        """A credential of this call for what is not HTTP.

        `async with call.credential("orders-db") as lease:`, in a plain function `with`.

        Raises:
            CredentialUnavailable: on entering: it is not to be had now.
            CredentialNotAllowed: on entering: the manifest does not name it.
        """

    async def progress(self, done: float, of: float | None = None) -> None:
        """Tell a client that asked for it how far the call is; otherwise does nothing.

        Args:
            done: how much is done; grows from call to call.
            of: how much there is in all, where that is known.
        """

    def changed(self, uri: str) -> None:
        """Tell clients that listen (`subscriptions/listen`) that a resource of this server has changed.

        They learn its URI and nothing else, and only if they may read it.

        Args:
            uri: of a declared resource, variables filled in: `orders://order/17`.

        Raises:
            ValueError: no resource of this server has that URI.
        """
