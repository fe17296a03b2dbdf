"""Where in a text stands a name that can promise a secret?

Only names with such a word are looked at: the search for those words is what keeps the whole fast.
"""

import re
from collections.abc import Iterator

from launchworthy.detection.dialect import Dialect
from launchworthy.detection.notations import ESCAPES, Name, Pair, read

_PROMISING = re.compile(
    r"pass|pwd|secret|token|key|cred|auth|bearer|jwt|pw\b|pat\b|salt|pepper|seed|dsn|webhook|cookie|session|mnemonic"
    r"|kennwort|senha|contrasena|masterauth|sas\b|psk\b|login"
)
_NAME_CHARACTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-$"
_REST_OF_NAME = re.compile(r"[A-Za-z0-9_.$-]{0,81}")
_LONGEST_NAME = 80


def pairs(text: str, lowered: str, dialect: Dialect) -> Iterator[Pair]:
    """Every pair of a promising name and a value beside it, in order; the values are not judged yet.

    Args:
        text: where to look.
        lowered: the same in lower case, position by position.
        dialect: how the text writes names and values.
    """
    seen = 0
    for found in _PROMISING.finditer(lowered):
        start = found.start()
        if start < seen:
            continue
        left = text[max(0, start - _LONGEST_NAME) : start]
        begin = start - (len(left) - len(left.rstrip(_NAME_CHARACTERS)))
        if text[max(0, begin - 1) : begin + 1] in ESCAPES:  # `\nNAME=…` in a string of a string
            begin += 1
        rest = _REST_OF_NAME.match(text, start)
        seen = rest.end() if rest is not None else start
        if seen - begin <= _LONGEST_NAME:
            yield from read(Name(text, begin, seen, dialect))
