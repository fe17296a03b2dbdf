"""How far was a directory shipped? A small file that survives a restart and a loss of power.

For each audit file: how many of its bytes, and of its records, a receiver has taken. It is replaced as a
whole, after the receiver has taken a batch; so what was taken and not noted is sent a second time, and
nothing is left out.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from launchworthy.audit.previous import FILE_NAME
from launchworthy.audit.whole_file import replace_file
from launchworthy.vocabulary import Problem, ProblemError

FORMAT = "launchworthy-audit-cursor/1"
CURSOR_PREFIX = "shipped-"


@dataclass(frozen=True, slots=True, kw_only=True)
class Position:
    """How far one file was taken.

    Attributes:
        offset: bytes.
        records: whole records.
    """

    offset: int
    records: int


NOWHERE = Position(offset=0, records=0)


class Cursor:
    """The positions of one shipper."""

    def __init__(self, path: Path) -> None:
        """Read where it stood, if it ever ran.

        Raises:
            ProblemError: the file holds something else.
        """
        self._path = path
        self._positions = dict(read_positions(path))

    def of(self, name: str) -> Position:
        """How far a file was taken."""
        return self._positions.get(name, NOWHERE)

    def move(self, name: str, position: Position, *, present: frozenset[str]) -> None:
        """Note how far a file was taken, and forget files that are gone; on the disk when it returns.

        Raises:
            OSError: it could not be noted.
        """
        kept = {each: where for each, where in self._positions.items() if each in present}
        self._positions = {**kept, name: position}
        told = {
            "format": FORMAT,
            "files": {
                each: {"offset": where.offset, "records": where.records}
                for each, where in self._positions.items()
            },
        }
        replace_file(self._path, json.dumps(told, sort_keys=True).encode() + b"\n")


def read_positions(path: Path) -> Mapping[str, Position]:
    """The positions of a file; none where there is no file yet.

    Raises:
        ProblemError: it holds something else.
    """
    try:
        told = json.loads(path.read_bytes())
        if told["format"] == FORMAT and all(map(_is_entry, told["files"].items())):
            return {name: Position(**where) for name, where in told["files"].items()}
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        pass
    raise ProblemError(
        Problem(
            reason="bad-cursor",
            where=str(path),
            what="does not say how far the audit was shipped",
            fix=("remove it: everything that is here is sent again, and receivers drop what they have",),
        )
    )


def shipped(directory: Path) -> Mapping[str, Position]:
    """How far each file was taken by every shipper that has ever run here: the least of them.

    Raises:
        ProblemError: a cursor cannot be read.
    """
    cursors = [read_positions(path) for path in sorted(directory.glob(f"{CURSOR_PREFIX}*.json"))]
    names = {name for cursor in cursors for name in cursor}
    return {
        name: min((cursor.get(name, NOWHERE) for cursor in cursors), key=lambda where: where.offset)
        for name in names
    }


def _is_entry(entry: tuple[str, Any]) -> bool:
    name, where = entry
    numbers = tuple(where.values())
    return (
        FILE_NAME.fullmatch(name) is not None
        and where.keys() == {"offset", "records"}
        and all(type(number) is int and number >= 0 for number in numbers)
    )
