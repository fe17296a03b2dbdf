"""What does this project's code say of itself? Asked by the gate in a child process; prints one JSON object.

`python -I -m launchworthy.server.describing <package>`: imports the project, opens nothing, serves nothing.
The gate validates the answer like a stranger's, because it is one.
"""

import importlib
import json
import sys
from typing import Any

from launchworthy.enforcement.published import published_of
from launchworthy.manifest import Mark, Server, load_manifests, match
from launchworthy.settings import check_settings_class, find_project, settings_schema
from launchworthy.vocabulary import ProblemError

VERSION = 1


def main() -> None:
    """Describe the package that is named on the command line."""
    [package] = sys.argv[1:]
    sys.stdout.write(json.dumps(describe(package)) + "\n")


def describe(package: str) -> dict[str, Any]:
    """Everything the gate wants to know of the code, and the problems that keep it from being known."""
    server = getattr(importlib.import_module(f"{package}.server"), "server", None)
    if not isinstance(server, Server):
        return _answer(problems=[{"reason": "no-server", "what": f"`{package}.server` has no `server`"}])
    try:
        marks = server.marks()
    except ProblemError as error:
        return _answer(problems=[problem.as_json() for problem in error.problems])
    app = server.settings
    weak = list(check_settings_class(app)) if app is not None else []
    schema = settings_schema(app if not weak else None)
    return _described(package, marks, weak, schema)


def _described(
    package: str, marks: tuple[Mark, ...], weak: list[str], schema: dict[str, Any]
) -> dict[str, Any]:
    registered = [{"kind": mark.kind.value, "name": mark.name, "where": mark.where} for mark in marks]
    try:
        manifests = load_manifests(find_project(package).manifests())
        published = published_of(match(manifests, marks))
    except ProblemError as error:
        problems = [problem.as_json() for problem in error.problems]
        return _answer(registered=registered, weak=weak, schema=schema, problems=problems)
    targets = [
        {"kind": kind.value, "name": name, "published": dict(said)}
        for (kind, name), said in published.items()
    ]
    return _answer(registered=registered, weak=weak, schema=schema, targets=targets)


def _answer(**found: Any) -> dict[str, Any]:
    empty: dict[str, Any] = {"registered": [], "weak": [], "schema": {}, "targets": [], "problems": []}
    return {"version": VERSION, **empty, **found}


if __name__ == "__main__":
    main()
