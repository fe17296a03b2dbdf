"""May this X.509-SVID be used as ours? Pure: what an agent presented and an instant in, our identity out.

The client library parses; it verifies neither the chain nor that the key belongs to the certificate. So, in
this order, and the first that fails names the cause:

1. One of the SVIDs presented bears exactly `expected_id`. An answer is the complete state (SPIFFE Workload
   API §5.2.1): an SVID that is missing from it was withdrawn.
2. Its leaf has exactly one URI SAN, and that is it (X.509-SVID §2).
3. The private key belongs to the leaf, and is of a kind that we sign with.
4. Now lies between not-before and not-after: an expired SVID is refused on arrival.
5. The chain verifies, now, to the authorities of its own trust domain, and to those only: in a merged store a
   federated authority could sign our own names (Workload API §4.6).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding

from launchworthy.identity.cause import Cause, SourceError
from launchworthy.identity.chains import UntrustedChain, uris_of, verify_chain
from launchworthy.identity.workload import X509Identity

Bundles = Mapping[str, tuple[x509.Certificate, ...]]
"""Authorities by the name of their trust domain."""

_SCHEME = "spiffe://"


@dataclass(frozen=True, slots=True, kw_only=True)
class PresentedSvid:
    """One SVID as it came: parsed, and nothing more.

    Attributes:
        unverified_id: the SPIFFE ID that the library read.
        chain: leaf first.
        private_key: whatever key came with it.
    """

    unverified_id: str
    chain: tuple[x509.Certificate, ...]
    private_key: object = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Update:
    """One answer of the Workload API: the complete state, unverified.

    Attributes:
        svids: in the order of the agent.
        bundles: of our own trust domain and of every federated one.
    """

    svids: tuple[PresentedSvid, ...]
    bundles: Bundles


def trust_domain_of(spiffe_id: str) -> str:
    """`acme.example` of `spiffe://acme.example/ns/orders`.

    Raises:
        ValueError: it is no SPIFFE ID of a workload (it needs a path).
    """
    name, slash, path = spiffe_id.removeprefix(_SCHEME).partition("/")
    if not spiffe_id.startswith(_SCHEME) or name == "" or slash == "" or path == "":
        raise ValueError(f"`{spiffe_id}` is no SPIFFE ID of a workload")
    return name


def own_trust_domain(expected_id: str, trust_domains: tuple[str, ...]) -> str:
    """The trust domain of the expected identity, which must be one of those that are configured.

    Raises:
        SourceError: no agent can ever give such an identity.
    """
    try:
        ours = trust_domain_of(expected_id)
    except ValueError as error:
        raise SourceError(Cause.OTHER_IDENTITY, f"the expected identity {error}") from None
    if ours not in trust_domains:
        raise SourceError(Cause.OTHER_TRUST_DOMAIN, f"`{ours}` is none of the configured trust domains")
    return ours


def verify_update(update: Update, *, expected_id: str, now: float) -> X509Identity:
    """Find our SVID in an update and verify it.

    Raises:
        SourceError: with the rule that failed.
    """
    svid = _ours(update, expected_id)
    bundle = update.bundles.get(trust_domain_of(expected_id), ())
    leaf = svid.chain[0]
    _check_name(leaf, expected_id)
    if not isinstance(svid.private_key, ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey):
        raise SourceError(Cause.UNREADABLE, "the SVID's key is neither elliptic-curve nor RSA")
    if svid.private_key.public_key() != leaf.public_key():
        raise SourceError(Cause.KEY_MISMATCH, "the private key that came does not belong to the certificate")
    _check_time(leaf, now)
    _check_chain(svid.chain, bundle, now)
    return X509Identity(
        spiffe_id=expected_id,
        chain=tuple(certificate.public_bytes(Encoding.DER) for certificate in svid.chain),
        private_key=svid.private_key,
        bundle=tuple(sorted(authority.public_bytes(Encoding.DER) for authority in bundle)),
        serial=f"{leaf.serial_number:x}",
        not_before=int(leaf.not_valid_before_utc.timestamp()),
        not_after=int(leaf.not_valid_after_utc.timestamp()),
    )


def describe_bundle_change(before: Bundles, after: Bundles) -> str:
    """What changed in whom we trust, in one sentence; empty if nothing did."""
    said = []
    for name in sorted({*before, *after}):
        old, new = set(before.get(name, ())), set(after.get(name, ()))
        if name not in after:
            said.append(f"`{name}` is not trusted any more")
        elif name not in before:
            said.append(f"`{name}` is trusted now")
        elif old != new:
            said.append(f"`{name}` has {len(new - old)} new and {len(old - new)} withdrawn authorities")
    return ", ".join(said)


def _ours(update: Update, expected_id: str) -> PresentedSvid:
    for svid in update.svids:
        if svid.unverified_id == expected_id:
            return svid
    if len(update.svids) == 0:
        raise SourceError(Cause.UNREADABLE, "the agent's answer holds no SVID")
    given = ", ".join(f"`{svid.unverified_id}`" for svid in update.svids)
    ours = trust_domain_of(expected_id)
    if any(svid.unverified_id.startswith(f"{_SCHEME}{ours}/") for svid in update.svids):
        raise SourceError(Cause.OTHER_IDENTITY, f"the agent gives {given}, and `{expected_id}` is expected")
    raise SourceError(
        Cause.OTHER_TRUST_DOMAIN, f"the agent gives {given}, and the trust domain `{ours}` is expected"
    )


def _check_name(leaf: x509.Certificate, expected_id: str) -> None:
    uris = uris_of(leaf)
    if len(uris) == 0:
        raise SourceError(Cause.UNREADABLE, "the certificate names nobody")
    if uris != (expected_id,):
        raise SourceError(Cause.UNREADABLE, "the certificate names somebody else, or several")


def _check_time(leaf: x509.Certificate, now: float) -> None:
    begins, ends = leaf.not_valid_before_utc, leaf.not_valid_after_utc
    if now >= ends.timestamp():
        raise SourceError(Cause.EXPIRED, f"the SVID that came expired at {ends:%Y-%m-%d %H:%M:%S} UTC")
    if now < begins.timestamp():
        raise SourceError(Cause.NOT_YET, f"the SVID that came begins at {begins:%Y-%m-%d %H:%M:%S} UTC")


def _check_chain(chain: Sequence[x509.Certificate], bundle: Sequence[x509.Certificate], now: float) -> None:
    if len(bundle) == 0:
        raise SourceError(Cause.NO_BUNDLE, "no authority of our own trust domain came with the SVID")
    try:
        verify_chain(chain, bundle, now)
    except UntrustedChain as error:
        raise SourceError(
            Cause.UNTRUSTED_CHAIN, f"the certificate does not verify to its trust domain's bundle ({error})"
        ) from None
