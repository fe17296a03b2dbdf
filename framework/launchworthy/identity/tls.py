"""How does this workload speak TLS? One context for its whole life, with whatever SVID is in force.

`server_tls` and `client_tls` return a context that never changes itself: each connection gets an inner one,
made anew when the SVID or a bundle is another than before. So a rotation drops nothing, a withdrawn authority
is gone at once (a live context can only add authorities), and without an identity every handshake fails.

* TLS 1.3 only: SPIFFE peers all speak it, and 1.2 would show the peer's certificate to whoever listens.
* No session tickets: a resumed session shows no certificate, so an expired one would come in.
* A bounded number of handshakes at once, each within the time that the listener gives it.
"""

import ssl
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from launchworthy.identity.changing_context import ChangingContext
from launchworthy.identity.handshake import (
    RefusedObject,
    SvidContext,
    SvidObject,
    SvidSocket,
    Told,
)
from launchworthy.identity.key_files import load_identity
from launchworthy.identity.peer_session import PeerSession
from launchworthy.identity.peers import Bundle, PeerRejected, PeerRule, verify_peer
from launchworthy.identity.status import IdentityUnavailable
from launchworthy.identity.workload import WorkloadIdentity, X509Identity
from launchworthy.vocabulary import Reason

MAX_HANDSHAKES = 512
HANDSHAKE_SECONDS = 5.0
"""As long as the header section of a request may take."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TlsTerms:
    """Who may be at the other end, and who is told when it is somebody else.

    Attributes:
        identity: ours; an X.509 one.
        trust_domains: whose authorities count at all.
        rule: who is let in.
        clock: seconds since the epoch.
        told: hears of each peer that was not let in.
    """

    identity: WorkloadIdentity
    trust_domains: tuple[str, ...]
    rule: PeerRule
    clock: Callable[[], float]
    told: Told


def server_tls(terms: TlsTerms) -> "RotatingContext":
    """For a listener: each client shows an SVID."""
    return _rotating(ssl.PROTOCOL_TLS_SERVER, terms)


def client_tls(terms: TlsTerms) -> "RotatingContext":
    """For a client: the server is one of those that the terms name; its host name counts for nothing."""
    return _rotating(ssl.PROTOCOL_TLS_CLIENT, terms)


def tell_nobody(rejected: PeerRejected) -> None:
    """For a client: who connects sees the refusal itself."""


class RotatingContext(ChangingContext):
    """Shows the right SVID on each connection, and lets in who may be at the other end."""

    terms: TlsTerms
    _made_of: tuple[X509Identity, tuple[Bundle, ...]] | None = None
    _pending: dict[int, float]

    def wrap_bio(
        self,
        incoming: ssl.MemoryBIO,
        outgoing: ssl.MemoryBIO,
        server_side: bool = False,  # noqa: FBT001, FBT002
        server_hostname: str | bytes | None = None,
        session: ssl.SSLSession | None = None,
    ) -> ssl.SSLObject:
        """Begin a connection with the SVID in force; one that cannot be begun fails in its handshake."""
        try:
            self._make_room()
            connection = super().wrap_bio(incoming, outgoing, server_side, server_hostname, session)
        except PeerRejected as rejected:
            self.reject(rejected)
            return _refused(rejected, incoming, outgoing, server_side=server_side)
        if not isinstance(connection, SvidObject):  # pragma: no cover - `sslobject_class` says so
            raise ssl.SSLError("the connection is not of the kind that verifies its peer")
        connection.judge, connection.outgoing = self, outgoing
        self._pending[id(connection)] = time.monotonic() + HANDSHAKE_SECONDS
        return connection

    def wrap_socket(self, sock: Any, *args: Any, **options: Any) -> ssl.SSLSocket:
        """The same over a blocking socket.

        Raises:
            SSLError: there is no identity.
        """
        try:
            return super().wrap_socket(sock, *args, **options)
        except PeerRejected as rejected:
            raise ssl.SSLError(str(rejected)) from None

    def admit(self, chain: tuple[x509.Certificate, ...]) -> PeerSession:
        """Let a peer in.

        Raises:
            PeerRejected: it is not.
        """
        terms = self.terms
        peer = verify_peer(chain, bundle_for=self._bundle_for, rule=terms.rule, now=terms.clock())
        return PeerSession(peer, bundle_for=self._bundle_for, rule=terms.rule, clock=terms.clock)

    def reject(self, rejected: PeerRejected) -> None:
        """Tell of one who was not let in."""
        self.terms.told(rejected)

    def ended(self, handshake: object) -> None:
        """A handshake ended, however."""
        self._pending.pop(id(handshake), None)

    def _make_room(self) -> None:
        """Forget handshakes whose time is over.

        Raises:
            PeerRejected: too many are on their way.
        """
        if len(self._pending) < MAX_HANDSHAKES:
            return
        now = time.monotonic()
        self._pending = {key: until for key, until in self._pending.items() if until > now}
        if len(self._pending) >= MAX_HANDSHAKES:
            raise PeerRejected(Reason.PEER_TLS, f"{MAX_HANDSHAKES} handshakes are on their way")

    def _bundle_for(self, trust_domain: str) -> Bundle:
        """The authorities of a trust domain that counts here."""
        return self.terms.identity.bundle_for(trust_domain)

    def current(self) -> ssl.SSLContext:
        """The inner context for the SVID and the bundles in force.

        Raises:
            PeerRejected: we have no identity to show.
        """
        terms = self.terms
        try:
            identity = terms.identity.x509()
        except IdentityUnavailable as unavailable:
            status = unavailable.status
            raise PeerRejected(status.reason or Reason.IDENTITY_MISSING, status.detail) from None
        bundles = tuple(self._trusted())
        if self._inner is None or self._made_of is None or not _same(self._made_of, (identity, bundles)):
            self._inner = self._make(identity, bundles)
            self._made_of = (identity, bundles)
        return self._inner

    def _trusted(self) -> list[Bundle]:
        found = []
        for trust_domain in self.terms.trust_domains:
            try:
                found.append(self.terms.identity.bundle_for(trust_domain))
            except IdentityUnavailable:  # withdrawn: not trusted now
                continue
        return found

    def _make(self, identity: X509Identity, bundles: tuple[Bundle, ...]) -> SvidContext:
        inner = SvidContext(self.protocol)
        inner.judge = self
        inner.sslobject_class, inner.sslsocket_class = SvidObject, SvidSocket
        _harden(inner)
        inner.verify_mode = ssl.CERT_REQUIRED
        inner.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN  # a bundle may hold an intermediate authority
        authorities = [each.public_bytes(Encoding.DER) for bundle in bundles for each in bundle]
        if authorities:
            inner.load_verify_locations(cadata=b"".join(authorities))
        load_identity(inner, identity)
        self._offering(inner)
        return inner


def _rotating(protocol: int, terms: TlsTerms) -> RotatingContext:
    context = RotatingContext(protocol)
    context.terms, context._pending = terms, {}  # noqa: SLF001 - `__new__` is OpenSSL's
    _harden(context)
    return context


def _harden(context: ssl.SSLContext) -> None:
    context.check_hostname = False
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.options |= ssl.OP_NO_TICKET | ssl.OP_NO_COMPRESSION | ssl.OP_NO_RENEGOTIATION
    if context.protocol == ssl.PROTOCOL_TLS_SERVER:
        context.num_tickets = 0


def _same(
    one: tuple[X509Identity, tuple[Bundle, ...]], other: tuple[X509Identity, tuple[Bundle, ...]]
) -> bool:
    """Whether two states are the very same objects; each update of an agent makes new ones."""
    return (
        one[0] is other[0]
        and len(one[1]) == len(other[1])
        and all(mine is theirs for mine, theirs in zip(one[1], other[1], strict=True))
    )


def _refused(
    rejected: PeerRejected, incoming: ssl.MemoryBIO, outgoing: ssl.MemoryBIO, *, server_side: bool
) -> ssl.SSLObject:
    """A connection that fails in its handshake: what raises here instead is lost in a loop's accept."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER if server_side else ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.sslobject_class = RefusedObject
    connection = context.wrap_bio(incoming, outgoing, server_side)
    if isinstance(connection, RefusedObject):
        connection.why = str(rejected)
    return connection
