"""How much waits to be shipped? The bytes of all files, without what every receiver has taken."""

from collections.abc import Mapping
from pathlib import Path

from launchworthy.audit.cursor import NOWHERE, Position
from launchworthy.audit.previous import FILE_NAME


def waiting_bytes(directory: Path, shipped: Mapping[str, Position]) -> int:
    """Bytes of audit files that no receiver has, or not every one.

    Raises:
        OSError: the directory cannot be read.
    """
    waiting = 0
    for path in directory.iterdir():
        if FILE_NAME.fullmatch(path.name) is None:
            continue
        try:
            size = path.stat().st_size
        except FileNotFoundError:  # deleted after its time
            continue
        waiting += max(0, size - shipped.get(path.name, NOWHERE).offset)
    return waiting
