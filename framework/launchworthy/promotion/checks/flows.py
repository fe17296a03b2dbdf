"""Can a caller's words become a command, code, a query, a file or a host? They are followed, ruff beside."""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from launchworthy.promotion.checks.assertions import broken, seen
from launchworthy.promotion.finding import Assertion
from launchworthy.promotion.flow.following import Following
from launchworthy.promotion.flow.modules import read_modules
from launchworthy.promotion.project import Project
from launchworthy.promotion.registry import registry

_SECONDS: Final = 30.0
_RULES: Final = "S102,S301,S302,S306,S307,S323,S501,S502,S503,S506,S509,S602,S604,S605,S609,S612,S701,S702"
"""Of ruff's security rules those that are wrong whatever is passed: the others are what is followed here."""
_SUPPRESSED = re.compile(r"#\s*(?:noqa(?::\s*(?P<codes>[A-Z0-9, ]+))?|nosec\b)")
_FIX: Final = (
    "give the argument a type without room (Literal, a number, an anchored pattern), or compare it first;",
    "query with parameters, start programs with a list, join below a folder and ask is_relative_to;",
    "where it must be so: a waiver of TL-03, with what is done instead",
)


@registry.check("TL-03")
def no_word_of_a_caller_becomes_more(project: Project) -> Iterator[Assertion]:
    """No argument reaches a shell, code, the text of a query, a file or a host; comments excuse nothing."""
    following = Following(read_modules(project.modules))
    found = {(harm.where, harm.what): harm.function for harm in following.harm}
    for (where, what), function in found.items():
        yield broken(f"`{function}` {what}", where, *_FIX)
    places = {where for where, _ in found}
    for where, what in _ruff(project):
        if where not in places:
            yield broken(f"ruff: {what}", where, *_FIX)
    ours = (text for path, text in project.texts() if _is_ours(path, project.package))
    suppressed = sum(_suppresses(line) for text in ours for line in text.splitlines())
    yield seen(f"the callers' words are followed through {following.functions} functions of the package")
    if suppressed:
        yield seen(f"{suppressed} comments that silence a security rule were counted, and excuse nothing")
    for target in project.manifests.targets.values():
        reaches = ", ".join(map(str, target.egress)) or "nothing but its upstreams"
        yield seen(f"`{target.name}` may connect to {reaches}")


def _is_ours(path: str, package: str) -> bool:
    return path.startswith(f"src/{package}/") and path.endswith(".py")


def _suppresses(line: str) -> bool:
    found = _SUPPRESSED.search(line)
    return found is not None and (
        found["codes"] is None or re.search(r"\bS[0-9]", found["codes"]) is not None
    )


def _ruff(project: Project) -> Iterator[tuple[str, str]]:
    """What ruff says, whatever settings and comments the project has; nothing where it is not installed."""
    ruff = _find_ruff(project)
    if ruff is None:
        return
    command = [ruff, "check", "--isolated", "--ignore-noqa", "--no-cache", "--exit-zero", "--select", _RULES]
    done = subprocess.run(  # noqa: S603 - ruff, found beside an interpreter or on the path
        [*command, "--output-format", "json", str(project.root / "src" / project.package)],
        cwd=project.root,
        env={"PATH": os.defpath},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=_SECONDS,
        check=False,
    )
    for each in _said(done.stdout):
        path = Path(each["filename"]).resolve().relative_to(project.root.resolve()).as_posix()
        yield f"{path}:{each['location']['row']}", f"{each['code']} {each['message'].rstrip('.')}"


def _find_ruff(project: Project) -> str | None:
    """Ruff beside the project's interpreter, beside ours, or on the path."""
    for interpreter in (project.python, Path(sys.executable)):
        if (beside := interpreter.with_name("ruff")).is_file():
            return str(beside)
    return shutil.which("ruff", path=project.environ.get("PATH", os.defpath))


def _said(output: bytes) -> list[dict[str, Any]]:
    """Its findings.

    Raises:
        ValueError: it says nothing that can be read; then nothing is decided.
    """
    said = json.loads(output)
    if not isinstance(said, list):
        raise TypeError("ruff answers with something else than a list")
    return said
