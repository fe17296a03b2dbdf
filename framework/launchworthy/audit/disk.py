"""How do bytes get into a file whole or not at all? A file that only grows, and a reserve."""

import errno
import os
import secrets
import stat
from pathlib import Path
from typing import Protocol

from launchworthy.audit.unwritable import AuditUnwritable

_FILE_FLAGS = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC
_FILE_MODE = 0o600
_DIRECTORY_FLAGS = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_DIRECTORY_MODE = 0o700
_BLOCK = bytes(64 * 1024)


class Disk(Protocol):
    """The four things that a disk can refuse."""

    def write(self, descriptor: int, data: bytes | memoryview) -> int:
        """Write and say how much was taken."""

    def truncate(self, descriptor: int, size: int) -> None:
        """Cut a file."""

    def sync(self, descriptor: int) -> None:
        """Wait until what was written would survive a loss of power."""

    def allocate(self, descriptor: int, size: int) -> None:
        """Take blocks for a file of this size."""


class RealDisk:
    """The operating system's."""

    write = staticmethod(os.write)
    truncate = staticmethod(os.ftruncate)
    sync = staticmethod(os.fdatasync if hasattr(os, "fdatasync") else os.fsync)

    def allocate(self, descriptor: int, size: int) -> None:
        """Allocate, by writing where the system has no call for it."""
        if hasattr(os, "posix_fallocate"):
            os.posix_fallocate(descriptor, 0, size)
            return
        for _ in range(-(-size // len(_BLOCK))):
            os.write(descriptor, _BLOCK)


class Directory:
    """A directory that is ours: 0700 when we make it, and never writable by others.

    One that was there may also be writable by our own group, as a volume is that Kubernetes has given to
    the pod's `fsGroup`. Held open, so that what happens to its path later cannot lead us elsewhere.
    """

    def __init__(self, path: Path) -> None:
        """Open it, and make it where it is missing.

        Raises:
            AuditUnwritable: it cannot be made or opened, is a symbolic link, or others may write in it.
        """
        self.path = path
        try:
            path.mkdir(mode=_DIRECTORY_MODE, parents=True, exist_ok=True)
            self._descriptor = os.open(path, _DIRECTORY_FLAGS)
        except OSError as error:
            raise AuditUnwritable(f"the audit directory `{path}` cannot be used: {why(error)}") from None
        if not _is_ours(os.fstat(self._descriptor)):
            self.close()
            raise AuditUnwritable(
                f"others may write in `{path}`; name a directory below it, which is then made"
            )

    def create(self, name: str) -> int:
        """Make a file that did not exist, for appending, 0600; its name is on the disk already."""
        descriptor = os.open(name, _FILE_FLAGS, _FILE_MODE, dir_fd=self._descriptor)
        os.fsync(self._descriptor)
        return descriptor

    def create_unnamed(self) -> int:
        """Make a file without a name: whatever ends this process gives its blocks back."""
        name = f".reserve-{secrets.token_hex(8)}"
        descriptor = os.open(name, _FILE_FLAGS & ~os.O_APPEND, _FILE_MODE, dir_fd=self._descriptor)
        os.unlink(name, dir_fd=self._descriptor)
        return descriptor

    def open(self, name: str) -> int:
        """Open a regular file for reading."""
        descriptor = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=self._descriptor)
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            os.close(descriptor)
            raise OSError(errno.EINVAL, "not a regular file")
        return descriptor

    def names(self) -> list[str]:
        """What lies in it."""
        return os.listdir(self._descriptor)  # noqa: PTH208 - by the descriptor, not by the path

    def holds(self, name: str, descriptor: int) -> bool:
        """Whether the name still leads to that file."""
        try:
            found = os.stat(name, dir_fd=self._descriptor, follow_symlinks=False)
        except OSError:
            return False
        return os.path.samestat(found, os.fstat(descriptor))

    def remove(self, name: str) -> None:
        """Remove a file: one that was made and not used, or a closed one after its time."""
        os.unlink(name, dir_fd=self._descriptor)

    def close(self) -> None:
        """Let go of it; may be called again."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1


class AppendFile:
    """A new file to which whole lines are added, and nothing else is ever done.

    Attributes:
        name: in its directory.
        size: bytes that were added whole.
        poisoned: why nothing may be added any more, or None.
    """

    def __init__(self, directory: Directory, name: str, disk: Disk) -> None:
        """Make the file.

        Raises:
            OSError: it exists, or cannot be made.
        """
        self.name = name
        self.size = 0
        self.poisoned: str | None = None
        self._directory = directory
        self._disk = disk
        self._descriptor = directory.create(name)

    def append(self, data: bytes) -> None:
        """Add bytes, all of them or none.

        Raises:
            OSError: they were not added; the file is as it was, and it may be tried again.
            AuditUnwritable: the file is poisoned.
        """
        if self.poisoned is not None:
            raise AuditUnwritable(self.poisoned)
        written = 0
        try:
            while written < len(data):
                written += self._write(data if written == 0 else memoryview(data)[written:])
        except BaseException:
            self._roll_back()
            raise
        self.size += len(data)

    def sync(self) -> None:
        """Wait for the disk. A failure poisons the file: what was lost cannot be known (never retry fsync).

        Raises:
            AuditUnwritable: the disk said no.
        """
        try:
            self._disk.sync(self._descriptor)
        except OSError as error:
            self.poisoned = f"the disk did not take the audit file: {why(error)}"
            raise AuditUnwritable(self.poisoned) from None

    def inspect(self) -> None:
        """Poison the file if it was moved, removed, cut or written to by somebody else."""
        if self.poisoned is not None:
            return
        if not self._directory.holds(self.name, self._descriptor):
            self.poisoned = "the audit file was moved or removed"
        elif os.fstat(self._descriptor).st_size != self.size:
            self.poisoned = "the audit file was changed by somebody else"

    def close(self) -> None:
        """Close it; may be called again."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1
            self.poisoned = self.poisoned or "the audit file is closed"

    def _write(self, data: bytes | memoryview) -> int:
        taken = self._disk.write(self._descriptor, data)
        if taken <= 0:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return taken

    def _roll_back(self) -> None:
        try:
            self._disk.truncate(self._descriptor, self.size)
        except OSError as error:
            self.poisoned = f"half a record could not be taken back: {why(error)}"


class Reserve:
    """Blocks that are held back, so that running calls can end on the record when the disk is full.

    The file has no name: a crash gives the blocks back. On file systems that copy on write the reserve is
    a promise that the system may not keep; then those calls end without an outcome, and are reported so.
    """

    def __init__(self, directory: Directory, size: int, disk: Disk) -> None:
        """Hold the blocks.

        Raises:
            OSError: the disk is too full for that.
        """
        self._directory = directory
        self._size = size
        self._disk = disk
        self._descriptor = -1
        self.fill()

    @property
    def held(self) -> bool:
        """Whether there is something to give back."""
        return self._descriptor >= 0

    def fill(self) -> None:
        """Hold the blocks (again), and see that there is as much free besides.

        Raises:
            OSError: there is not; what was held before is held still.
        """
        held = self.held
        if not held:
            self._descriptor = self._directory.create_unnamed()
        try:
            self._disk.allocate(self._descriptor, 2 * self._size)
        except OSError:
            if not held:
                self.release()
            raise
        finally:
            if self.held:
                self._disk.truncate(self._descriptor, self._size)

    def release(self) -> None:
        """Give the blocks back to the disk."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1


def _is_ours(facts: os.stat_result) -> bool:
    """Whether only we (and root) can put files there or take them away."""
    group_may_write = bool(facts.st_mode & stat.S_IWGRP)
    return (
        facts.st_uid in (os.geteuid(), 0)
        and not facts.st_mode & stat.S_IWOTH
        and (not group_may_write or facts.st_gid == os.getegid())
    )


def why(error: OSError) -> str:
    """The system's own words, without the path."""
    return error.strerror or type(error).__name__
