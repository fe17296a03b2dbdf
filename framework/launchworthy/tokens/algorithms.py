"""Which signature algorithms can be allowed, and which keys fit them? RFC 7518 §3, RFC 8037, RFC 9864.

There is no `none` and no HMAC here: with a published key set, whoever can read it could sign.
"""

from collections.abc import Mapping
from typing import Final, NamedTuple


class KeyShape(NamedTuple):
    """What a key must be to fit an algorithm; `curve` is None for RSA."""

    key_type: str
    curve: str | None


_RSA = KeyShape("RSA", None)
_ED25519 = KeyShape("OKP", "Ed25519")

KEY_SHAPES: Final[Mapping[str, KeyShape]] = {
    "ES256": KeyShape("EC", "P-256"),
    "ES384": KeyShape("EC", "P-384"),
    "ES512": KeyShape("EC", "P-521"),
    "RS256": _RSA,
    "RS384": _RSA,
    "RS512": _RSA,
    "PS256": _RSA,
    "PS384": _RSA,
    "PS512": _RSA,
    "Ed25519": _ED25519,
    "EdDSA": _ED25519,  # the older, ambiguous name of the same; Ed448 is not taken
}
