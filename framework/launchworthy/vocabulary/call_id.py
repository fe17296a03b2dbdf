"""The name of one call, in all its records and in every answer: `4T7K-9QX2-M0DV`."""

import re
from typing import NewType

CallId = NewType("CallId", str)

CALL_ID_BITS = 60
_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
"""Crockford's base 32: no I, L, O, U."""
_CALL_ID = re.compile(r"[0-9A-HJKMNP-TV-Z]{4}(-[0-9A-HJKMNP-TV-Z]{4}){2}")


def format_call_id(bits: int) -> CallId:
    """Write 60 random bits as three groups of four.

    Raises:
        ValueError: `bits` does not fit in 60 bits.
    """
    if not 0 <= bits < 1 << CALL_ID_BITS:
        raise ValueError("a call id has 60 bits")
    text = "".join(_ALPHABET[(bits >> shift) & 31] for shift in range(55, -1, -5))
    return CallId(f"{text[:4]}-{text[4:8]}-{text[8:]}")


def is_call_id(text: str) -> bool:
    """Whether this has the form of a call id."""
    return _CALL_ID.fullmatch(text) is not None
