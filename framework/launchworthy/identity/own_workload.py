"""What may a team's code have of the server's own identity? What it needs to connect as this workload.

For `Server(app=…)`: a function that takes it as its second parameter gets it. It opens no Workload API of its
own, so there is one identity, one phase and one audit of it; and no key leaves the framework.
"""

import ssl
from collections.abc import Callable
from pathlib import Path

from launchworthy.egress import ours
from launchworthy.identity.host_tls import host_tls
from launchworthy.identity.peers import PeerRule
from launchworthy.identity.status import ChangeKind, IdentityChange
from launchworthy.identity.tls import TlsTerms, client_tls, tell_nobody
from launchworthy.identity.workload import WorkloadIdentity
from launchworthy.vocabulary import Secret

_RENEWED = frozenset(
    {
        ChangeKind.ACQUIRED,
        ChangeKind.ROTATED,
        ChangeKind.BUNDLE_CHANGED,
        ChangeKind.REVOKED,
        ChangeKind.EXPIRED,
    }
)


class Workload:
    """This server, as other workloads and hosts see it."""

    __slots__ = ("_clock", "_identity", "_trust_domains")

    def __init__(
        self, identity: WorkloadIdentity, *, trust_domains: tuple[str, ...], clock: Callable[[], float]
    ) -> None:
        """Lend an identity that somebody else keeps fresh.

        Args:
            identity: the server's.
            trust_domains: whose authorities count at all.
            clock: seconds since the epoch.
        """
        self._identity = identity
        self._trust_domains = trust_domains
        self._clock = clock

    def __repr__(self) -> str:
        """Nothing but that it is one."""
        return "Workload(…)"

    def tls_to(self, *peers: str) -> ssl.SSLContext:
        """A client context for servers that show an SVID: a database, another workload.

        Each connection shows the SVID that is in force when it begins, and fails in its handshake where there
        is none, or where the other end is not one of `peers`. Host names count for nothing.

        Args:
            peers: SPIFFE IDs, or `spiffe://acme.example` for all of a trust domain; at least one.

        Raises:
            IdentityUnavailable: this identity has no certificate.
            ValueError: a peer is none, or there is none.
        """
        self._identity.x509()
        return client_tls(
            TlsTerms(
                identity=self._identity,
                trust_domains=self._trust_domains,
                rule=PeerRule.of(peers),
                clock=self._clock,
                told=tell_nobody,
            )
        )

    def tls_to_hosts(self, authorities: Path | None) -> ssl.SSLContext:
        """A client context for servers that are verified by their host name, and are shown our SVID.

        Args:
            authorities: a PEM file of who vouches for them; None is whom this machine trusts.

        Raises:
            IdentityUnavailable: this identity has no certificate.
            OSError: the file holds no certificates.
        """
        self._identity.x509()
        return host_tls(self._identity, authorities=authorities)

    async def assertion(self, audience: str) -> Secret:
        """A token that says who this workload is, for exactly this audience, and for minutes.

        Raises:
            IdentityUnavailable: there is none to be had now.
        """
        with ours():  # asked of our agent, whatever the call that wants it may connect to
            return await self._identity.assertion(audience)

    def on_renewed(self, callback: Callable[[], None]) -> None:
        """Call back on the event loop when new connections show something else than before, or nothing.

        At each renewal, when an authority changes, and when the identity is withdrawn or runs out: time to
        replace what a pool keeps open.
        """

        def tell(change: IdentityChange) -> None:
            if change.kind in _RENEWED:
                callback()

        self._identity.on_change(tell)
