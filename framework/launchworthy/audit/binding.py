"""Whose stream is it? The proof that a workload's identity stands behind a stream's key.

The key of a stream is made before there is an identity. Once there is one, the private key of the workload's
X.509-SVID signs five lines: `launchworthy-audit-key/1`, the stream, its verifier key, and the size and root
that the stream had. The record `stream.bound` holds the signature with the certificates; from then on the
identity vouches for whatever the stream's key signs. A token whose audience is the digest of the same lines
can be recorded too, but not verified afterwards: only its digest is kept.
"""

import base64
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, Protocol

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.x509.verification import PolicyBuilder, Store, VerificationError

BINDING_FORMAT = "launchworthy-audit-key/1"
BOUND_WITHIN = 4096
"""A proof is about one of the first sizes of a stream; a verifier remembers no more of them."""
_MAX_CHAIN = 8
_HASHES: dict[str, hashes.HashAlgorithm] = {
    "ES256": hashes.SHA256(),
    "ES384": hashes.SHA384(),
}
_UNREADABLE = (
    ValueError,
    TypeError,
    UnsupportedAlgorithm,
    x509.DuplicateExtension,
    x509.InvalidVersion,
    x509.UnsupportedGeneralNameType,
)
"""What the library raises about certificates that somebody has made up."""
_CURVES = {"ES256": "secp256r1", "ES384": "secp384r1"}


class BindingError(ValueError):
    """The proof does not say what it should: not this key, not this source, or not signed."""


class BindingUntrusted(BindingError):
    """The proof is right in itself, but nothing here says that its issuer may be believed."""


class Proof(Protocol):
    """What a proof must have; the workload's identity has a type of its own that fits."""

    @property
    def kind(self) -> Literal["x509", "token"]: ...  # noqa: D102 - see BindingProof
    @property
    def chain(self) -> tuple[str, ...]: ...  # noqa: D102
    @property
    def bundle(self) -> tuple[str, ...]: ...  # noqa: D102
    @property
    def signature(self) -> str: ...  # noqa: D102
    @property
    def algorithm(self) -> str: ...  # noqa: D102
    @property
    def token(self) -> str | None: ...  # noqa: D102


class Prover(Protocol):
    """Who can prove that this workload holds a payload; `server` gives the workload's identity."""

    async def prove(self, payload: bytes) -> Proof:
        """Sign the payload, or get a token whose audience is its digest."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BindingProof:
    """What an identity gives for a payload.

    Attributes:
        kind: `x509` (signed by the key of an X.509-SVID) or `token` (an audience-bound token).
        chain: certificates from the leaf on, base64 DER; empty for a token.
        bundle: the roots that were in force, base64 DER; for people, a verifier brings its own.
        signature: over the payload, base64; empty for a token.
        algorithm: the JOSE name: ES256, ES384, RS256, PS256 or Ed25519.
        token: hex SHA-256 of the token, or None.
    """

    kind: Literal["x509", "token"]
    chain: tuple[str, ...]
    bundle: tuple[str, ...]
    signature: str
    algorithm: str
    token: str | None


def binding_payload(stream: str, key: str, size: int, root: str) -> bytes:
    """The bytes that the identity signs; `root` in base64, as in a checkpoint."""
    return f"{BINDING_FORMAT}\n{stream}\n{key}\n{size}\n{root}\n".encode()


def check_binding(proof: Proof, payload: bytes, source: str) -> None:
    """Check what needs no trust: the leaf names the source, and its key has signed the payload.

    Raises:
        BindingError: it has not.
    """
    if proof.kind == "token":
        if not proof.token:
            raise BindingError("a proof by token needs the token's digest")
        return
    leaf = _certificates(proof.chain)[0]
    try:
        identity, authority = _uris(leaf), _is_authority(leaf)
    except _UNREADABLE:
        raise BindingError("a certificate of the proof cannot be read") from None
    # X509-SVID §2: exactly one URI; §4.1: a leaf is no authority
    if authority or len(identity) != 1:
        raise BindingError("the leaf of the proof must have exactly one URI name, and be no authority")
    if identity[0] != source:
        raise BindingError("the certificate of the proof is for another identity than the source")
    try:
        signature = base64.b64decode(proof.signature, validate=True)
        _verify_signature(leaf, proof.algorithm, signature, payload)
    except (InvalidSignature, *_UNREADABLE):
        raise BindingError("the identity has not signed this key") from None


def verify_binding(
    proof: Proof, payload: bytes, *, source: str, at: datetime, roots: tuple[x509.Certificate, ...]
) -> None:
    """Check a proof and that its certificates lead to one of the roots at the time of the record.

    Args:
        proof: what `stream.bound` holds.
        payload: what it must be about.
        source: the identity that the records claim from then on.
        at: when the record was written, in UTC.
        roots: of the source's own trust domain and no other; archived ones where it was long ago.

    Raises:
        BindingUntrusted: the proof is a token, there are no roots, or the chain leads to none of them.
        BindingError: as `check_binding`.
    """
    check_binding(proof, payload, source)
    if proof.kind == "token":
        raise BindingUntrusted("a token cannot be verified afterwards")
    if not roots:
        raise BindingUntrusted("no roots for the trust domain of the source")
    leaf, *intermediates = _certificates(proof.chain)
    verifier = PolicyBuilder().store(Store(list(roots))).time(at).build_client_verifier()
    try:
        verifier.verify(leaf, intermediates)
    except (VerificationError, *_UNREADABLE) as error:
        raise BindingUntrusted(f"the chain leads to none of the roots: {error}") from None


def trust_domain_of(source: str) -> str:
    """`acme.example` of `spiffe://acme.example/ns/orders/sa/orders`; empty where it is no SPIFFE ID."""
    scheme, _, rest = source.partition("://")
    return rest.partition("/")[0] if scheme == "spiffe" else ""


def _certificates(chain: tuple[str, ...]) -> tuple[x509.Certificate, ...]:
    """Parse a chain; the leaf comes first."""
    if not 0 < len(chain) <= _MAX_CHAIN:
        raise BindingError("a proof needs the certificates from the leaf on")
    try:
        return tuple(x509.load_der_x509_certificate(base64.b64decode(der, validate=True)) for der in chain)
    except _UNREADABLE:
        raise BindingError("a certificate of the proof cannot be read") from None


def _uris(leaf: x509.Certificate) -> list[str]:
    try:
        names = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return []
    return names.get_values_for_type(x509.UniformResourceIdentifier)


def _is_authority(leaf: x509.Certificate) -> bool:
    try:
        return leaf.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    except x509.ExtensionNotFound:
        return False


def _verify_signature(leaf: x509.Certificate, algorithm: str, signature: bytes, payload: bytes) -> None:
    """Verify with the leaf's key, by the algorithm that its type allows."""
    key = leaf.public_key()
    if isinstance(key, ec.EllipticCurvePublicKey) and _CURVES.get(algorithm) == key.curve.name:
        key.verify(_der(signature, key), payload, ec.ECDSA(_HASHES[algorithm]))
    elif isinstance(key, rsa.RSAPublicKey) and algorithm == "RS256":
        key.verify(signature, payload, padding.PKCS1v15(), hashes.SHA256())
    elif isinstance(key, rsa.RSAPublicKey) and algorithm == "PS256":
        pss = padding.PSS(mgf=padding.MGF1(hashes.SHA256()), salt_length=padding.PSS.DIGEST_LENGTH)
        key.verify(signature, payload, pss, hashes.SHA256())
    elif isinstance(key, ed25519.Ed25519PublicKey) and algorithm in ("Ed25519", "EdDSA"):
        key.verify(signature, payload)
    else:
        raise BindingError("the algorithm of the proof does not fit its key")


def _der(signature: bytes, key: ec.EllipticCurvePublicKey) -> bytes:
    """An ECDSA signature as DER; two integers of the curve's size (RFC 7518 §3.4) are turned into it."""
    size = (key.curve.key_size + 7) // 8
    if len(signature) != 2 * size:
        return signature
    return encode_dss_signature(int.from_bytes(signature[:size]), int.from_bytes(signature[size:]))
