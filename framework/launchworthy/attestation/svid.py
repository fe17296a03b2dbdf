"""Whose certificate is this, and did roots of that very trust domain vouch for it at that instant?

The rules of an X.509-SVID leaf (SPIFFE X509-SVID §2, §4, §5):
1. exactly one URI name, a SPIFFE ID with a path (§2);
2. no CA certificate, and its key signs no certificates (§4.1, §4.3);
3. the chain ends at a root of the trust domain that the ID names, never of another one (Workload API §4.6);
4. all of it is valid at the instant that is asked about, which is not the present one: an SVID dies within
   hours and a record lives for months.
"""

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Self

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.types import CertificatePublicKeyTypes
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.verification import ExtensionPolicy, PolicyBuilder, Store, VerificationError

_SPIFFE_ID = re.compile(r"spiffe://([a-z0-9._-]{1,255})((?:/[A-Za-z0-9._-]{1,255}){1,32})", re.ASCII)
_MAX_SPIFFE_ID = 2048


class UntrustedSignerError(ValueError):
    """This certificate does not show who signed; the text says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SpiffeId:
    """A workload's name: `spiffe://trust-domain/path`."""

    trust_domain: str
    path: str

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read an ID by the grammar of SPIFFE-ID §2.

        Raises:
            ValueError: it is none, or names a trust domain only.
        """
        match = _SPIFFE_ID.fullmatch(text) if len(text) <= _MAX_SPIFFE_ID else None
        if match is None or {".", ".."} & set(match[2].split("/")):
            raise ValueError("not a SPIFFE ID with a path")
        return cls(trust_domain=match[1], path=match[2])

    def __str__(self) -> str:
        """The ID as it stands in certificates and policies."""
        return f"spiffe://{self.trust_domain}{self.path}"


def public_key_of(certificate: x509.Certificate) -> CertificatePublicKeyTypes:
    """The key that a certificate is about.

    Raises:
        UntrustedSignerError: it is of no known kind.
    """
    try:
        return certificate.public_key()
    except (UnsupportedAlgorithm, ValueError):
        raise UntrustedSignerError("the certificate's key cannot be read") from None


def key_id(certificate: x509.Certificate) -> str:
    """Hex SHA-256 of the public key: what `keyid` of an envelope says, and what a policy can revoke.

    Raises:
        UntrustedSignerError: the key is of no known kind.
    """
    public_key = public_key_of(certificate)
    return hashlib.sha256(
        public_key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    ).hexdigest()


def parse_chain(certificates: Sequence[bytes]) -> tuple[x509.Certificate, ...]:
    """Read DER certificates, leaf first.

    Raises:
        UntrustedSignerError: one cannot be read, or there is none.
    """
    try:
        chain = tuple(x509.load_der_x509_certificate(each) for each in certificates)
    except (ValueError, x509.InvalidVersion):
        raise UntrustedSignerError("a certificate cannot be read") from None
    if len(chain) == 0:
        raise UntrustedSignerError("there is no certificate")
    return chain


def unverified_spiffe_id(leaf: x509.Certificate) -> SpiffeId:
    """The ID that a leaf claims (rules 1 and 2); nobody has vouched for it yet.

    Raises:
        UntrustedSignerError: it is no X.509-SVID leaf.
    """
    try:
        names = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        usage = leaf.extensions.get_extension_for_class(x509.KeyUsage).value
        is_authority = _is_authority(leaf)
    except (x509.ExtensionNotFound, x509.DuplicateExtension, x509.UnsupportedGeneralNameType, ValueError):
        raise UntrustedSignerError("the certificate is no X.509-SVID") from None
    uris = names.get_values_for_type(x509.UniformResourceIdentifier)
    if len(uris) != 1:
        raise UntrustedSignerError(f"the certificate has {len(uris)} URI names, an X.509-SVID has one")
    if is_authority or usage.key_cert_sign or usage.crl_sign or not usage.digital_signature:
        raise UntrustedSignerError("the certificate's key is not for signatures only")
    try:
        return SpiffeId.parse(uris[0])
    except ValueError:
        raise UntrustedSignerError("the certificate's URI name is not a SPIFFE ID with a path") from None


def verify_chain(
    chain: Sequence[x509.Certificate], roots: Sequence[x509.Certificate], *, at: int
) -> SpiffeId:
    """Verify that these roots vouched for the leaf at an instant (rules 3 and 4).

    Args:
        chain: leaf first.
        roots: of the trust domain that the leaf names; the caller picked them by that name.
        at: seconds since the epoch.

    Raises:
        UntrustedSignerError: they did not.
    """
    leaf, *intermediates = chain
    claimed = unverified_spiffe_id(leaf)
    if len(roots) == 0:
        raise UntrustedSignerError(f"no root is pinned for the trust domain `{claimed.trust_domain}`")
    verifier = (
        PolicyBuilder()
        .store(Store(list(roots)))
        .time(datetime.fromtimestamp(at, UTC))
        .extension_policies(
            ca_policy=ExtensionPolicy.webpki_defaults_ca(), ee_policy=ExtensionPolicy.webpki_defaults_ee()
        )
        .build_client_verifier()
    )
    try:
        verifier.verify(leaf, intermediates)
    except (VerificationError, UnsupportedAlgorithm, ValueError):
        raise UntrustedSignerError(
            f"no pinned root of `{claimed.trust_domain}` vouches for its certificate at the time of signing"
        ) from None
    return claimed


def _is_authority(certificate: x509.Certificate) -> bool:
    try:
        return certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    except x509.ExtensionNotFound:
        return False
