"""Which files may be deleted? Closed ones whose time is over, and that shipper and anchor have passed.

The shipper has passed a file when its cursor stands at the end of it; the anchor, when a checkpoint that was
kept outside covers all of it but, perhaps, the record of its last checkpoint, which follows from its
signature. A file that was never closed is not deleted: nobody has said that it ended.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from launchworthy.audit.cursor import NOWHERE, Position
from launchworthy.audit.merkle import MerkleTree
from launchworthy.audit.moment import parse_rfc3339
from launchworthy.audit.previous import FILE_NAME
from launchworthy.audit.reading import LineError, parse_record, whole_lines
from launchworthy.audit.stream_key import root_text

_SECONDS_A_DAY = 86_400


@dataclass(frozen=True, slots=True, kw_only=True)
class Expired:
    """A file that may be deleted.

    Attributes:
        name: of the file.
        stream: that is in it.
        opened: as in its name.
        size: its records.
        root: over all of them.
        shipped: how many a receiver has taken.
        anchored: how many a checkpoint covers that was kept outside.
    """

    name: str
    stream: str
    opened: str
    size: int
    root: str
    shipped: int
    anchored: int


def expired(
    directory: Path,
    *,
    now: float,
    keep_seconds: float,
    shipped: Mapping[str, Position],
    anchored: Mapping[str, int],
) -> Iterator[Expired]:
    """The files of a directory that may be deleted.

    Args:
        directory: of the audit.
        now: seconds since the epoch.
        keep_seconds: how long a file is kept after its last record.
        shipped: by file, what every receiver has taken.
        anchored: by stream, how many records are vouched for outside.

    Raises:
        OSError: a file cannot be read.
    """
    for path in sorted(directory.iterdir()):
        named = FILE_NAME.fullmatch(path.name)
        where = shipped.get(path.name, NOWHERE)
        if named is None or where.offset == 0 or where.offset != path.stat().st_size:
            continue
        found = _closed(path)
        if found is None or now - found.ended < keep_seconds:
            continue
        covered = anchored.get(named["stream"], 0)
        if covered >= found.size - 1 and where.records == found.size:
            yield Expired(
                name=path.name,
                stream=named["stream"],
                opened=named["opened"],
                size=found.size,
                root=found.root,
                shipped=where.records,
                anchored=covered,
            )


def days(seconds: float) -> int:
    """Whole days, rounded up: what a record says."""
    return -int(-seconds // _SECONDS_A_DAY)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Closed:
    size: int
    root: str
    ended: float


def _closed(path: Path) -> _Closed | None:
    """A file's size, root and end, if it was closed."""
    tree, before, last = MerkleTree(), b"", b""
    with path.open("rb") as file:
        for line, whole in whole_lines(file):
            if not whole:
                return None
            tree.append(line)
            before, last = last, line
    try:
        end, seal = parse_record(before), parse_record(last)
    except LineError:
        return None
    if (end.type, seal.type) != ("stream.close", "stream.checkpoint"):
        return None
    return _Closed(size=tree.size, root=root_text(tree.root()), ended=parse_rfc3339(seal.time).timestamp())
