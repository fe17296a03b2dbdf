"""Where are a project's files? In its wheel, or in the source tree around the package; nowhere else.

Nothing reads the working directory. The wheel carries the files below `<package>/_launchworthy/`; an editable
install uses the nearest folder above the package that holds `manifests/server.toml`.
"""

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from launchworthy.vocabulary import Environment, Problem, ProblemError

CARRIED = "_launchworthy"
_PATTERNS = ("manifests/*.toml", "policy/**/*.cedar", "config/*.toml", "promotion.toml", "launchworthy.lock")
_MAX_FILE = 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class ProjectFiles:
    """What a project says, as bytes by relative path.

    Attributes:
        root: the folder that the paths are relative to.
        installed: whether this is a wheel's copy.
        package: the import name.
        files: relative POSIX path → content.
    """

    root: Path
    installed: bool
    package: str
    files: Mapping[str, bytes]

    def manifests(self) -> dict[str, bytes]:
        """`manifests/*.toml`."""
        return self._below("manifests/")

    def policy(self, environment: Environment) -> dict[str, bytes]:
        """`policy/*.cedar`, and `policy/<environment>/*.cedar`."""
        found = self._below("policy/")
        return {
            path: text
            for path, text in found.items()
            if path.count("/") == 1 or path.startswith(f"policy/{environment.value}/")
        }

    def config(self, environment: Environment) -> tuple[str, bytes] | None:
        """`config/<environment>.toml` and its content, if there is one."""
        path = f"config/{environment.value}.toml"
        return (path, self.files[path]) if path in self.files else None

    def _below(self, prefix: str) -> dict[str, bytes]:
        return {path: text for path, text in sorted(self.files.items()) if path.startswith(prefix)}


def find_project(package: str) -> ProjectFiles:
    """Find the files of an imported package.

    Raises:
        ProblemError: neither its wheel carries them nor does a folder above it hold them.
    """
    spec = find_spec(package)
    places = list(spec.submodule_search_locations or ()) if spec is not None else []
    if not places:
        raise ProblemError(_no_project(package))
    home = Path(places[0]).resolve()
    carried = home / CARRIED
    if carried.is_dir():
        return _read(carried, package, installed=True)
    for folder in home.parents:
        if (folder / "manifests" / "server.toml").is_file():
            return _read(folder, package, installed=False)
    raise ProblemError(_no_project(package))


def installed_package() -> str:
    """The one package of this interpreter that carries a project's files; in an image there is one.

    Raises:
        ProblemError: there is none, or there are several.
    """
    carrying = {
        found.parents[2].name
        for entry in sys.path
        if entry
        for found in Path(entry).glob(f"*/{CARRIED}/manifests/server.toml")
    }
    if len(carrying) != 1:
        what = f"{len(carrying)} installed packages are servers, and one is meant"
        raise ProblemError(Problem(reason="no-project", what=what, fix=("run this in the server's image",)))
    return carrying.pop()


def read_project(root: Path, package: str) -> ProjectFiles:
    """Read the files of a source tree; for the gate, which imports nothing of what it judges.

    Raises:
        ProblemError: a file is a link out of the tree, or larger than 1 MiB.
    """
    return _read(root.resolve(), package, installed=False)


def _read(root: Path, package: str, *, installed: bool) -> ProjectFiles:
    files = {}
    for pattern in _PATTERNS:
        for path in sorted(root.glob(pattern)):
            if path.is_file():
                files[path.relative_to(root).as_posix()] = _content(root, path)
    return ProjectFiles(root=root, installed=installed, package=package, files=files)


def _content(root: Path, path: Path) -> bytes:
    where = path.relative_to(root).as_posix()
    if not path.resolve().is_relative_to(root):
        raise ProblemError(_refused(where, "link-out-of-tree", "is a link to something outside the project"))
    if path.stat().st_size > _MAX_FILE:
        raise ProblemError(_refused(where, "file-too-large", f"is larger than {_MAX_FILE} bytes"))
    return path.read_bytes()


def _refused(where: str, reason: str, what: str) -> Problem:
    return Problem(reason=reason, where=where, what=what, fix=("put a file of the project's own there",))


def _no_project(package: str) -> Problem:
    return Problem(
        reason="no-project",
        what=f"the package `{package}` comes without its manifests",
        fix=(
            "build its wheel with the launchworthy build hook, or install it editable:",
            "[tool.hatch.build.hooks.launchworthy]",
        ),
    )
