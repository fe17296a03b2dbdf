"""Is the peer of this connection still who it was? Asked at each request: connections outlive SVIDs."""

from collections.abc import Callable

from launchworthy.identity.peers import BundleFor, Peer, PeerRejected, PeerRule, verify_peer
from launchworthy.identity.status import IdentityUnavailable
from launchworthy.vocabulary import Reason


class PeerSession:
    """The peer of one connection, verified in its handshake, and again when what it rested on has changed."""

    def __init__(
        self, peer: Peer, *, bundle_for: BundleFor, rule: PeerRule, clock: Callable[[], float]
    ) -> None:
        """Begin with the peer of the handshake.

        Args:
            peer: as `verify_peer` made it.
            bundle_for: the authorities of a trust domain, now.
            rule: who is let in.
            clock: seconds since the epoch.
        """
        self._peer = peer
        self._bundle_for = bundle_for
        self._rule = rule
        self._clock = clock

    @property
    def not_after(self) -> int:
        """When the peer's certificate ends, seconds since the epoch."""
        return self._peer.not_after

    def require(self) -> Peer:
        """The peer, if it would be let in now.

        Raises:
            PeerRejected: it has expired, its authority was withdrawn, or we have no identity ourselves.
        """
        now, peer = self._clock(), self._peer
        if now >= peer.not_after:
            detail = "its certificate has expired since it connected"
            raise PeerRejected(Reason.PEER_EXPIRED, detail, peer=peer.spiffe_id)
        try:
            unchanged = self._bundle_for(peer.trust_domain) is peer.bundle
        except IdentityUnavailable:
            unchanged = False  # `verify_peer` asks again, and says why
        if not unchanged:
            self._peer = verify_peer(peer.chain, bundle_for=self._bundle_for, rule=self._rule, now=now)
        return self._peer
