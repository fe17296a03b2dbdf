"""Which texts did this repository ever hold? Every version of every file that any reference still leads to.

Branches, tags, stashes, the reflog and the index are followed; messages of commits and of tags are texts too.
Each version of a content is read once, under one of the paths that it had. What no reference leads to any
more (a dangling object, somebody else's clone) is not seen.
"""

import tempfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from launchworthy.attestation.git import Git, unusable
from launchworthy.promotion.scanning.texts import MAX_TEXT, Text, text_of
from launchworthy.vocabulary import Problem, ProblemError

LIST_SECONDS = 600.0
"""For git to walk a whole history."""
_HEADER_FIELDS = 3
_SUBMODULE = b"160000 "
_READ_AT_ONCE = 1024 * 1024

Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """One version of a content.

    Attributes:
        object: its name in git, in hex.
        text: what it holds; its path is one that it had, or says which message it is.
    """

    object: str
    text: Text


class History:
    """The objects of one repository."""

    def __init__(self, git: Git, *, below: Path) -> None:
        """List them.

        Args:
            git: of the repository.
            below: a folder of its working tree; of files, only those that ever lay below it are read.

        Raises:
            ProblemError: `history-not-whole`: a shallow or partial clone; `git-not-usable`.
        """
        self._git = git
        require_whole(git)
        inside = below.resolve().relative_to(git.top).as_posix()
        self._prefix = "" if inside == "." else f"{inside}/"
        every = dict(_listed(self._list("--indexed-objects")))
        # git names a content once, by any of its paths; asked about this folder alone, by one of these
        here = self._lain_in(inside) if self._prefix else {}
        self._paths = {
            name: here.get(name, path)
            for name, path in every.items()
            if name in here or not path or path.startswith(self._prefix)
        }

    def __len__(self) -> int:
        """How many objects there are: commits, tags, trees and contents."""
        return len(self._paths)

    def versions(self, progress: Progress) -> Iterator[Version]:
        """Read every content and every message.

        Args:
            progress: told how many objects have been read, of how many.

        Raises:
            ProblemError: `git-not-usable`: an object is missing or git ended early.
        """
        with tempfile.TemporaryFile() as names:
            names.writelines(f"{name}\n".encode() for name in self._readable())
            names.seek(0)
            with self._git.reading("cat-file", "--batch", "--buffer", given=names) as stream:
                for number, (name, kind, content) in enumerate(_objects(stream)):
                    progress(number, len(self._paths))
                    yield Version(object=name, text=self._text(name, kind, content))

    def first_commit(self, version: str) -> str | None:
        """The commit that brought a content, as `a1b2c3d 2026-03-02`; None where no commit has it alone."""
        told = self._git.run(
            "log",
            "--all",
            "--reflog",
            "--reverse",
            "--no-textconv",
            f"--find-object={version}",
            "--format=%h %cs",
            deadline=LIST_SECONDS,
        )
        lines = told.decode("ascii", "replace").splitlines()
        return lines[0] if lines else None

    def _list(self, *only: str) -> bytes:
        return self._git.run("rev-list", "--objects", "--all", "--reflog", *only, deadline=LIST_SECONDS)

    def _lain_in(self, folder: str) -> dict[str, str]:
        """The contents that ever lay in a folder, or that its part of the index holds."""
        only = ("--", f":(top,literal){folder}")
        past = {
            name: path
            for name, path in _listed(self._list("--full-history", *only))
            if path.startswith(self._prefix)
        }
        for entry in self._git.run("ls-files", "-z", "--full-name", "--stage", *only).split(b"\0"):
            about, _, path = entry.partition(b"\t")
            if about and not about.startswith(_SUBMODULE):
                past[about.split()[1].decode("ascii")] = path.decode("utf-8", "replace")
        return past

    def _readable(self) -> Iterable[str]:
        """The names of everything but trees: they hold names and no texts."""
        with tempfile.TemporaryFile() as names:
            names.writelines(f"{name}\n".encode() for name in self._paths)
            names.seek(0)
            asked = ("cat-file", "--batch-check=%(objectname) %(objecttype)", "--buffer")
            with self._git.reading(*asked, given=names) as stream:
                for line in stream:
                    name, _, kind = line.decode("ascii", "replace").strip().partition(" ")
                    if kind == "missing":
                        _missing(name)
                    if kind != "tree":
                        yield name

    def _text(self, name: str, kind: str, content: bytes) -> Text:
        if kind != "blob":
            return text_of(f"message of {kind} {name[:7]}", content.partition(b"\n\n")[2])
        return text_of(self._paths[name].removeprefix(self._prefix) or f"object {name[:7]}", content)


def require_whole(git: Git) -> None:
    """See that the history is all here.

    Raises:
        ProblemError: `history-not-whole`: this is a shallow clone.
    """
    if git.run("rev-parse", "--is-shallow-repository").strip() != b"true":
        return
    what = "this clone is shallow: most of its history is not here"
    fix = ("git fetch --unshallow; in a workflow, fetch-depth: 0",)
    raise ProblemError(Problem(reason="history-not-whole", what=what, fix=fix))


def _listed(listing: bytes) -> Iterator[tuple[str, str]]:
    for line in listing.removesuffix(b"\n").split(
        b"\n"
    ):  # the path of a file may hold any other end of a line
        name, _, path = line.partition(b" ")
        yield name.decode("ascii"), path.decode("utf-8", "replace")


def _objects(stream: IO[bytes]) -> Iterator[tuple[str, str, bytes]]:
    while header := stream.readline():
        fields = header.decode("ascii", "replace").split()
        if len(fields) != _HEADER_FIELDS:
            _missing(fields[0] if fields else "?")
        name, kind, size = fields[0], fields[1], int(fields[2])
        content = stream.read(min(size, MAX_TEXT + 1))
        left = size - len(content) + 1  # and the line's end
        while left > 0 and (skipped := stream.read(min(left, _READ_AT_ONCE))):
            left -= len(skipped)
        if left > 0:
            _missing(name)
        yield name, kind, content


def _missing(name: str) -> None:
    unusable(f"the object {name[:7]} is not in this clone, or is damaged")
