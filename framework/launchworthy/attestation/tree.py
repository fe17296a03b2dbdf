"""Which commit is this tree, and is it that commit byte for byte?

`git status` is not asked: its answer depends on an index, on filters, file monitors and exclusions that the
project's own repository configures, and some of those run commands. Instead git only hands out objects, and
1. the commit's bytes hash to the commit's name, and name a tree;
2. the listed files hash to the name of that tree (`git_objects`);
3. every file of the working tree hashes to the name that the tree has for it;
4. and no other file lies there, but for what git ignores.
Content is compared as it lies on the disk: line endings and smudge filters that change it make it differ.
"""

import os
import stat
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from launchworthy.attestation.git import Git, unusable
from launchworthy.attestation.git_objects import TreeEntry, object_name, tree_name
from launchworthy.vocabulary import Problem, ProblemError

_SHOWN = 5
_SHOWN_COMMIT = 7
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
    git = Git(root, environ)
    commit = git.run("rev-parse", "--verify", "--quiet", "HEAD").decode("ascii").strip()
    content = git.run("cat-file", "commit", commit)
    if object_name("commit", content, like=commit) != commit:  # 1
        unusable(f"commit {commit[:_SHOWN_COMMIT]} is not what its name says")
    tree = content.split(b"\n", 1)[0].removeprefix(b"tree ").decode("ascii")
    entries = tuple(_entries(git.run("ls-tree", "-r", "-z", "--full-tree", tree)))
    if tree_name(entries, like=tree) != tree:  # 2
        unusable(f"the tree of commit {commit[:_SHOWN_COMMIT]} is not what its name says")
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
