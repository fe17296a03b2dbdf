"""Where is the control list that a command reads and changes? A file, or the store that the settings name."""

import asyncio
import fcntl
import os
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from launchworthy.cli.ending import undecided_on_problems
from launchworthy.vocabulary import Problem, ProblemError

if TYPE_CHECKING:
    from launchworthy.settings import Settings
    from launchworthy.state.control import Entry, SealedList

    Entries = tuple[Entry, ...]
T = TypeVar("T")
_LOOK_SECONDS = 0.05
_PATIENCE = 5.0
"""Seconds: better a slow stop than none."""


class FilePlace:
    """A file.

    Attributes:
        name: as people call it.
        option: what names it on the command line.
    """

    def __init__(self, path: Path, *, may_be_missing: bool) -> None:
        """Name the file; one that was said by name may begin with this change."""
        self._path = path
        self._may_be_missing = may_be_missing
        self.name = str(path)
        self.option = f"--file {path}"

    def entries(self) -> "Entries":
        """What stands there.

        Raises:
            ProblemError: it is not there, or is no list.
        """
        from launchworthy.state.control.writing import read_entries

        return read_entries(self._path)

    def change(self, edit: "Callable[[Entries], Entries]") -> None:
        """Put other entries in place of what stands there; of two commands at once one waits for the other.

        Where nothing stood, `name` says so from then on.

        Raises:
            ProblemError: they are no list, nobody may write there, or another command does not end.
        """
        from launchworthy.state.control.writing import write_entries

        with _alone(self._path):
            missing = self._may_be_missing and not self._path.exists()
            if missing:
                self.name = f"{self._path}, which is new"
            write_entries(self._path, edit(() if missing else self.entries()))


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    """Keep other commands from this file: without, the later of two would take out what the earlier wrote.

    The folder is locked, since the file itself is replaced by each change.

    Raises:
        ProblemError: another command has it for longer than anybody waits.
    """
    try:
        folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError:
        yield  # what is wrong with it, writing says
        return
    try:
        _lock(folder, path)
        yield
    finally:
        os.close(folder)


def _lock(folder: int, path: Path) -> None:
    until = time.monotonic() + _PATIENCE
    while True:
        try:
            fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() < until:
                time.sleep(_LOOK_SECONDS)
                continue
            what = "is being changed by another command, which does not end"
            fix = ("see what runs: ps -ef | grep launchworthy", "or write the file by hand: RUNBOOK.md")
            raise ProblemError(
                Problem(reason="control-file-busy", where=str(path), what=what, fix=fix)
            ) from None
        except OSError:  # a file system without locks: better a stop that can get lost than none
            return
        else:
            return


class StorePlace:
    """The sealed list in the store that the settings here name.

    Attributes:
        name: as people call it.
        option: what names it on the command line.
    """

    name = "the store"
    option = "--store"

    def entries(self) -> "Entries":
        """What stands there.

        Raises:
            ProblemError: it is not there, or is not sealed by the key here.
        """

        async def read(kept: "SealedList") -> "Entries":
            return (await kept.read()).entries

        return _in_store(read)

    def change(self, edit: "Callable[[Entries], Entries]") -> None:
        """Put other entries in place of what stands there.

        Raises:
            ProblemError: they are no list, or somebody else was quicker.
        """

        async def replace(kept: "SealedList") -> None:
            before = await kept.read()
            await kept.replace(before, edit(before.entries), now=time.time())

        _in_store(replace)

    def create(self) -> None:
        """Keep an empty list there.

        Raises:
            ProblemError: there is one.
        """

        async def create(kept: "SealedList") -> None:
            await kept.create(now=time.time())

        _in_store(create)


def place_of(file: Path | None, *, store: bool) -> FilePlace | StorePlace:
    """What was said; otherwise the store where the settings here have a key for its list, else their file."""
    with undecided_on_problems():
        if file is not None and store:
            what = "--file and --store are two places"
            raise ProblemError(Problem(reason="bad-value", what=what, fix=("say one of them",)))
        if file is not None:
            return FilePlace(file.absolute(), may_be_missing=True)
        if store:
            return StorePlace()
        control = _own_settings().control
        if control.key is not None:
            return StorePlace()
        if control.file is None:
            what = "the settings name no control list"
            raise ProblemError(Problem(reason="no-control-file", what=what, fix=("--file FILE",)))
        return FilePlace(control.file, may_be_missing=False)


def _in_store(ask: "Callable[[SealedList], Awaitable[T]]") -> T:
    """Open the store, ask once, and let go of it."""
    from launchworthy.server.state import sealed_list, start_store, valkey_store

    settings = _own_settings()
    if settings.state.kind != "valkey":
        what = "the settings name no store that replicas share: [state] kind is `memory`"
        fix = ("[state]", 'kind = "valkey"', "or write the file: --file FILE")
        raise ProblemError(Problem(reason="no-control-store", what=what, fix=fix, field="state.kind"))

    async def asked() -> T:
        store = valkey_store(settings, patience=_PATIENCE)
        try:
            kept = sealed_list(settings, store)
            await start_store(store)
            return await ask(kept)
        finally:
            await store.aclose()

    return asyncio.run(asked())


def _own_settings() -> "Settings":
    from launchworthy.cli.own_server import own_settings

    return own_settings(os.environ)
