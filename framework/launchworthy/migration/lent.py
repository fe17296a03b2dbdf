"""Where does a project get the framework before it is in an index? From a wheel that a clone lent it.

`-s new` and `-s lend` of a clone put it into `.launchworthy/wheels`, and a line of `pyproject.toml` names
it, because uv takes nothing else. After an update that line has to name the wheel that the new pin takes.
"""

import re
import tomllib
from pathlib import Path
from typing import Final

from launchworthy.migration.releases import Release, release
from launchworthy.vocabulary import Problem, ProblemError

WHEELS: Final = Path(".launchworthy", "wheels")
_LINE: Final = re.compile(
    r'^(launchworthy = \{ path = "\.launchworthy/wheels/)launchworthy-[^"/]+\.whl(" \})$', re.MULTILINE
)
_PINNED: Final = re.compile(r"launchworthy~=(\d+)\.(\d+)\.(\d+)")


def take_lent(root: Path) -> str | None:
    """Name the newest wheel that the pin takes; its name where that is a new one, None where nothing changed.

    Raises:
        ProblemError: `framework-not-lent`: the pin has moved, and no wheel that it takes is here.
    """
    settings = root / "pyproject.toml"
    text = settings.read_text(encoding="utf-8")
    if _LINE.search(text) is None:
        return None
    least = _pin(text)
    wheels = {each.name: _version(each.name) for each in (root / WHEELS).glob("launchworthy-*.whl")}
    fitting = {
        name: version
        for name, version in wheels.items()
        if version is not None and version.line == least.line and version >= least
    }
    if not fitting:
        what = f"this version needs launchworthy {least} or a patch of it, and the wheel here is another"
        fix = (
            "in the clone that lent it, at that version: python3 noxfile.py -s lend -- DIRECTORY",
            "commit, and again: python3 noxfile.py -s upgrade",
        )
        raise ProblemError(Problem(reason="framework-not-lent", where=str(WHEELS), what=what, fix=fix))
    newest = max(fitting, key=lambda name: fitting[name])
    lent = _LINE.sub(lambda found: f"{found[1]}{newest}{found[2]}", text)
    if lent == text:
        return None
    settings.write_text(lent, encoding="utf-8")
    return newest


def _pin(text: str) -> Release:
    dependencies = tomllib.loads(text).get("project", {}).get("dependencies", ())
    for each in dependencies:
        found = _PINNED.fullmatch(each)
        if found is not None:
            return Release(*map(int, found.groups()))
    what = "has no dependency `launchworthy~=X.Y.0`"
    fix = ("take the managed lines of [project] dependencies back from git",)
    raise ProblemError(Problem(reason="framework-not-pinned", where="pyproject.toml", what=what, fix=fix))


def _version(name: str) -> Release | None:
    return release(name.split("-")[1])
