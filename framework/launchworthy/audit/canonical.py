"""How is a value written so that there is exactly one way to write it?

Canonical JSON (RFC 8785) in a restricted domain: strings, integers below 2^53, booleans, null, arrays, and
objects with ASCII keys. There the standard library's encoder with sorted keys and compact separators writes
the same bytes as RFC 8785 does; what lies outside (floats, larger integers, other keys, lone surrogates) is
refused, so no record depends on how somebody else rounds a number or sorts UTF-16.
"""

import json
from collections.abc import Iterable
from typing import NoReturn, cast

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
    _check(value, MAX_DEPTH)
    try:
        return _encode(value).encode()
    except UnicodeEncodeError:
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


def _check(value: object, depth: int) -> None:
    """Refuse what lies outside the domain."""
    if depth < 0:
        raise CanonicalError(f"nested deeper than {MAX_DEPTH}")
    for item in _inside(value):
        kind = type(item)
        if kind is str or kind is bool or item is None:
            continue
        if kind is int:
            _check_integer(cast("int", item))
        elif isinstance(item, dict | list | tuple):
            _check(item, depth - 1)
        elif not isinstance(item, str):
            raise CanonicalError(f"a {kind.__name__} cannot be written")


def _inside(value: object) -> Iterable[object]:
    """The values in a value; one that holds none is alone."""
    if isinstance(value, dict):
        for key in value:
            if not isinstance(key, str) or not key.isascii():
                raise CanonicalError("a key must be an ASCII string")
        return cast("Iterable[object]", value.values())
    return value if isinstance(value, list | tuple) else (value,)


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
