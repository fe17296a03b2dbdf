"""Where does one mutant of a control live? A reference project of its own, put back after each.

The project is judged by the real command line in a process of its own. Nothing of the gate runs here.
"""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from control_entries import By, Change, ControlMutant, In
from mutant_entries import ROOT, SOURCE, EntryError
from promoted_orders import PromotedOrders, environ

from launchworthy.promotion.building import WORKSHOP, build_and_install

ENVIRONMENT = "rehearsal"
_EXITS = {0, 1, 2}


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """What the gate said.

    Attributes:
        exit_code: None where it was not done in time.
        failed: the controls that do not hold, each with the first thing that was wrong.
        undecided: those that could not be decided, each with the reason.
        complaint: what it printed instead of a result.
        seconds: that it took.
    """

    exit_code: int | None
    failed: dict[str, str]
    undecided: dict[str, str]
    complaint: str
    seconds: float


class ControlPlace:
    """One reference project, cleared as it is, and a gate of its own that nobody edits meanwhile."""

    def __init__(self, where: Path) -> None:
        self._where = where
        self._moment = int(time.time())
        self._running: subprocess.Popen[str] | None = None
        self._project = PromotedOrders.make(where)
        self._kept = where / "git"
        shutil.copytree(self._root / ".git", self._kept, symlinks=True)
        self._gate = where / "gate"
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(ROOT / SOURCE, self._gate / "launchworthy", ignore=ignored)
        self._prepare()

    @property
    def _root(self) -> Path:
        return self._project.root

    @contextmanager
    def holding(self, mutant: ControlMutant) -> Iterator[None]:
        """The project, its environments and the gate as this mutant wants them; then as they were."""
        undo: list[tuple[Path, str]] = []
        try:
            if mutant.earlier:
                self._change(mutant.earlier, undo)
                self._project.commit()
            self._change(mutant.changes, undo)
            if mutant.lock:
                self._require(self._launchworthy("lock"))
            if self._project.run("git", "status", "--porcelain").stdout:
                self._project.commit()
            yield
        finally:
            for path, text in reversed(undo):
                self._write(path, text)
            shutil.rmtree(self._root / ".git")
            shutil.copytree(self._kept, self._root / ".git", symlinks=True)
            self._project.run("git", "reset", "-q", "--hard")
            self._project.run("git", "clean", "-q", "-f", "-d")
            self._prepare()

    def judge(self, *controls: str, by: By, seconds: int) -> Judged:
        """Let the command line judge the project: these controls, or all that reading decides."""
        rehearse = ("--rehearse",) if by is By.REHEARSAL else ()
        began = time.monotonic()
        code, said, complaint = self._launchworthy(
            "check", *controls, *rehearse, "--environment", ENVIRONMENT, "--format", "json", seconds=seconds
        )
        taken = time.monotonic() - began
        try:
            findings = json.loads(said)["findings"] if code in _EXITS and said else []
        except ValueError:
            findings = []
        found = {
            status: {each["control"]: each["message"] for each in findings if each["status"] == status}
            for status in ("fail", "error")
        }
        return Judged(
            exit_code=code,
            failed=found["fail"],
            undecided=found["error"],
            complaint="" if findings else complaint.strip()[-600:],
            seconds=taken,
        )

    def _change(self, changes: tuple[Change, ...], undo: list[tuple[Path, str]]) -> None:
        for change in changes:
            for path in self._paths(change):
                before = path.read_text() if path.is_file() else ""
                if change.where is not In.PROJECT:  # git puts that back
                    undo.append((path, before))
                self._write(path, change.applied_to(before))

    def _paths(self, change: Change) -> Iterator[Path]:
        match change.where:
            case In.PROJECT:
                yield self._root / change.file
            case In.RUNTIME:
                for home in self._environments():
                    [package] = home.glob("lib/*/site-packages/launchworthy")
                    yield package / change.file
            case In.GATE:
                yield self._gate / "launchworthy" / change.file

    def _environments(self) -> tuple[Path, ...]:
        """Where the framework is installed: for who asks the code, and for what is rehearsed."""
        return (self._root / ".venv", *(self._root / WORKSHOP).glob("environment-*"))

    def _prepare(self) -> None:
        """Have the environment in which rehearsals run; another lock removed it."""
        if len(self._environments()) == 1:
            build_and_install(self._root, python=self._root / ".venv" / "bin" / "python", environ=environ())

    def _launchworthy(self, *arguments: str, seconds: int = 120) -> tuple[int | None, str, str]:
        """Run the gate; whatever happens, nothing of it is left running."""
        python = str(self._root / ".venv" / "bin" / "python")
        self._running = process = subprocess.Popen(
            [sys.executable, "-m", "launchworthy.cli", *arguments, "--python", python],
            cwd=self._root, env=environ(PYTHONPATH=str(self._gate)), start_new_session=True, text=True,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip
        try:
            said, complaint = process.communicate(timeout=seconds)
        except subprocess.TimeoutExpired:
            self.end()
            said, complaint = process.communicate()
            return None, said, complaint
        finally:
            self._running = None
        return process.returncode, said, complaint

    def end(self) -> None:
        """End the gate, which takes away what it has started; from any thread."""
        if (process := self._running) is not None:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGTERM)

    def _require(self, done: tuple[int | None, str, str]) -> None:
        code, _, complaint = done
        if code != 0:
            raise EntryError(f"the lock could not be written: {complaint[-300:]}")

    def _write(self, path: Path, text: str) -> None:
        """A file of its own, with a time of its own: the old one may be a link into a cache, or compiled."""
        path.parent.mkdir(parents=True, exist_ok=True)
        path.unlink(missing_ok=True)
        path.write_text(text)
        self._moment += 1
        os.utime(path, (self._moment, self._moment))
