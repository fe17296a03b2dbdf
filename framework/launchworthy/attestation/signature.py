"""Which signature does a key make? One algorithm a kind of key, and no field that could ask for another.

EC P-256 with SHA-256 and P-384 with SHA-384 (RFC 6979's curves and hashes; DER signatures), RSA of at least
2048 bits with PSS and SHA-256. These are the keys that SPIRE issues.
"""

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes, PublicKeyTypes

_MINIMUM_RSA = 2048
_PSS = padding.PSS(mgf=padding.MGF1(hashes.SHA256()), salt_length=padding.PSS.DIGEST_LENGTH)


class BadSignatureError(ValueError):
    """The signature is not by this key over these bytes, or the key is of a kind that is not used."""


def verify_signature(public_key: PublicKeyTypes, signature: bytes, message: bytes) -> None:
    """Verify a signature with the key's own algorithm.

    Raises:
        BadSignatureError: it does not hold.
    """
    try:
        if isinstance(public_key, ec.EllipticCurvePublicKey):
            public_key.verify(signature, message, ec.ECDSA(_hash_of(public_key.curve)))
        elif isinstance(public_key, rsa.RSAPublicKey):
            _check_size(public_key.key_size)
            public_key.verify(signature, message, _PSS, hashes.SHA256())
        else:
            raise BadSignatureError("keys of this kind do not sign records")
    except InvalidSignature:
        raise BadSignatureError("the signature does not fit") from None


def make_signature(private_key: PrivateKeyTypes, message: bytes) -> bytes:
    """Sign with the key's own algorithm.

    Raises:
        BadSignatureError: the key is of a kind that is not used.
    """
    if isinstance(private_key, ec.EllipticCurvePrivateKey):
        return private_key.sign(message, ec.ECDSA(_hash_of(private_key.curve)))
    if isinstance(private_key, rsa.RSAPrivateKey):
        _check_size(private_key.key_size)
        return private_key.sign(message, _PSS, hashes.SHA256())
    raise BadSignatureError("keys of this kind do not sign records")


def _hash_of(curve: ec.EllipticCurve) -> hashes.SHA256 | hashes.SHA384:
    match curve:
        case ec.SECP256R1():
            return hashes.SHA256()
        case ec.SECP384R1():
            return hashes.SHA384()
        case _:
            raise BadSignatureError(f"the curve {curve.name} is not used")


def _check_size(bits: int) -> None:
    if bits < _MINIMUM_RSA:
        raise BadSignatureError(f"an RSA key of {bits} bits is too short")
