"""How are records found in the output of something else? `kubectl logs`, a log store, a collector.

A record may have a prefix (a time stamp, a pod's name) or stand in a text of somebody else's JSON. What is
found is only shown: whether it is what was written, files and anchors tell.
"""

import json
from collections.abc import Iterator

from launchworthy.audit.canonical import CanonicalError, canonical
from launchworthy.audit.reading import LineError, Record, parse_record

_BEGIN = b'{"data":{'
_MARK = b"specversion"
_MAX_DEPTH = 4


def records_in(line: bytes) -> Iterator[Record]:
    """The records in one line of an output; usually one or none."""
    if _MARK not in line:
        return
    text = line.strip()
    at = text.find(_BEGIN)
    if at >= 0:
        try:
            yield parse_record(text[at:])
        except LineError:
            pass
        else:
            return
    yield from _wrapped(_json(text), _MAX_DEPTH)


def _wrapped(value: object, depth: int) -> Iterator[Record]:
    """Look into the texts and the objects of somebody else's JSON."""
    if depth == 0:
        return
    if isinstance(value, str) and _MARK.decode() in value:
        yield from records_in(value.encode("utf-8", "replace"))
    elif isinstance(value, dict):
        if "specversion" in value:
            yield from _written_anew(value)
            return
        for item in value.values():
            yield from _wrapped(item, depth - 1)


def _written_anew(value: dict[str, object]) -> Iterator[Record]:
    """A record that a store has parsed: its fields are ours, its order and spaces are the store's."""
    try:
        yield parse_record(canonical(value))
    except (CanonicalError, LineError):
        return


def _json(text: bytes) -> object:
    at = text.find(b"{")
    try:
        value: object = json.loads(text[at:]) if at >= 0 else None
    except (ValueError, RecursionError):
        return None
    return value
