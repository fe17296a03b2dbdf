"""Is this exactly one JSON text that every parser reads alike?

RFC 8259 leaves open what two parsers may read differently (a repeated name, a huge number, half a
surrogate pair), and what one signs the other then understands otherwise. None of it passes here:

1. at most so many bytes, in strict UTF-8, without a byte order mark
2. at most so many containers within each other, counted before the parser recurses
3. no name twice in one object, at any depth
4. no NaN, no Infinity, no number beyond what a double holds, no integer of more than 18 digits
5. no half of a surrogate pair, whether written or escaped
6. nothing before and nothing after the one value but white space
"""

import json
import math
import re
from itertools import accumulate
from typing import NoReturn

MAX_DIGITS = 18
"""The longest integers that fit in 64 bits whatever their sign; no parser rounds them."""

_ESCAPED_SURROGATE = re.compile(rb"\\u[dD][89a-fA-F]")
_STRING = re.compile(rb'"[^"]*"')
_STEPS = bytes.maketrans(b"[{]}", b"\x01\x01\xff\xff")
_NO_STRUCTURE = bytes(set(range(256)) - set(b'"[]{}'))


class StrictJSONError(ValueError):
    """These bytes are not one strict JSON text; the message never quotes them."""


def parse(data: bytes, *, max_depth: int, max_bytes: int) -> object:
    """Read one JSON text that leaves nothing to interpretation.

    Args:
        data: the text as it came.
        max_depth: how many objects and arrays may stand within each other; `[[1]]` needs 2.
        max_bytes: how long the text may be.

    Returns:
        The value, made of dict, list, str, int, float, bool and None.

    Raises:
        StrictJSONError: it breaks one of the rules above.
    """
    if len(data) > max_bytes:
        raise StrictJSONError(f"more than {max_bytes} bytes")
    if data.count(b"{") + data.count(b"[") > max_depth:
        _check_depth(data, max_depth)
    try:
        value: object = _DECODER.decode(data.decode())
    except UnicodeDecodeError:
        raise StrictJSONError("not UTF-8") from None
    except json.JSONDecodeError as error:
        raise StrictJSONError(f"not JSON: {error.msg.lower()}, at character {error.pos}") from None
    if _ESCAPED_SURROGATE.search(data) is not None:
        _check_surrogates(value)
    return value


def parse_object(data: bytes, *, max_depth: int, max_bytes: int) -> dict[str, object]:
    """Read one JSON text that is an object.

    Raises:
        StrictJSONError: it is none, or breaks one of the rules above.
    """
    value = parse(data, max_depth=max_depth, max_bytes=max_bytes)
    if not isinstance(value, dict):
        raise StrictJSONError("not an object")
    return value


def _check_depth(data: bytes, max_depth: int) -> None:
    """Count brackets outside strings: plus one, minus one; the highest sum is the depth."""
    unescaped = data.replace(rb"\\", b"").replace(rb"\"", b"")
    brackets = _STRING.sub(b"", unescaped.translate(None, _NO_STRUCTURE)).replace(b'"', b"")
    steps = memoryview(brackets.translate(_STEPS)).cast("b")
    if max(accumulate(steps), default=0) > max_depth:
        raise StrictJSONError(f"nested deeper than {max_depth}")


def _check_surrogates(value: object) -> None:
    """Half a pair cannot be written as UTF-8; a whole one was joined by the parser."""
    try:
        json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        raise StrictJSONError("half of a surrogate pair") from None


def _object(pairs: list[tuple[str, object]]) -> dict[str, object]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise StrictJSONError("a name stands twice in one object")
    return members


def _integer(digits: str) -> int:
    if len(digits) > MAX_DIGITS and len(digits.removeprefix("-")) > MAX_DIGITS:
        raise StrictJSONError(f"an integer of more than {MAX_DIGITS} digits")
    return int(digits)


def _real(digits: str) -> float:
    number = float(digits)
    if math.isinf(number):
        raise StrictJSONError("a number that is too large")
    return number


def _constant(name: str) -> NoReturn:
    raise StrictJSONError(f"`{name}` is not a JSON number")


_DECODER = json.JSONDecoder(
    object_pairs_hook=_object, parse_int=_integer, parse_float=_real, parse_constant=_constant
)
