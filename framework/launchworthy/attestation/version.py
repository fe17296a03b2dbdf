"""Is this version old? Released versions only, compared number by number."""

import re

_VERSION = re.compile(r"[0-9]{1,5}(\.[0-9]{1,5}){1,2}", re.ASCII)


def parse_version(text: str) -> tuple[int, int, int]:
    """Read `X.Y` or `X.Y.Z`; a missing Z is 0. A pre-release promotes nothing, so it has no spelling here.

    Raises:
        ValueError: it is neither.
    """
    if _VERSION.fullmatch(text) is None:
        raise ValueError("a version is X.Y or X.Y.Z")
    major, minor, *patch = (int(part) for part in text.split("."))
    return (major, minor, patch[0] if patch else 0)
