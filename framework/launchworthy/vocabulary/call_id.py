"""The name of one call, in all its records and in every answer: `4T7K-9QX2-M0DV`."""

import re
from typing import NewType

CallId = NewType("CallId", str)

CALL_ID_BITS = 60
_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
"""Crockford's base 32: no I, L, O, U."""
_TWO = tuple(first + second for first in _ALPHABET for second in _ALPHABET)
"""Ten bits are two of its characters; every request gets an id."""
_CALL_ID = re.compile(r"[0-9A-HJKMNP-TV-Z]{4}(-[0-9A-HJKMNP-TV-Z]{4}){2}")


def format_call_id(bits: int) -> CallId:
    """Write 60 random bits as three groups of four.

    Raises:
        ValueError: `bits` does not fit in 60 bits.
    """
    if not 0 <= bits < 1 << CALL_ID_BITS:
        raise ValueError("a call id has 60 bits")
    two = _TWO
    return CallId(
        f"{two[bits >> 50]}{two[bits >> 40 & 1023]}-{two[bits >> 30 & 1023]}{two[bits >> 20 & 1023]}"
        f"-{two[bits >> 10 & 1023]}{two[bits & 1023]}"
    )


def is_call_id(text: str) -> bool:
    """Whether this has the form of a call id."""
    return _CALL_ID.fullmatch(text) is not None
