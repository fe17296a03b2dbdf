"""Which files of a project are judged and travel in its wheel? And what does a build know of itself?

The same files as the running server reads: manifests, rules, the settings of the two real environments,
`promotion.toml` and `launchworthy.lock`; and `uv.lock`, with which a start compares what is installed.
In the wheel they lie below `<package>/_launchworthy/`, each under its path in the project;
`config/development.toml` is in no wheel.
"""

import hashlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NoReturn

from launchworthy.attestation.content import files_digest
from launchworthy.attestation.facts import Facts
from launchworthy.attestation.statement import Subject
from launchworthy.attestation.tree import GitFacts
from launchworthy.vocabulary import Environment, Problem, ProblemError

DIRECTORY = "_launchworthy"
"""Below the package, in the wheel only."""
GROUPS: Mapping[Subject, tuple[str, ...]] = {
    Subject.MANIFEST_FILES: ("manifests/*.toml",),
    Subject.POLICY_FILES: ("policy/**/*.cedar",),
    Subject.SETTINGS_FILES: ("config/staging.toml", "config/production.toml"),
    Subject.PROMOTION_FILES: ("promotion.toml",),
    Subject.LOCK: ("launchworthy.lock",),
}
"""What is digested together and put into the wheel, as patterns relative to the project."""
UV_LOCK = "uv.lock"
_LIMIT = 1024 * 1024
_UV_LOCK_LIMIT = 64 * 1024 * 1024


def read_group(root: Path, subject: Subject) -> dict[str, bytes]:
    """The files of one group: relative path → content, sorted; none is an answer too.

    Raises:
        ProblemError: one is a link, too long, or cannot be read.
    """
    return {
        path: _read(root, path, _LIMIT) for pattern in GROUPS[subject] for path in _matches(root, pattern)
    }


def packaged_files(root: Path) -> tuple[str, ...]:
    """The relative paths of all files that travel in the wheel, sorted; `uv.lock` too, where there is one.

    Raises:
        ProblemError: one is a link, too long, or cannot be read.
    """
    declared = [path for subject in GROUPS for path in read_group(root, subject)]
    if (root / UV_LOCK).exists():
        _read(root, UV_LOCK, _UV_LOCK_LIMIT)
        declared.append(UV_LOCK)
    return tuple(sorted(declared))


def read_tree_facts(root: Path, git: GitFacts, *, environment: Environment) -> Facts:
    """What a gated build compares before there is a wheel.

    Args:
        root: the project.
        git: of the working tree that it lies in.
        environment: for which is built.

    Raises:
        ProblemError: the tree is not clean, a lock is missing, or a judged file is in no commit.
    """
    git.require_clean()
    groups = {subject: read_group(root, subject) for subject in GROUPS}
    locks = {
        Subject.UV_LOCK: _read(root, UV_LOCK, _UV_LOCK_LIMIT),
        Subject.LOCK: _read(root, "launchworthy.lock", _LIMIT),
    }
    _require_tracked(root, git, (UV_LOCK, *(path for files in groups.values() for path in files)))
    digests = {subject: files_digest(files) for subject, files in groups.items()}
    digests |= {subject: hashlib.sha256(content).hexdigest() for subject, content in locks.items()}
    digests |= {Subject.COMMIT: git.commit, Subject.TREE: git.tree}
    return Facts(environment=environment, digests=digests)


def _matches(root: Path, pattern: str) -> Iterator[str]:
    for path in sorted(root.glob(pattern)):
        yield path.relative_to(root).as_posix()


def _require_tracked(root: Path, git: GitFacts, paths: tuple[str, ...]) -> None:
    """A file that git ignores is in no commit, and a record for a commit says nothing about it."""
    prefix = root.resolve().relative_to(git.top)
    ignored = [path for path in paths if (prefix / path).as_posix() not in git.tracked]
    if ignored:
        what = f"commit {git.commit[:7]} does not hold {', '.join(f'`{path}`' for path in ignored)}"
        fix = ("take it out of .gitignore and commit it",)
        raise ProblemError(Problem(reason="tree-not-clean", what=what, fix=fix))


def _read(root: Path, path: str, limit: int) -> bytes:
    """Read a file without following a link: what it led to would be in no digest of the tree."""
    place = root
    for part in Path(path).parts:
        place /= part
        if place.is_symlink():
            _refuse(
                "file-is-a-link", path, f"leads through the link `{place.name}`", "put the file itself there"
            )
    try:
        with place.open("rb") as stream:
            content = stream.read(limit + 1)
    except FileNotFoundError:
        _refuse("file-missing", path, "is not there", "make it (launchworthy lock; uv lock) and commit it")
    except OSError as error:
        _refuse("file-unreadable", path, f"cannot be read: {error.strerror}", "make it readable")
    if len(content) > limit:
        _refuse("file-too-long", path, f"has more than {limit} bytes", "make it shorter")
    return content


def _refuse(reason: str, where: str, what: str, fix: str) -> NoReturn:
    raise ProblemError(Problem(reason=reason, where=where, what=what, fix=(fix,)))
