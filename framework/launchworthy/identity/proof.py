"""How does an X.509 identity sign, so that an audit stream can be bound to it?"""

import base64
from collections.abc import Iterable

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from launchworthy.identity.cause import Cause, SourceError
from launchworthy.identity.workload import Proof, X509Identity


def prove_x509(identity: X509Identity, payload: bytes) -> Proof:
    """Sign a payload with the SVID's key.

    Raises:
        SourceError: the key is on a curve that has no algorithm here.
    """
    algorithm, signature = _sign(identity, payload)
    return Proof(
        kind="x509",
        chain=_texts(identity.chain),
        bundle=_texts(identity.bundle),
        signature=base64.b64encode(signature).decode("ascii"),
        algorithm=algorithm,
        token=None,
    )


def _sign(identity: X509Identity, payload: bytes) -> tuple[str, bytes]:
    key = identity.private_key
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        return "RS256", key.sign(payload, padding.PKCS1v15(), hashes.SHA256())
    match key.curve:
        case ec.SECP256R1():
            return "ES256", _integers(key.sign(payload, ec.ECDSA(hashes.SHA256())), 32)
        case ec.SECP384R1():
            return "ES384", _integers(key.sign(payload, ec.ECDSA(hashes.SHA384())), 48)
        case curve:
            raise SourceError(Cause.UNREADABLE, f"keys on the curve `{curve.name}` do not sign here")


def _integers(der: bytes, size: int) -> bytes:
    """An ECDSA signature as JOSE writes it: both integers, one after the other (RFC 7518 §3.4)."""
    return b"".join(number.to_bytes(size) for number in decode_dss_signature(der))


def _texts(certificates: Iterable[bytes]) -> tuple[str, ...]:
    return tuple(base64.b64encode(certificate).decode("ascii") for certificate in certificates)
