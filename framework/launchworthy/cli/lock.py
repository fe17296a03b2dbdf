"""What does the server promise now, and is it what was reviewed? `lock`, `lock --check`."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from launchworthy.cli.check import open_project
from launchworthy.cli.choices import TRUST_FILE
from launchworthy.cli.ending import NO, YES, end, say, undecided_on_problems
from launchworthy.vocabulary import Environment, Problem, ProblemError

if TYPE_CHECKING:
    from launchworthy.promotion.project import Project


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(short_help="Write what the server promises, as a diff to read.")(lock)


def lock(
    check: Annotated[
        bool, typer.Option("--check", help="Change nothing; 1 where it is out of date.")
    ] = False,
    python: Annotated[
        Path | None, typer.Option("--python", help="The interpreter of the project's environment.")
    ] = None,
) -> None:
    """Write launchworthy.lock: what tools, policy and settings promise, as a diff to read."""
    from launchworthy.promotion import lock as promise

    with undecided_on_problems():
        project = open_project(Environment.PRODUCTION, python, trust=TRUST_FILE)
        _need_code(project)
        before = (project.lock or b"").decode("utf-8", "replace")
        after = promise.render(project)
    changes = promise.difference(before, after)
    if check:
        if changes:
            differs = f"launchworthy.lock does not match: {changes[0]}"
            what = "there is no launchworthy.lock" if project.lock is None else differs
            say("held", Problem(reason="lock-out-of-date", what=what, fix=_FIX))
        end(NO if changes else YES)
    _write(project.root / promise.NAME, after)
    _write_schemas(project.root, project.answer.schema_)
    typer.echo(promise.unified(before, after) or "launchworthy.lock is as it was", nl=False)
    if before == after:
        typer.echo("")
    end(YES)


def _need_code(project: "Project") -> None:
    """A lock that leaves out what clients see would be taken for one that promises nothing.

    Raises:
        ProblemError: the code and the manifests disagree, or the code cannot be described.
    """
    if project.answer.problems:
        raise ProblemError(
            *(
                Problem(
                    reason=each.get("reason", "code-not-described"),
                    where=each.get("where"),
                    what=each.get("what", "the code cannot be described"),
                    fix=tuple(each.get("fix", "launchworthy check says more").splitlines()),
                )
                for each in project.answer.problems
            )
        )


_FIX = ("launchworthy lock, read its diff, commit it with the change",)


def _write(path: Path, text: str) -> None:
    """Replace a file whole: what is interrupted leaves the old one."""
    fresh = path.with_name(f".{path.name}.new")
    fresh.write_text(text, encoding="utf-8")
    fresh.replace(path)


def _write_schemas(root: Path, settings: dict[str, object]) -> None:
    """The JSON schemas that the `#:schema` lines of the project's files name."""
    from launchworthy.manifest import json_schemas

    folder = root / ".launchworthy"
    folder.mkdir(exist_ok=True)
    for name, schema in {**json_schemas(), "settings.schema.json": settings}.items():
        _write(folder / name, json.dumps(schema, indent=1) + "\n")
