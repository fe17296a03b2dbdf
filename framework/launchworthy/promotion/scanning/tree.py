"""Which texts lie in the project's folder? Every file that git tracks, and every other that no tool made."""

import os
from collections.abc import Iterator, Set
from pathlib import Path

from launchworthy.promotion.scanning.texts import MAX_TEXT, Text, text_of

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


def read_tree(root: Path, *, tracked: Set[str]) -> Iterator[Text]:
    """Read every file, by path.

    Args:
        root: of the project.
        tracked: the paths that git tracks, relative to `root`: they are read wherever they lie.
    """
    for path in sorted({*_untracked(root), *tracked}):
        file = root / path
        if file.is_file() and not file.is_symlink():
            with file.open("rb") as stream:
                yield text_of(path, stream.read(MAX_TEXT + 1))


def _untracked(root: Path) -> Iterator[str]:
    for folder, folders, files in os.walk(root):
        here = Path(folder).relative_to(root)
        made = _MADE_AT_THE_TOP if here == Path() else frozenset()
        folders[:] = [name for name in folders if name not in made and name != _MADE_ANYWHERE]
        yield from ((here / name).as_posix() for name in files)
