"""Is this text one JWS in compact serialisation? RFC 7515 §7.1.

1. at most 8 KiB of ASCII
2. exactly three parts, none of them empty: no JWE (five), no unsecured token (an empty third)
3. each part canonical base64url, so that one token has one spelling
"""

from typing import NamedTuple

from launchworthy.tokens import base64url
from launchworthy.vocabulary import Reason, Refused

MAX_TOKEN_BYTES = 8 * 1024


class Compact(NamedTuple):
    """The decoded parts; nothing of them is verified. A tuple, since one is made for every request.

    Attributes:
        signing_input: what the signature is over, as it came.
        unverified_header: the bytes of the header.
        unverified_payload: the bytes of the claims.
        signature: the bytes of the signature.
    """

    signing_input: bytes
    unverified_header: bytes
    unverified_payload: bytes
    signature: bytes


def split(token: str) -> Compact:
    """Take a token apart.

    Raises:
        Refused: `token.malformed`.
    """
    if len(token) > MAX_TOKEN_BYTES:
        raise Refused(Reason.TOKEN_MALFORMED, f"the token is longer than {MAX_TOKEN_BYTES} bytes")
    if not token.isascii():
        raise Refused(Reason.TOKEN_MALFORMED, "the token is not ASCII")
    signing_input, _, signature = token.encode("ascii").rpartition(b".")
    header, _, payload = signing_input.partition(b".")
    try:
        return Compact(
            signing_input=signing_input,
            unverified_header=base64url.decode(header),
            unverified_payload=base64url.decode(payload),
            signature=base64url.decode(signature),
        )
    except ValueError as error:
        raise Refused(Reason.TOKEN_MALFORMED, f"the token is not three parts of base64url: {error}") from None
