"""Which texts lie in the project's folder? Every file that git tracks, and every other that no tool made.

A file that holds a zero byte is no text, unless its first two bytes say that it is UTF-16.
"""

import codecs
import os
from collections.abc import Iterator, Set
from dataclasses import dataclass
from pathlib import Path

MAX_TEXT = 8 * 1024 * 1024
_MADE_AT_THE_TOP = frozenset(
    {
        ".git",
        ".hypothesis",
        ".launchworthy",
        ".mypy_cache",
        ".nox",
        ".pytest_cache",
        ".ruff_cache",
        ".venv",
        "dist",
        "node_modules",
    }
)
_MADE_ANYWHERE = "__pycache__"
_UTF16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


@dataclass(frozen=True, slots=True, kw_only=True)
class TreeText:
    """One text.

    Attributes:
        path: relative, with slashes.
        text: all of it; what is no UTF-8 is replaced. Empty where there is more than is read.
        whole: whether it was read; False for a text that is too long.
    """

    path: str
    text: str
    whole: bool


def read_texts(root: Path, *, tracked: Set[str]) -> Iterator[TreeText]:
    """Read every text, by path.

    Args:
        root: of the project.
        tracked: the paths that git tracks, relative to `root`: they are read wherever they lie.
    """
    for path in sorted({*_untracked(root), *tracked}):
        file = root / path
        if file.is_file() and not file.is_symlink():
            read = _read(path, file)
            if read is not None:
                yield read


def _untracked(root: Path) -> Iterator[str]:
    for folder, folders, files in os.walk(root):
        here = Path(folder).relative_to(root)
        made = _MADE_AT_THE_TOP if here == Path() else frozenset()
        folders[:] = [name for name in folders if name not in made and name != _MADE_ANYWHERE]
        yield from ((here / name).as_posix() for name in files)


def _read(path: str, file: Path) -> TreeText | None:
    with file.open("rb") as stream:
        content = stream.read(MAX_TEXT + 1)
    if content.startswith(_UTF16):
        text = content.decode("utf-16", errors="replace")
    elif b"\0" in content:
        return None
    else:
        text = content.decode("utf-8-sig", errors="replace")
    whole = len(content) <= MAX_TEXT
    return TreeText(path=path, text=text if whole else "", whole=whole)
