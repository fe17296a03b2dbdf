"""Which values were left for later? Those on the reserved top level domain `.invalid` (RFC 2606 §2)."""

import re
from collections.abc import Iterator

from launchworthy.manifest.manifests import Manifests
from launchworthy.manifest.reading import read_toml

PLACEHOLDER_SUFFIX = ".invalid"
_PLACEHOLDER = re.compile(rf"[a-z0-9-]{re.escape(PLACEHOLDER_SUFFIX)}(?=$|[./:?#\s>])", re.IGNORECASE)


def is_placeholder(value: str) -> bool:
    """Whether a host name in the value ends in `.invalid`."""
    return _PLACEHOLDER.search(value) is not None


def placeholders(manifests: Manifests) -> tuple[tuple[str, str, str], ...]:
    """Find what was left for later.

    Returns:
        (dotted field, value, `manifests/server.toml:11`) of each; promotion holds on any.
    """
    found = []
    for path, content in sorted(manifests.files.items()):
        source, data = read_toml(path, content, topic="server")
        found += [
            (".".join(key), value, source.where(key))
            for key, value in _texts(data, ())
            if is_placeholder(value)
        ]
    return tuple(found)


def _texts(value: object, key: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], str]]:
    if isinstance(value, str):
        yield key, value
    elif isinstance(value, dict):
        for name, inner in value.items():
            yield from _texts(inner, (*key, name))
    elif isinstance(value, list):
        for number, inner in enumerate(value):
            yield from _texts(inner, (*key, str(number)))
