"""Does this signature hold? RFC 7518 §3, RFC 8037.

An ECDSA signature is two numbers of a fixed length (RFC 7518 §3.4), and cryptography wants them in DER: that
is done here, since a new token costs mostly this, and joserfc reads each number through its hexadecimal text.
The check itself is cryptography's for every algorithm; RSA and EdDSA come to it through joserfc.
"""

from collections.abc import Mapping
from typing import Final, NamedTuple

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256, SHA384, SHA512
from joserfc.jwk import ECKey, OKPKey, RSAKey
from joserfc.jws import JWSRegistry

PublicKey = RSAKey | ECKey | OKPKey


class _Ecdsa(NamedTuple):
    """What an algorithm's signatures are: how long each number is, and what is signed."""

    size: int
    over: ECDSA


_ECDSA: Final[Mapping[str, _Ecdsa]] = {
    "ES256": _Ecdsa(32, ECDSA(SHA256())),
    "ES384": _Ecdsa(48, ECDSA(SHA384())),
    "ES512": _Ecdsa(66, ECDSA(SHA512())),
}


def holds(algorithm: str, public: PublicKey, signing_input: bytes, signature: bytes) -> bool:
    """Whether a signature was made with the private part of this key.

    Args:
        algorithm: one that fits the key; `import_keys` has seen to that.
        public: the key.
        signing_input: what was signed.
        signature: as in the token.
    """
    ecdsa = _ECDSA.get(algorithm)
    if ecdsa is None or not isinstance(public, ECKey):
        return JWSRegistry.algorithms[algorithm].verify(signing_input, signature, public) is True
    size = ecdsa.size
    if len(signature) != 2 * size:
        return False
    numbers = int.from_bytes(signature[:size]), int.from_bytes(signature[size:])
    try:
        public.public_key.verify(encode_dss_signature(*numbers), signing_input, ecdsa.over)
    except InvalidSignature:
        return False
    return True
