"""How does a run on a clean machine go? Clone, install, check, rehearse, each in empty folders."""

import json
import re
import shutil
import subprocess
import time
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from launchworthy.attestation.git import Git
from launchworthy.promotion.building import find_uv
from launchworthy.promotion.evidence.handover import (
    REHEARSED,
    SCHEMA,
    STEPS,
    HandoverEvidence,
    Step,
    environment_of_a_stranger,
)
from launchworthy.promotion.finding import Status
from launchworthy.vocabulary import Problem, ProblemError, printable

_SECONDS: Final = 900.0
_LENT: Final = ".launchworthy/wheels"
_TOLD: Final = 200


@dataclass(slots=True)
class CleanRun:
    """One run.

    Attributes:
        root: of the project that is handed over.
        scratch: an empty folder, which is somebody else's to remove.
        environ: of this process; the run gets the way to the indexes, and little else.
        clock: seconds since the epoch.
        tell: what is done now.
    """

    root: Path
    scratch: Path
    environ: Mapping[str, str]
    clock: Callable[[], float]
    tell: Callable[[str], None]
    _steps: list[Step] = field(default_factory=list)
    _lent: tuple[str, ...] = ()

    def play(self, *, server: str, operator: str) -> HandoverEvidence:
        """Do every step until one fails.

        Args:
            server: by its manifest.
            operator: whoever runs it.

        Raises:
            ProblemError: `handover-of-own-work`: they wrote the commit; or git or uv is not there.
        """
        commit = Git(self.root, self.environ).run("rev-parse", "HEAD").decode("ascii").strip()
        refuse_author(self.root, self.environ, commit, operator)
        for name in STEPS:
            self.tell(name)
            step = self._step(name, commit)
            self._steps.append(step)
            if not step.holds:
                break
        return HandoverEvidence.model_validate(
            {
                "schema": SCHEMA,
                "server": server,
                "commit": commit,
                "made_at": int(self.clock()),
                "operator": operator,
                "lent": self._lent,
                "steps": tuple(self._steps),
            }
        )

    @property
    def _clone(self) -> Path:
        return self.scratch / "clone"

    def _step(self, name: str, commit: str) -> Step:
        launchworthy = str(self._clone / ".venv" / "bin" / "launchworthy")
        match name:
            case "clone":
                return self._cloned(commit)
            case "install":
                uv = find_uv(self.environ)
                return self._ran(
                    name, [uv, "sync", "--quiet", "--locked", "--no-default-groups", "--group", "test"]
                )
            case "check":
                return self._ran(name, [launchworthy, "check", "--format", "json"], judge=_was_decided)
            case _:
                command = [launchworthy, "check", *REHEARSED, "--rehearse", "--format", "json"]
                return self._ran(name, command, judge=_all_hold)

    def _cloned(self, commit: str) -> Step:
        git = shutil.which("git", path=self.environ.get("PATH")) or "git"
        step = self._ran(
            "clone",
            [git, "clone", "--quiet", "--no-local", str(self.root), str(self._clone)],
            at=self.scratch,
        )
        if step.holds:
            here = [git, "-C", str(self._clone), "checkout", "--quiet", "--detach", commit]
            step = self._ran("clone", here, at=self.scratch)
        if step.holds:
            self._lent = tuple(self._take_along())
        return step

    def _take_along(self) -> list[str]:
        """Wheels beside the repository that `uv.lock` names by path and hash, as before a first release."""
        lock = self._clone / "uv.lock"
        packages = (
            tomllib.loads(lock.read_text(encoding="utf-8")).get("package", []) if lock.is_file() else []
        )
        taken = []
        for package in packages:
            path = str(package.get("source", {}).get("path", ""))
            hashes = [str(each.get("hash", "")) for each in package.get("wheels", ())]
            beside = path == f"{_LENT}/{Path(path).name}"  # and nowhere else, whatever leads there
            if beside and (self.root / path).is_file() and all(hashes):
                target = self._clone / path
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(self.root / path, target)
                taken.append(f"{Path(path).name} {' '.join(hashes)}")
        return taken

    def _ran(
        self,
        name: str,
        command: list[str],
        *,
        at: Path | None = None,
        judge: Callable[[int, bytes], str | None] = lambda code, _: None if code == 0 else f"exit {code}",
    ) -> Step:
        """Run one command as a stranger; `judge` says what is wrong with how it ended, or None."""
        home = self.scratch / "home"
        home.mkdir(exist_ok=True)
        began = time.monotonic()
        try:
            done = subprocess.run(  # noqa: S603 - git, uv, and what was installed from the lock
                command,
                cwd=at or self._clone,
                env=environment_of_a_stranger(self.environ, home),
                stdin=subprocess.DEVNULL,
                capture_output=True,
                timeout=_SECONDS,
                check=False,
            )
            code, wrong = done.returncode, judge(done.returncode, done.stdout)
            last = (_lines(done.stderr) or ["nothing on stderr"])[-1]
        except (OSError, subprocess.TimeoutExpired) as error:
            code, wrong, last = -1, type(error).__name__, "it was not there, or did not end"
        words = " ".join(Path(each).name if each.startswith("/") else each for each in command)
        return Step.model_validate(
            {
                "name": name,
                "command": words[:_TOLD],
                "seconds": round(time.monotonic() - began, 1),
                "exit_code": code,
                "holds": wrong is None,
                "says": "as it must" if wrong is None else printable(f"{wrong}: {last}")[:_TOLD],
            }
        )


def refuse_author(root: Path, environ: Mapping[str, str], commit: str, operator: str) -> None:
    """Refuse whoever wrote or committed what is handed over: they know what is written nowhere.

    Raises:
        ProblemError: `handover-of-own-work`.
    """
    if operator.casefold() in Git(root, environ).hands(commit):
        what = f"{operator} has written or committed what is handed over"
        fix = ("let somebody else run it, who has never done it",)
        raise ProblemError(Problem(reason="handover-of-own-work", what=what, fix=fix))


def _was_decided(code: int, said: bytes) -> str | None:
    """A check that decides everything has run, whether or not it holds: it says of itself what is missing."""
    del code
    undecided = [name for name, status in _findings(said) if status == Status.ERROR.value]
    if not _findings(said):
        return "it says nothing"
    return f"undecided: {', '.join(undecided)}" if undecided else None


def _all_hold(code: int, said: bytes) -> str | None:
    statuses = dict(_findings(said))
    missing = [name for name in REHEARSED if statuses.get(name) != Status.PASS.value]
    return f"exit {code}, not holding: {', '.join(missing)}" if missing else None


def _findings(said: bytes) -> list[tuple[str, str]]:
    try:
        report = json.loads(said)
    except ValueError:
        return []
    return [(str(each["control"]), str(each["status"])) for each in report.get("findings", [])]


def _lines(output: bytes) -> list[str]:
    text = re.sub(r"\x1b\[[0-9;]*m", "", output.decode("utf-8", "replace"))
    return [line.strip() for line in text.splitlines() if line.strip()]
