"""How does a caller of the simulated world speak mutual TLS? With an SVID, trusting one authority."""

import ssl
from collections.abc import Iterable

from cryptography.hazmat.primitives.serialization import load_der_private_key
from cryptography.x509 import load_der_x509_certificate

from launchworthy.identity.key_files import load_identity
from launchworthy.identity.workload import PrivateKey, X509Identity
from launchworthy.testing.authority import SimulatedAuthority, SvidMaterial

_SEQUENCE = 0x30
_LONG = 0x80


def caller_tls(authority: SimulatedAuthority, material: SvidMaterial | None) -> ssl.SSLContext:
    """A context that trusts this authority and shows this SVID, or none.

    Args:
        authority: whose servers are believed.
        material: of `SimulatedAuthority.mint_x509`; None is a client without a certificate.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False  # SVIDs name workloads, not hosts
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_verify_locations(cadata=authority.bundle_der())
    if material is not None:
        load_identity(context, identity_of(material))
    return context


def identity_of(material: SvidMaterial) -> X509Identity:
    """An SVID as the framework holds it."""
    chain = tuple(_certificates(material.chain_der))
    leaf = load_der_x509_certificate(chain[0])
    key: PrivateKey = load_der_private_key(material.key_der, None)  # type: ignore[assignment]  # as it was minted
    return X509Identity(
        spiffe_id=material.spiffe_id,
        chain=chain,
        private_key=key,
        bundle=tuple(_certificates(material.bundle_der)),
        serial=f"{leaf.serial_number:x}",
        not_before=int(leaf.not_valid_before_utc.timestamp()),
        not_after=material.not_after,
    )


def _certificates(concatenated: bytes) -> Iterable[bytes]:
    """The certificates that stand one after the other (X.690 §8.1.3).

    Raises:
        ValueError: it is something else.
    """
    while concatenated:
        if concatenated[0] != _SEQUENCE or concatenated[1] <= _LONG:
            raise ValueError("no certificate stands here")
        count = concatenated[1] - _LONG
        size = 2 + count + int.from_bytes(concatenated[2 : 2 + count])
        yield concatenated[:size]
        concatenated = concatenated[size:]
