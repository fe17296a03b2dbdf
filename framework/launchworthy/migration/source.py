"""Which releases does a template have? Its repository is asked, by git, with the user's own access."""

import os
import re
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Final, NoReturn

from launchworthy.migration.releases import Release, Standing, release
from launchworthy.vocabulary import Problem, ProblemError

_SHORT: Final = {"gh:": "https://github.com/", "gl:": "https://gitlab.com/"}
_PROTOCOLS: Final = "file:git:http:https:ssh"
_DEADLINE: Final = 120.0


def releases_at(at: Standing, root: Path, environ: Mapping[str, str]) -> frozenset[Release]:
    """Every release that the template's repository has a tag for.

    Args:
        at: where the project stands.
        root: the project's folder, which a relative source is relative to.
        environ: the caller's environment: git needs what reaches the repository.

    Raises:
        ProblemError: `template-not-reached`.
    """
    lines = _ask(at, root, environ, "ls-remote", "--tags", "--refs", "--", address(at.source)).splitlines()
    named = (release(line.partition("\trefs/tags/")[2]) for line in lines if "\trefs/tags/v" in line)
    return frozenset(each for each in named if each is not None)


def newest_commit(at: Standing, root: Path, environ: Mapping[str, str]) -> str:
    """The commit of a template that has no release yet.

    Raises:
        ProblemError: `template-not-reached`.
    """
    found = re.match(
        r"[0-9a-f]{40,64}\b", _ask(at, root, environ, "ls-remote", "--", address(at.source), "HEAD")
    )
    if found is None:
        _refuse(at, "has no commit")
    return found[0]


def address(source: str) -> str:
    """What git is told where Copier was told `source`."""
    short = next((each for each in _SHORT if source.startswith(each)), None)
    if short is not None:
        return _SHORT[short] + source.removeprefix(short).lstrip("/")
    plain = source.removeprefix("git+")
    return str(Path(plain).expanduser()) if plain.startswith("~") else plain


def _ask(at: Standing, root: Path, environ: Mapping[str, str], *arguments: str) -> str:
    held = {
        name: value
        for name, value in environ.items()
        if not name.startswith("GIT_") or name == "GIT_SSH_COMMAND"
    }
    told = {"GIT_ALLOW_PROTOCOL": _PROTOCOLS, "GIT_TERMINAL_PROMPT": "0", "LC_ALL": "C"}
    try:
        done = subprocess.run(  # noqa: S603 - the source is the project's own, and `--` stands before it
            ["git", *arguments],  # noqa: S607 - the user's git, as Copier uses it
            cwd=root,
            env=held | told,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_DEADLINE,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        _refuse(at, f"could not be asked: {type(error).__name__}")
    if done.returncode != 0:
        said = done.stderr.decode("utf-8", "replace").strip().splitlines()
        _refuse(at, f"did not answer: {said[0] if said else f'git ended with {done.returncode}'}")
    return done.stdout.decode("utf-8", "replace")


def _refuse(at: Standing, what: str) -> NoReturn:
    fix = (
        "can this machine reach it? its address is `_src_path` of .copier-answers.yml",
        f"for a mirror: git config --global url.<mirror>.insteadOf {address(at.source)}{os.sep}",
    )
    raise ProblemError(Problem(reason="template-not-reached", where=at.source, what=what, fix=fix))
