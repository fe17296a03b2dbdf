"""How is a Workload API asked? The edge to the `spiffe` library: its objects in, ours out.

Only the library's client and value types are used: its `X509Source` serves expired and revoked SVIDs, closes
for ever after one bad update, and forgets why a start failed. Import this module inside a function (`quiet`).
"""

import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

from launchworthy.identity.cause import Cause, Failure, SourceError
from launchworthy.identity.quiet import PySpiffeError, SpiffeId, WorkloadApiClient, X509Context, grpc
from launchworthy.identity.svid import PresentedSvid, Update

_CAUSES = {
    grpc.StatusCode.PERMISSION_DENIED: Cause.NO_ENTRY,
    grpc.StatusCode.INVALID_ARGUMENT: Cause.REJECTED,
    grpc.StatusCode.UNIMPLEMENTED: Cause.REJECTED,
    grpc.StatusCode.DEADLINE_EXCEEDED: Cause.NO_ANSWER,
}
_SAID = {
    Cause.NO_ENTRY: "the agent has no entry for this process",
    Cause.REJECTED: "what listens refuses the request of a workload",
    Cause.NO_ANSWER: "the agent does not answer",
    Cause.UNAVAILABLE: "the agent cannot serve",
}
_NO_GRPC = "Failed parsing HTTP/2"
"""gRPC's own words for a socket of something else; its code is that of an agent that is away for a moment."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PresentedAssertion:
    """One JWT-SVID as it came; its signature is the audience's to verify.

    Attributes:
        token: never shown.
        subject: `sub`.
        audiences: `aud`.
        expires_at: `exp`, whatever type it has.
    """

    token: str = field(repr=False)
    subject: str
    audiences: frozenset[str]
    expires_at: object


class Watch:
    """One stream of X.509 updates, told from a thread of the library's; the failure that ends it comes last.

    A new one for each round: a new channel knows nothing of gRPC's own back-off, which sleeps for up to two
    minutes after an outage.
    """

    def __init__(self, endpoint: str, tell: Callable[[Update | Failure], None]) -> None:
        """Open a stream; returns at once.

        Raises:
            SourceError: there is no socket.
        """
        self._tell = tell
        self._client = _client(endpoint, None)
        self._handle = self._client.stream_x509_contexts(self._came, self._ended, retry_connect=False)

    def __enter__(self) -> Self:
        """The stream is open already."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End the stream; nothing is told of that."""
        self._handle.cancel()
        self._client.close()

    def _came(self, context: X509Context) -> None:
        self._tell(_update(context))

    def _ended(self, error: Exception) -> None:
        self._tell(_failure(sys.exception() or error))  # inside the library's `except`: the gRPC error itself


def fetch_update(endpoint: str, timeout_seconds: float) -> Update:
    """Ask once for the complete state. Blocks.

    Raises:
        SourceError: there is no answer, or none that can be read.
    """
    with _client(endpoint, timeout_seconds) as client:
        try:
            return _update(client.fetch_x509_context())
        except PySpiffeError as error:
            raise _error(error) from None


def fetch_assertion(endpoint: str, audience: str, subject: str, timeout_seconds: float) -> PresentedAssertion:
    """Ask once for a JWT-SVID. Blocks.

    Raises:
        SourceError: there is no answer, or none that can be read.
    """
    with _client(endpoint, timeout_seconds) as client:
        try:
            svid = client.fetch_jwt_svid({audience}, SpiffeId(subject))
        except PySpiffeError as error:
            raise _error(error) from None
    return PresentedAssertion(
        token=svid.token,
        subject=str(svid.spiffe_id),
        audiences=frozenset(svid.audience),
        expires_at=svid.expiry,
    )


def _client(endpoint: str, timeout_seconds: float | None) -> WorkloadApiClient:
    try:
        return WorkloadApiClient(endpoint, timeout_seconds)
    except PySpiffeError:  # it looks whether the path exists, after we did
        raise SourceError(Cause.NOTHING_LISTENS, f"nothing listens on `{endpoint}`") from None


def _update(context: X509Context) -> Update:
    return Update(
        svids=tuple(
            PresentedSvid(
                unverified_id=str(svid.spiffe_id), chain=tuple(svid.cert_chain), private_key=svid.private_key
            )
            for svid in context.x509_svids
        ),
        bundles={
            bundle.trust_domain.name: tuple(bundle.x509_authorities)
            for bundle in context.x509_bundle_set.bundles
        },
    )


def _error(error: Exception) -> SourceError:
    failure = _failure(error.__cause__ or error)
    return SourceError(failure.cause, failure.detail, code=failure.code)


def _failure(error: BaseException) -> Failure:
    """Tell what the agent answered from what could not be read."""
    if not isinstance(error, grpc.RpcError):
        return SourceError(*_unreadable(error)).failure
    code: grpc.StatusCode = error.code()
    cause = _CAUSES.get(code, Cause.UNAVAILABLE)
    details = str(error.details() or "").strip()
    if _NO_GRPC in details:
        return SourceError(Cause.REJECTED, "what listens does not speak gRPC", code=code.name).failure
    said = f"{code.name}: {details}" if details != "" else code.name
    return SourceError(cause, f"{_SAID[cause]} ({said})", code=code.name).failure


_ENDED = ("Workload API stream ended unexpectedly", "X.509 SVID response is invalid")
"""What the library says of a stream, and of a single request, that ended without an answer."""


def _unreadable(error: BaseException) -> tuple[Cause, str]:
    text = str(error)
    if text.endswith(_ENDED):
        return Cause.STREAM_ENDED, "the agent ended the stream"
    if "X.509 bundle" in text:
        return Cause.NO_BUNDLE, f"no authority that can be read came with the SVID ({text})"
    return Cause.UNREADABLE, f"the agent's answer cannot be read ({text})"
