"""Does this wheel hold this tree, and nothing else? Compared file by file; nothing is built and nothing run.

A wheel that somebody else has built is a stranger's: its digest says what it is, and not where it came from.
So every file of its package is compared with the tree's, byte for byte, its declarations with those that the
tree declares, and there is nothing beside the package: no second package that would lie over the framework's
or a dependency's, no `.pth` and no `sitecustomize` that would run before anything is verified.
"""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Final, NoReturn

from launchworthy.attestation.content import wheel_files
from launchworthy.attestation.project_files import DIRECTORY, packaged_files
from launchworthy.attestation.tree import GitFacts
from launchworthy.vocabulary import Problem, ProblemError

_LIMIT: Final = 64 * 1024 * 1024
_SHOWN: Final = 7
_EVERYTHING: Final = re.compile(r".+", re.DOTALL)
_METADATA: Final = re.compile(
    r"[^/]+\.dist-info/(METADATA|WHEEL|RECORD|entry_points\.txt|licenses/.+|extra_metadata/[^/]+\.json)",
    re.ASCII,
)


def require_wheel_of(root: Path, wheel: Path, git: GitFacts) -> None:
    """See that a wheel holds files of a project's commit, as they lie in its tree.

    Args:
        root: the project; whether its files are as committed is somebody else's question.
        wheel: built from it, by whomever.
        git: of the working tree: a file that git ignores lies there too, and is in no commit.

    Raises:
        ProblemError: `wheel-of-another-tree`; or the wheel cannot be read.
    """
    files = dict(wheel_files(wheel, _EVERYTHING, limit=_LIMIT))
    package, found = _package(files, wheel)
    source = next((each for each in (root / "src" / package, root / package) if each.is_dir()), None)
    if source is None:
        _refuse(wheel, f"holds the package `{package}`, which the tree has not")
    prefix = root.resolve().relative_to(git.top)
    declared = {path for path in found if path.startswith(f"{DIRECTORY}/")}
    for path, content in found.items():
        theirs = root / path.removeprefix(f"{DIRECTORY}/") if path in declared else source / path
        if not _is(theirs, content):
            _refuse(wheel, f"holds `{package}/{path}`, which is not the tree's")
        if (prefix / theirs.relative_to(root)).as_posix() not in git.tracked:
            _refuse(wheel, f"holds `{package}/{path}`, which commit {git.commit[:_SHOWN]} does not hold")
    missing = sorted({f"{DIRECTORY}/{path}" for path in packaged_files(root)} - declared)
    if missing:
        _refuse(wheel, f"lacks `{package}/{missing[0]}`, which the tree declares")


def _package(files: Mapping[str, bytes], wheel: Path) -> tuple[str, dict[str, bytes]]:
    """The one package of a wheel, and its files by their paths in it."""
    beside = [path for path in files if _METADATA.fullmatch(path) is None]
    names = sorted({path.partition("/")[0] for path in beside})
    if len(names) != 1 or any("/" not in path for path in beside):
        shown = ", ".join(f"`{name}`" for name in names[:4]) or "nothing"
        _refuse(wheel, f"holds {shown}, and a promoted wheel holds one package and nothing beside it")
    return names[0], {path.partition("/")[2]: files[path] for path in beside}


def _is(path: Path, content: bytes) -> bool:
    try:
        return path.lstat().st_size == len(content) and not path.is_symlink() and path.read_bytes() == content
    except OSError:
        return False


def _refuse(wheel: Path, what: str) -> NoReturn:
    fix = (
        "build it from a clean tree; what a build would make or add is committed instead:",
        "launchworthy promote",
    )
    raise ProblemError(Problem(reason="wheel-of-another-tree", where=wheel.name, what=what, fix=fix))
