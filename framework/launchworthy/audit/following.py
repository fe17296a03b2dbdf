"""What has been added since? Reads audit files as they grow, and those that follow them."""

from collections.abc import Iterator
from pathlib import Path

from launchworthy.audit.reading import Record, audit_files, parse_record, whole_lines


class Follower:
    """Remembers how far each file was read; a torn end is read again when it is whole.

    Attributes:
        file: the one that was read last.
    """

    def __init__(self, paths: tuple[Path, ...]) -> None:
        """Follow these files, and whatever comes into these directories."""
        self._paths = paths
        self._read: dict[Path, int] = {}
        self.file = paths[0]

    def more(self) -> Iterator[Record]:
        """The records that were added since the last time.

        Raises:
            LineError: a whole line is no record.
            OSError: a file cannot be read.
        """
        for path in self._paths:
            for self.file in audit_files(path):
                yield from self._of(self.file)

    def _of(self, path: Path) -> Iterator[Record]:
        at = self._read.get(path, 0)
        try:
            size = path.stat().st_size
        except FileNotFoundError:  # deleted after its time
            return
        if size <= at:
            return
        with path.open("rb") as file:
            file.seek(at)
            for line, whole in whole_lines(file):
                if not whole:
                    return
                at += len(line) + 1
                self._read[path] = at
                yield parse_record(line)
