"""How is git asked, without doing anything that the repository it is asked about wants done?

git runs without hooks, file monitor, pager, signature checker, transports, lazy fetching, replacement
objects, grafts, a graph of commits that was computed before, and the caller's `GIT_*` variables, from an
absolute path outside the tree.
"""

import os
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO, NoReturn

from launchworthy.vocabulary import Problem, ProblemError

_LOOK = "see what `git status` says here; a shallow clone is enough, a partial one is not"
_DEADLINE = 30.0
_KEPT_VARIABLES = ("PATH", "HOME", "XDG_CONFIG_HOME")
_VARIABLES = {
    "GIT_ALLOW_PROTOCOL": "none",
    "GIT_ATTR_NOSYSTEM": "1",
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_GRAFT_FILE": os.devnull,
    "GIT_NO_LAZY_FETCH": "1",
    "GIT_NO_REPLACE_OBJECTS": "1",
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_TERMINAL_PROMPT": "0",
    "LC_ALL": "C",
}
_SETTINGS = (
    "core.commitGraph=false",
    "core.fsmonitor=false",
    "core.hooksPath=/dev/null",
    "core.untrackedCache=false",
    "core.pager=cat",
    "diff.external=",
    "log.showSignature=false",
)


class Git:
    """git, for one working tree, doing nothing that its repository asks for.

    Attributes:
        top: the tree's highest directory.
    """

    def __init__(self, root: Path, environ: Mapping[str, str]) -> None:
        """Find the working tree that `root` lies in, and a git outside it.

        Args:
            root: a directory.
            environ: the caller's environment, of which git gets PATH, HOME and XDG_CONFIG_HOME.

        Raises:
            ProblemError: `no-git`, or `git-not-usable`.
        """
        start = root.resolve()
        tops = [each for each in (start, *start.parents) if (each / ".git").exists()]
        if not tops:
            what = "is in no git working tree, so there is no commit that could have been promoted"
            fix = ("build the wheel in a clone, not from an unpacked sdist: uv build --wheel",)
            raise ProblemError(Problem(reason="no-git", where=str(root), what=what, fix=fix))
        self.top = tops[0]
        self._executable = self._find(environ.get("PATH", os.defpath))
        self._environ = {name: environ[name] for name in _KEPT_VARIABLES if name in environ} | _VARIABLES

    def _find(self, path: str) -> str:
        """Find git in an absolute directory outside the tree: a tree brings no tools to be judged with."""
        trusted = [
            each
            for each in path.split(os.pathsep)
            if Path(each).is_absolute() and not Path(each).resolve().is_relative_to(self.top)
        ]
        found = shutil.which("git", path=os.pathsep.join(trusted))
        if found is None:
            unusable("there is no git outside the project")
        return found

    def run(self, *arguments: str, deadline: float | None = None) -> bytes:
        """What a command of git prints.

        Raises:
            ProblemError: `git-not-usable`: it failed, or took longer than `deadline` seconds (30).
        """
        limit = _DEADLINE if deadline is None else deadline
        try:
            done = subprocess.run(  # noqa: S603 - arguments of our own
                self._command(arguments),
                cwd=self.top,
                env=self._environ,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                timeout=limit,
                check=False,
            )
        except subprocess.TimeoutExpired:
            unusable(f"`git {arguments[0]}` took longer than {limit:.0f} s")
        except OSError as error:
            unusable(f"git cannot be run: {error.strerror}")
        if done.returncode != 0:
            if arguments[0] == "rev-parse":
                unusable("there is no commit yet", 'git add -A && git commit -m "the first"')
            unusable(f"`git {arguments[0]}` ended with {done.returncode}")
        return done.stdout

    def hands(self, commit: str) -> frozenset[str]:
        """The mail addresses of a commit's author and committer, folded.

        Raises:
            ProblemError: `git-not-usable`: there is no such commit.
        """
        told = self.run("log", "-1", "--format=%ae%n%ce", commit).decode("utf-8", "replace")
        return frozenset(line.strip().casefold() for line in told.splitlines())

    @contextmanager
    def reading(self, *arguments: str, given: IO[bytes]) -> Iterator[IO[bytes]]:
        """A command that prints more than fits into memory, read while it runs; it ends with the block.

        Args:
            arguments: of git.
            given: what it reads: a file.

        Raises:
            ProblemError: `git-not-usable`: it cannot be run.
        """
        try:
            process = subprocess.Popen(  # noqa: S603 - arguments of our own
                self._command(arguments),
                cwd=self.top,
                env=self._environ,
                stdin=given,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
            )
        except OSError as error:
            unusable(f"git cannot be run: {error.strerror}")
        with process:
            try:
                if process.stdout is not None:
                    yield process.stdout
            finally:
                process.kill()

    def _command(self, arguments: tuple[str, ...]) -> list[str]:
        settings = [part for setting in _SETTINGS for part in ("-c", setting)]
        return [
            self._executable,
            f"--git-dir={self.top / '.git'}",
            f"--work-tree={self.top}",
            *settings,
            *arguments,
        ]


def unusable(what: str, fix: str = _LOOK) -> NoReturn:
    """Refuse what git says, or that it says nothing.

    Raises:
        ProblemError: `git-not-usable`.
    """
    raise ProblemError(Problem(reason="git-not-usable", what=what, fix=(fix,)))
