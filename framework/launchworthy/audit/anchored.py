"""How many records of each stream are vouched for outside? What an anchor has taken, for the next start."""

import json
from collections.abc import Mapping
from pathlib import Path

from launchworthy.audit.checkpoint import Checkpoint, CheckpointError
from launchworthy.audit.stream_key import ORIGIN_PREFIX
from launchworthy.audit.whole_file import replace_file

NAME = "anchored.json"


class Anchored:
    """What anchors of one directory have taken. Told by several threads, one at a time."""

    def __init__(self, directory: Path) -> None:
        """Read what was kept; a file that cannot be read says nothing, and so nothing is deleted for it."""
        self._path = directory / NAME
        self._sizes = _read(self._path)
        self._saved = dict(self._sizes)

    @property
    def sizes(self) -> Mapping[str, int]:
        """Records by stream."""
        return self._sizes

    def note(self, note: str) -> None:
        """A signed checkpoint, our own, was taken."""
        try:
            checkpoint = Checkpoint.parse(note.rpartition("\n\n")[0] + "\n")
        except CheckpointError:
            return
        stream = checkpoint.origin.removeprefix(ORIGIN_PREFIX)
        self._sizes = {**self._sizes, stream: max(self._sizes.get(stream, 0), checkpoint.size)}

    def save(self, *, present: frozenset[str]) -> None:
        """Keep it, of the streams that are still here.

        Raises:
            OSError: it could not be kept.
        """
        kept = {stream: size for stream, size in self._sizes.items() if stream in present}
        if kept != self._saved:
            replace_file(self._path, json.dumps(kept, sort_keys=True).encode() + b"\n")
            self._saved = kept


def _read(path: Path) -> dict[str, int]:
    try:
        told = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return {}
    if not isinstance(told, dict):
        return {}
    return {stream: size for stream, size in told.items() if type(size) is int and size >= 0}
