"""How is a value written so that there is exactly one way to write it?

Canonical JSON (RFC 8785) in a restricted domain: strings, integers below 2^53, booleans, null, arrays, and
objects with ASCII keys. There any plain encoder writes the same bytes as RFC 8785 does, once keys are sorted:
pydantic's writes, the standard library's reads back, and a test compares both. What lies outside (floats,
larger integers, other keys, lone surrogates) is refused, so no record depends on how somebody else rounds a
number or sorts UTF-16.
"""

import json
from typing import NoReturn, cast

from pydantic_core import PydanticSerializationError, to_json

MAX_INTEGER = 2**53 - 1
"""The largest integer that every JSON parser reads exactly (RFC 8785 §3.2.2.3, RFC 7493 §2.2)."""
MAX_DEPTH = 16
_MAX_CHARACTERS = len(f"-{MAX_INTEGER}")
_SURE_CHARACTERS = len(f"{MAX_INTEGER}") - 1

_encode = json.JSONEncoder(
    sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False, check_circular=False
).encode


class CanonicalError(ValueError):
    """A value cannot be written, or bytes are not written, in canonical JSON."""


def canonical(value: object) -> bytes:
    """Write a value in the one way there is.

    Raises:
        CanonicalError: the value lies outside the domain.
    """
    ordered = _ordered(value, MAX_DEPTH)
    try:
        return to_json(ordered)
    except PydanticSerializationError:
        raise CanonicalError("a lone surrogate cannot be written") from None


def parse_canonical(line: bytes) -> object:
    """Read bytes that must be canonical: writing the value again gives the same bytes.

    Raises:
        CanonicalError: they are not JSON, outside the domain, or written in another way.
    """
    try:
        value: object = _decode(line.decode())
        written = _encode(value).encode()
    except CanonicalError:
        raise
    except (ValueError, RecursionError):
        raise CanonicalError("not JSON") from None
    if written != line:
        raise CanonicalError("not in canonical form")
    return value


def _ordered(value: object, depth: int) -> object:
    """The same value with every object's keys in order; refuses what lies outside the domain."""
    kind = type(value)
    if kind is str or kind is bool or value is None:
        return value
    if kind is int:
        _check_integer(cast("int", value))
        return value
    if depth < 0:
        raise CanonicalError(f"nested deeper than {MAX_DEPTH}")
    if isinstance(value, dict):
        return _ordered_object(value, depth)
    if isinstance(value, list | tuple):
        return [_ordered(item, depth - 1) for item in value]
    if not isinstance(value, str):
        raise CanonicalError(f"a {kind.__name__} cannot be written")
    return str.__str__(value)


def _ordered_object(value: dict[object, object], depth: int) -> dict[str, object]:
    try:
        names = sorted(cast("dict[str, object]", value))
        plain = "".join(names).isascii()
    except TypeError:
        plain = False
    if not plain:
        raise CanonicalError("a key must be an ASCII string")
    ordered: dict[str, object] = {}
    for name in names:
        item = value[name]
        kind = type(item)
        if kind is str or kind is bool or item is None:
            ordered[name] = item
        else:
            ordered[name] = _ordered(item, depth - 1)
    return ordered


def _check_integer(number: int) -> None:
    if not -MAX_INTEGER <= number <= MAX_INTEGER:
        raise CanonicalError("an integer of 2^53 or more cannot be written")


def _no_float(text: str) -> NoReturn:
    """Refuse a number with a fraction or an exponent, and NaN and the infinities."""
    raise CanonicalError(f"a number must be an integer, not `{text[:32]}`")


def _integer(text: str) -> int:
    """Read an integer of the domain."""
    if len(text) > _MAX_CHARACTERS:
        raise CanonicalError("an integer of 2^53 or more")
    number = int(text)
    if len(text) > _SURE_CHARACTERS:
        _check_integer(number)
    return number


_decode = json.JSONDecoder(parse_float=_no_float, parse_int=_integer, parse_constant=_no_float).decode
