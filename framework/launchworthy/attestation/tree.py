"""Which commit is this tree, and is it that commit byte for byte?

`git status` is not asked: its answer depends on an index, on filters, file monitors and exclusions that the
project's own repository configures, and some of those run commands. Instead git only hands out objects, and
1. the commit's bytes hash to the commit's name, and name a tree;
2. the listed files hash to the name of that tree (`git_objects`);
3. every file of the working tree hashes to the name that the tree has for it;
4. and no other file lies there, but for what git ignores.
Content is compared as it lies on the disk: line endings and smudge filters that change it make it differ.

git runs without hooks, file monitor, pager, transports, lazy fetching, replacement objects and the caller's
`GIT_*` variables, from an absolute path outside the tree, for 30 s at most.
"""

import os
import shutil
import stat
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from launchworthy.attestation.git_objects import TreeEntry, object_name, tree_name
from launchworthy.vocabulary import Problem, ProblemError

_LOOK = "see what `git status` says here; a shallow clone is enough, a partial one is not"
_DEADLINE = 30
_SHOWN = 5
_SHOWN_COMMIT = 7
_KEPT_VARIABLES = ("PATH", "HOME", "XDG_CONFIG_HOME")
_VARIABLES = {
    "GIT_ALLOW_PROTOCOL": "none",
    "GIT_ATTR_NOSYSTEM": "1",
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_NO_LAZY_FETCH": "1",
    "GIT_NO_REPLACE_OBJECTS": "1",
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_TERMINAL_PROMPT": "0",
    "LC_ALL": "C",
}
_SETTINGS = (
    "core.fsmonitor=false",
    "core.hooksPath=/dev/null",
    "core.untrackedCache=false",
    "core.pager=cat",
    "diff.external=",
)
_LINK = b"120000"
_SUBMODULE = b"160000"


@dataclass(frozen=True, slots=True, kw_only=True)
class GitFacts:
    """What git knows of a working tree, verified.

    Attributes:
        top: its highest directory.
        commit: the name of HEAD, in hex.
        tree: the name of that commit's tree, in hex.
        tracked: the paths of that commit, relative to `top`.
        differing: paths that differ from it, missing and additional ones too, sorted.
    """

    top: Path
    commit: str
    tree: str
    tracked: frozenset[str]
    differing: tuple[str, ...]

    def require_clean(self) -> None:
        """Refuse a tree that is not its commit.

        Raises:
            ProblemError: files differ.
        """
        if not self.differing:
            return
        shown = ", ".join(self.differing[:_SHOWN])
        more = len(self.differing) - _SHOWN
        several = "files differ" if len(self.differing) > 1 else "file differs"
        what = f"{len(self.differing)} {several} from commit {self.commit[:_SHOWN_COMMIT]}: {shown}"
        fix = ("commit or stash them; to look without a record: launchworthy check --rehearse",)
        problem = Problem(
            reason="tree-not-clean", what=what + (f" and {more} more" if more > 0 else ""), fix=fix
        )
        raise ProblemError(problem)


def read_git_facts(root: Path, *, environ: Mapping[str, str]) -> GitFacts:
    """Look at the working tree that a directory lies in.

    Args:
        root: the project.
        environ: the caller's environment, of which git gets PATH, HOME and XDG_CONFIG_HOME.

    Raises:
        ProblemError: there is no repository, no commit or no usable git, or git's answers contradict it.
    """
    git = _Git(root, environ)
    commit = git.run("rev-parse", "--verify", "--quiet", "HEAD").decode("ascii").strip()
    content = git.run("cat-file", "commit", commit)
    if object_name("commit", content, like=commit) != commit:  # 1
        _unusable(f"commit {commit[:_SHOWN_COMMIT]} is not what its name says")
    tree = content.split(b"\n", 1)[0].removeprefix(b"tree ").decode("ascii")
    entries = tuple(_entries(git.run("ls-tree", "-r", "-z", "--full-tree", tree)))
    if tree_name(entries, like=tree) != tree:  # 2
        _unusable(f"the tree of commit {commit[:_SHOWN_COMMIT]} is not what its name says")
    differing = {entry.path for entry in entries if not _is_as_committed(git.top, entry)}  # 3
    tracked = frozenset(entry.path for entry in entries)
    listed = git.run("ls-files", "-z", "--cached", "--others", "--exclude-standard").split(b"\0")
    differing.update(path for path in listed if path and path not in tracked)  # 4
    return GitFacts(
        top=git.top,
        commit=commit,
        tree=tree,
        tracked=frozenset(os.fsdecode(path) for path in tracked),
        differing=tuple(sorted(_shown(path) for path in differing)),
    )


class _Git:
    """git, for one working tree, doing nothing that its repository asks for."""

    def __init__(self, root: Path, environ: Mapping[str, str]) -> None:
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
            _unusable("there is no git outside the project")
        return found

    def run(self, *arguments: str) -> bytes:
        command = [self._executable, f"--git-dir={self.top / '.git'}", f"--work-tree={self.top}"]
        for setting in _SETTINGS:
            command += ["-c", setting]
        try:
            done = subprocess.run(  # noqa: S603 - arguments of our own
                [*command, *arguments],
                cwd=self.top,
                env=self._environ,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                timeout=_DEADLINE,
                check=False,
            )
        except subprocess.TimeoutExpired:
            _unusable(f"`git {arguments[0]}` took longer than {_DEADLINE} s")
        except OSError as error:
            _unusable(f"git cannot be run: {error.strerror}")
        if done.returncode != 0:
            if arguments[0] == "rev-parse":
                _unusable("there is no commit yet", 'git add -A && git commit -m "the first"')
            _unusable(f"`git {arguments[0]}` ended with {done.returncode}")
        return done.stdout


def _entries(listing: bytes) -> Iterator[TreeEntry]:
    for line in listing.split(b"\0"):
        if line:
            about, _, path = line.partition(b"\t")
            mode, _, name = about.split(b" ")
            yield TreeEntry(path=path, mode=mode, name=name.decode("ascii"))


def _is_as_committed(top: Path, entry: TreeEntry) -> bool:
    path = top / os.fsdecode(entry.path)
    if entry.mode == _SUBMODULE:
        what = f"has the submodule `{_shown(entry.path)}`, whose content no commit of this repository names"
        fix = ("bring its files into this repository, or depend on it as a package",)
        raise ProblemError(Problem(reason="submodule-not-covered", what=what, fix=fix))
    try:
        status = path.lstat()
        if entry.mode == _LINK:
            content = os.fsencode(path.readlink())
        elif stat.S_ISREG(status.st_mode):
            content = path.read_bytes()
        else:
            return False
    except OSError:
        return False
    return object_name("blob", content, like=entry.name) == entry.name


def _shown(path: bytes) -> str:
    text = path.decode("utf-8", "backslashreplace")
    return "".join(char if char.isprintable() else "?" for char in text)


def _unusable(what: str, fix: str = _LOOK) -> NoReturn:
    raise ProblemError(Problem(reason="git-not-usable", what=what, fix=(fix,)))
