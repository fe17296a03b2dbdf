"""How does a checkpoint get out of the machine, and back to a verifier? As one line of the server's output.

A line of JSON with the note is enough: whoever collects the output keeps it where the server's machine
cannot change it, and hands it back as it is.
"""

import json
from collections.abc import Iterable

ANCHOR_EVENT = "audit.checkpoint"
_MAX_DEPTH = 8
_SIGNATURE = "\n\n— "


def anchor_line(note: str) -> str:
    """The line to print for a signed checkpoint."""
    return json.dumps({"event": ANCHOR_EVENT, "note": note}, ensure_ascii=True)


def read_anchors(lines: Iterable[str]) -> tuple[str, ...]:
    """The notes among the lines of an output, whatever else stands there and however it is wrapped.

    A collector may have put the line into a field of its own; that is looked for too. A note that is found
    is not verified here: nobody but the stream's own key can do that.
    """
    notes = (note for line in lines if ANCHOR_EVENT in line for note in _notes(_json(line), depth=_MAX_DEPTH))
    return tuple(dict.fromkeys(notes))


def _notes(value: object, *, depth: int) -> Iterable[str]:
    """Look for notes in a value, and in the JSON that its texts may hold."""
    if depth == 0:
        return
    if isinstance(value, str):
        if _SIGNATURE in value:
            yield value
        elif ANCHOR_EVENT in value:
            yield from _notes(_json(value), depth=depth - 1)
    elif isinstance(value, dict):
        for item in value.values():
            yield from _notes(item, depth=depth - 1)


def _json(text: str) -> object:
    """The JSON in a line, which may have a time stamp or the like before it."""
    try:
        value: object = json.loads(text[text.index("{") :])
    except (ValueError, RecursionError):
        return None
    return value
