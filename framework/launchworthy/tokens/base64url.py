"""Is this the one way to write these bytes in base64url? RFC 4648 §5, without padding.

Two spellings of the same bytes would give one token two digests, so only the canonical one is read:
no padding, no white space, none of the other alphabet's `+` and `/`, unused bits zero.
"""

import binascii

_TO_PLAIN = bytes.maketrans(b"-_+/=", b"+/!!!")
"""To the alphabet that `binascii` reads; what must not be there becomes what it refuses."""
_PADDING = (b"", b"", b"==", b"=")
_LAST = (b"", b"", b"AQgw", b"AEIMQUYcgkosw048")
"""The last characters that leave no unused bit set, by how many are left over."""


def decode(text: bytes) -> bytes:
    """Read canonical base64url.

    Raises:
        ValueError: it is empty or not canonical base64url.
    """
    left_over = len(text) % 4
    if text == b"":
        raise ValueError("empty")
    if left_over and text[-1] not in _LAST[left_over]:
        raise ValueError("not canonical base64url")
    try:
        return binascii.a2b_base64(text.translate(_TO_PLAIN) + _PADDING[left_over], strict_mode=True)
    except binascii.Error:
        raise ValueError("not base64url") from None


def encode(data: bytes) -> str:
    """Write base64url without padding."""
    return binascii.b2a_base64(data, newline=False).translate(_TO_URL, b"=").decode("ascii")


_TO_URL = bytes.maketrans(b"+/", b"-_")
