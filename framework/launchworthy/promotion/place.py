"""Which project is here? Its folder and its package, by the names of files: nothing is imported."""

from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from launchworthy.vocabulary import Problem, ProblemError

_MARK = Path("manifests", "server.toml")


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a project is.

    Attributes:
        root: the folder that holds `manifests/server.toml`.
        package: what follows `python -m`: the one package of `src` that can be started.
    """

    root: Path
    package: str


def find_place(start: Path) -> Place:
    """Find the project at `start` or above it.

    Raises:
        ProblemError: `no-project`.
    """
    roots = [root for root in (start, *start.parents) if (root / _MARK).is_file()]
    if not roots:
        _refuse(start, f"is in no project: there is no `{_MARK}` in it or above it")
    return place_at(roots[0])


def place_at(root: Path) -> Place:
    """The project whose folder is `root`.

    Raises:
        ProblemError: `no-project`.
    """
    if not (root / _MARK).is_file():
        _refuse(root, f"is no project: there is no `{_MARK}`")
    mains = sorted((root / "src").glob("*/__main__.py"))
    if len(mains) != 1:
        _refuse(root, f"has {len(mains)} packages with a `__main__.py` below `src`, and a server is one")
    return Place(root=root, package=mains[0].parent.name)


def _refuse(where: Path, what: str) -> NoReturn:
    fix = ("run this inside a project; a new one: python3 noxfile.py -s new -- ../my-server",)
    raise ProblemError(Problem(reason="no-project", where=str(where), what=what, fix=fix))
