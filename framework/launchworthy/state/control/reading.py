"""Where does the control list come from? First of all a mounted file that its server cannot write."""

import asyncio
import os
import stat
from pathlib import Path
from typing import Protocol

from launchworthy.state.control.entries import Entry, parse_control
from launchworthy.vocabulary import Problem, ProblemError

MAX_FILE = 256 * 1024


class Source(Protocol):
    """One place where entries are written."""

    @property
    def name(self) -> str:
        """`file` or `store`."""

    async def read(self) -> tuple[Entry, ...]:
        """Every entry that stands there now.

        Raises:
            ProblemError: what is there cannot be understood, or is not there at all.
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


def _problem(reason: str, path: Path, what: str) -> Problem:
    fix = ("mount it, readable for this process; an empty file stops nothing",)
    return Problem(reason=reason, where=str(path), what=what, fix=fix, field="control.file")
