"""Is the other end of a TLS connection somebody whom we let in? Pure: a chain and an instant in, a peer out.

The rules, in this order; the first that fails is the reason:

1. The leaf has exactly one URI SAN, and that is the SPIFFE ID of a workload (X.509-SVID §2).
2. Now lies between its not-before and not-after.
3. The chain verifies to the authorities of the trust domain that *this* ID names, and to no others.
4. The ID is allowed, by its name or by its trust domain. An empty rule allows nobody and cannot be made.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from cryptography import x509

from launchworthy.identity.chains import UntrustedChain, uris_of, verify_chain
from launchworthy.identity.status import IdentityUnavailable
from launchworthy.vocabulary import Reason

MAX_ID = 2048
_DOMAIN = r"[a-z0-9._-]{1,255}"
_SEGMENT = r"(?!\.{1,2}(?:/|$))[A-Za-z0-9._-]+"
_ID = re.compile(rf"spiffe://(?P<domain>{_DOMAIN})(?P<path>(?:/{_SEGMENT})+)")
_NAME = re.compile(rf"spiffe://{_DOMAIN}(?:/{_SEGMENT})*")

Bundle = tuple[x509.Certificate, ...]
BundleFor = Callable[[str], Bundle]
"""The authorities of a trust domain; raises `IdentityUnavailable` where it is not trusted now."""


class PeerRejected(Exception):
    """A peer is not let in, or not any more.

    Attributes:
        reason: `peer.*`, or why we have no identity ourselves.
        detail: one sentence for the operator; what the peer says of itself is made printable by the audit.
        peer: its SPIFFE ID where its certificate was verified, else None.
    """

    def __init__(self, reason: Reason, detail: str, *, peer: str | None = None) -> None:
        """Hold why."""
        super().__init__(f"{reason.value}: {detail}")
        self.reason = reason
        self.detail = detail
        self.peer = peer


@dataclass(frozen=True, slots=True, kw_only=True)
class PeerRule:
    """Who may be at the other end.

    Attributes:
        ids: SPIFFE IDs that are let in.
        trust_domains: trust domains all of whose workloads are let in.
    """

    ids: frozenset[str]
    trust_domains: frozenset[str]

    def __post_init__(self) -> None:
        """Refuse the empty rule.

        Raises:
            ValueError: it names nobody.
        """
        if not (self.ids or self.trust_domains):
            raise ValueError("a rule for peers names somebody")

    @classmethod
    def of(cls, names: Sequence[str]) -> "PeerRule":
        """From settings: `spiffe://acme.example/ns/edge` is one workload, `spiffe://acme.example` all there.

        Raises:
            ValueError: a name is neither, or there is none.
        """
        for name in names:
            if _NAME.fullmatch(name) is None or len(name) > MAX_ID:
                raise ValueError(f"`{name}` is neither a SPIFFE ID nor a trust domain")
        paths = [name.removeprefix("spiffe://") for name in names]
        return cls(
            ids=frozenset(f"spiffe://{path}" for path in paths if "/" in path),
            trust_domains=frozenset(path for path in paths if "/" not in path),
        )

    def allows(self, peer: "Peer") -> bool:
        """Whether this peer is named."""
        return peer.spiffe_id in self.ids or peer.trust_domain in self.trust_domains


@dataclass(frozen=True, slots=True, kw_only=True)
class Peer:
    """A verified workload at the other end; made only by `verify_peer`.

    Attributes:
        spiffe_id: its one name.
        trust_domain: whose authorities vouch for it.
        not_after: seconds since the epoch.
        chain: what it showed.
        bundle: what that was verified to; another one means that it is verified again.
    """

    spiffe_id: str
    trust_domain: str
    not_after: int
    chain: tuple[x509.Certificate, ...] = field(repr=False)
    bundle: Bundle = field(repr=False)


def parse_spiffe_id(text: str) -> str:
    """The trust domain of a workload's SPIFFE ID (SPIFFE-ID §2).

    Raises:
        ValueError: it is none.
    """
    match = _ID.fullmatch(text)
    if match is None or len(text) > MAX_ID:
        raise ValueError("not the SPIFFE ID of a workload")
    return match["domain"]


def verify_peer(
    chain: Sequence[x509.Certificate], *, bundle_for: BundleFor, rule: PeerRule, now: float
) -> Peer:
    """Let a peer in.

    Args:
        chain: what it showed, leaf first; nothing about it is believed.
        bundle_for: the authorities of a trust domain.
        rule: who is let in.
        now: seconds since the epoch.

    Raises:
        PeerRejected: with the rule that failed.
    """
    if len(chain) == 0:
        raise PeerRejected(Reason.PEER_MISSING, "the peer showed no certificate")
    leaf = chain[0]
    spiffe_id, trust_domain = _name(leaf)
    begins, ends = leaf.not_valid_before_utc.timestamp(), leaf.not_valid_after_utc.timestamp()
    if not begins <= now < ends:
        raise PeerRejected(Reason.PEER_EXPIRED, f"the certificate that says `{spiffe_id}` is not valid now")
    try:
        bundle = bundle_for(trust_domain)
    except IdentityUnavailable as unavailable:
        raise _not_trusted(trust_domain, unavailable) from None
    try:
        verify_chain(chain, bundle, now)
    except UntrustedChain as error:
        detail = f"the certificate that says `{spiffe_id}` does not verify to `{trust_domain}` ({error})"
        raise PeerRejected(Reason.PEER_UNTRUSTED, detail) from None
    peer = Peer(
        spiffe_id=spiffe_id, trust_domain=trust_domain, not_after=int(ends), chain=tuple(chain), bundle=bundle
    )
    if not rule.allows(peer):
        detail = "its certificate is good, and it is not one of those that may connect"
        raise PeerRejected(Reason.PEER_NOT_ALLOWED, detail, peer=spiffe_id)
    return peer


def _name(leaf: x509.Certificate) -> tuple[str, str]:
    uris = uris_of(leaf)
    if len(uris) != 1:
        raise PeerRejected(Reason.PEER_NAME, f"the peer's certificate has {len(uris)} URI names, not one")
    try:
        return uris[0], parse_spiffe_id(uris[0])
    except ValueError:
        raise PeerRejected(
            Reason.PEER_NAME, "the name in the peer's certificate is no workload's SPIFFE ID"
        ) from None


def _not_trusted(trust_domain: str, unavailable: IdentityUnavailable) -> PeerRejected:
    """Tell a foreign trust domain from an identity of our own that is not usable."""
    status = unavailable.status
    if not status.usable and status.reason is not None:
        return PeerRejected(status.reason, status.detail)
    return PeerRejected(Reason.PEER_UNTRUSTED, f"no authority of `{trust_domain}` is trusted here")
