"""Which controls hold now? `check`: some or all, quick, and never a record."""

import json
import os
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from launchworthy.cli.ending import NO, UNDECIDED, YES, end, needs_extra, undecided_on_problems
from launchworthy.vocabulary import Environment, Problem, ProblemError

if TYPE_CHECKING:
    from launchworthy.promotion.control import Control
    from launchworthy.promotion.project import Project


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(short_help="Check some or all controls.")(check)


def check(
    controls: Annotated[
        list[str] | None,
        typer.Argument(metavar="[ID|FAMILY]...", help="Controls or families; all if none is named."),
    ] = None,
    rehearse: Annotated[
        bool, typer.Option("--rehearse", help="Start the server and attack it as well.")
    ] = False,
    environment: Annotated[
        Environment, typer.Option("--environment", help="For which environment.")
    ] = Environment.PRODUCTION,
    python: Annotated[
        Path | None, typer.Option("--python", help="The interpreter of the project's environment.")
    ] = None,
    output: Annotated[str, typer.Option("--format", help="text or json")] = "text",
) -> None:
    """Check some or all controls, at most two seconds without --rehearse; it never makes a record."""
    needs_extra("promote", lambda: __import__("yaml"))
    from launchworthy.promotion.reports.terminal import render_terminal
    from launchworthy.promotion.run import NOTHING_REHEARSED, findings_of, make_result, run_checks
    from launchworthy.promotion.verdict import Verdict

    began = time.monotonic()
    with undecided_on_problems():
        project = open_project(environment, python)
        selected = _selected(controls or [], rehearse=rehearse)
        wanted = frozenset(control.id for control in selected)
        rehearsed = NOTHING_REHEARSED
        if rehearse:
            from launchworthy.promotion.rehearsals.engine import run_rehearsals

            rehearsed = run_rehearsals(project, wanted, show_progress)
        findings = findings_of(selected, run_checks(project, wanted), rehearsed if rehearse else None)
        result = make_result(
            project, selected, findings, partial=True, rehearsed=rehearsed, version="unbuilt", began=began
        )
    code = YES if result.verdict is Verdict.CLEARED else (NO if result.failed else UNDECIDED)
    typer.echo(
        json.dumps(result.as_json(), indent=1)
        if output == "json"
        else render_terminal(result, exit_code=code)
    )
    end(code)


def open_project(environment: Environment, python: Path | None) -> "Project":
    """Read the project here, for a command of the gate.

    Args:
        environment: to be promoted.
        python: of the project's environment; its `.venv`, or ours, if not said.

    Raises:
        ProblemError: it cannot be read.
    """
    from launchworthy.promotion.place import find_place
    from launchworthy.promotion.project import load_project

    root = find_place(Path.cwd()).root
    own = root / ".venv" / "bin" / "python"
    interpreter = python or (own if own.exists() else Path(sys.executable))
    return load_project(
        root, environment=environment, python=interpreter, now=int(time.time()), environ=dict(os.environ)
    )


def show_progress(what: str, done: int, of: int) -> None:
    """One line that is written over, on a terminal; nothing in a pipe."""
    if sys.stderr.isatty():
        sys.stderr.write(f"\r\x1b[K {done}/{of}  {what}" if done < of else "\r\x1b[K")
        sys.stderr.flush()


def _selected(names: list[str], *, rehearse: bool) -> "tuple[Control, ...]":
    from launchworthy.promotion.control import FAMILIES, load_catalogue
    from launchworthy.promotion.run import readable_controls

    catalogue = load_catalogue()
    known = {control.id for control in catalogue} | set(FAMILIES)
    for name in names:
        if name not in known:
            what = f"`{name}` is no control of this release and no family"
            raise ProblemError(
                Problem(reason="unknown-control", what=what, fix=("launchworthy explain controls",))
            )
    named = tuple(each for each in catalogue if not names or each.id in names or each.family in names)
    return named if rehearse else tuple(each for each in named if each.id in readable_controls())
