"""Where does the control list come from? A mounted file, and what was written to the shared state."""

import asyncio
import os
import stat
from pathlib import Path
from typing import Protocol

from launchworthy.manifest import SourceFile
from launchworthy.state.control.entries import TOPIC, Entry, parse_control
from launchworthy.state.store import SharedEntries
from launchworthy.vocabulary import Problem, ProblemError

MAX_FILE = 256 * 1024


class Source(Protocol):
    """One place where entries are written."""

    @property
    def name(self) -> str:
        """`file` or `state`."""

    async def read(self) -> tuple[Entry, ...]:
        """Every entry that stands there now.

        Raises:
            ProblemError: what is there cannot be understood, or is not there at all.
            Refused: `limit.store`, it cannot be asked.
        """


class FileSource:
    """The mounted file. It is read whole each time, by its path: Kubernetes replaces it, editors do too."""

    name = "file"

    def __init__(self, path: Path) -> None:
        """Name the file; nothing is read yet."""
        self.path = path

    async def read(self) -> tuple[Entry, ...]:
        """Read it beside the event loop: a mount that hangs must not hold up every call."""
        content = await asyncio.to_thread(read_control_file, self.path)
        return parse_control(str(self.path), content, source=self.name)


class SharedSource:
    """What was written to the state for all replicas; the ids are the store's, the rest is sealed."""

    name = "state"

    def __init__(self, store: SharedEntries, opener: "EntryOpener") -> None:
        """Ask this store, and open with this."""
        self._store = store
        self._opener = opener

    async def read(self) -> tuple[Entry, ...]:
        """Read every entry; one that was not sealed by us is a list that cannot be believed."""
        found: list[Entry] = []
        for name, sealed in (await self._store.read_entries()).items():
            text = self._opener.open(name, sealed)
            parsed = parse_control(f"state:{name}", text, source=self.name)
            if [each.id for each in parsed] != [name]:
                raise ProblemError(foreign_entry(name))
            found += parsed
        return tuple(found)


class EntryOpener(Protocol):
    """Was this sealed by one of us?"""

    def open(self, name: str, sealed: bytes) -> bytes:
        """The text of one entry.

        Raises:
            ProblemError: it was sealed by nobody that has our key, or for another id.
        """


def read_control_file(path: Path) -> bytes:
    """Read a control file.

    Raises:
        ProblemError: it is not there, no file, or cannot be read.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
        with os.fdopen(descriptor, "rb") as stream:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                raise ProblemError(_problem("control-file-unreadable", path, "is no file"))
            content = stream.read(MAX_FILE + 1)
    except FileNotFoundError:
        raise ProblemError(
            _problem("control-file-missing", path, "is not there, and the settings name it")
        ) from None
    except OSError as error:
        raise ProblemError(
            _problem("control-file-unreadable", path, f"cannot be read: {error.strerror}")
        ) from None
    if len(content) > MAX_FILE:
        raise ProblemError(
            _problem("control-file-unreadable", path, f"is larger than {MAX_FILE // 1024} KiB")
        )
    return content


def foreign_entry(name: str) -> Problem:
    """Of an entry in the shared state that none of us wrote."""
    source = SourceFile(path=f"state:{name[:64]!a}", text="", topic=TOPIC)
    what = "is no entry that was sealed with this server's key"
    return source.problem(
        "control-entry-forged",
        (),
        what,
        "take it out: launchworthy control resume; and ask who can write",
    )


def _problem(reason: str, path: Path, what: str) -> Problem:
    fix = ("mount it, readable for this process; an empty file stops nothing",)
    return Problem(reason=reason, where=str(path), what=what, fix=fix, field="control.file")
