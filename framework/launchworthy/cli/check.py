"""Which controls hold now? `check`: some or all, quick, and never a record."""

import difflib
import json
import os
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from launchworthy.cli.choices import TRUST_FILE, Output, Promoted, TrustOption
from launchworthy.cli.ending import NO, UNDECIDED, YES, end, interrupted, needs_extra, undecided_on_problems
from launchworthy.vocabulary import Environment, Problem, ProblemError

if TYPE_CHECKING:
    from launchworthy.promotion.control import Control
    from launchworthy.promotion.project import Project
    from launchworthy.promotion.result import Result


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(short_help="Check some or all controls.")(check)


def check(
    controls: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[ID|FAMILY]...",
            help="Controls (TOK-04, or all of TOK) or families; all if none is said.",
        ),
    ] = None,
    rehearse: Annotated[
        bool, typer.Option("--rehearse", help="Start the server and attack it as well.")
    ] = False,
    environment: Annotated[
        Promoted, typer.Option("--environment", help="For which environment.")
    ] = Promoted.PRODUCTION,
    python: Annotated[
        Path | None, typer.Option("--python", help="The interpreter of the project's environment.")
    ] = None,
    trust: TrustOption = TRUST_FILE,
    output: Annotated[Output, typer.Option("--format", help="How to print it.")] = Output.TEXT,
) -> None:
    """Check some or all controls, at most two seconds without --rehearse; it never makes a record."""
    needs_extra("promote", lambda: __import__("yaml"))
    began = time.monotonic()
    with undecided_on_problems(), interrupted():
        _refuse_unknown(controls or [])
        project = open_project(environment.environment, python, trust=trust, meanwhile=_load_checks)
        result = _run(project, controls or [], rehearse=rehearse, began=began)
    code = YES if result.cleared else (NO if result.failed else UNDECIDED)
    if output is Output.JSON:
        typer.echo(json.dumps(result.as_json(), indent=1))
    else:
        from launchworthy.promotion.reports.terminal import render_terminal

        typer.echo(render_terminal(result, exit_code=code))
    end(code)


def _load_checks() -> None:
    """Import every check and every rehearsal: META-01 compares them with the catalogue."""
    from launchworthy.promotion import run
    from launchworthy.promotion.registry import whole_registry

    del run
    whole_registry()


def _run(project: "Project", names: list[str], *, rehearse: bool, began: float) -> "Result":
    from launchworthy.promotion.run import NOTHING_REHEARSED, findings_of, make_result, run_checks

    selected = _selected(names, project.rehearsed, rehearse=rehearse)
    wanted = frozenset(control.id for control in selected)
    rehearsed = None
    if rehearse:
        from launchworthy.promotion.rehearsals.engine import run_rehearsals

        rehearsed = run_rehearsals(project, wanted, show_progress)
    return make_result(
        project,
        selected,
        findings_of(selected, run_checks(project, wanted), rehearsed),
        partial=True,
        rehearsed=rehearsed or NOTHING_REHEARSED,
        version=project.version,
        began=began,
    )


def open_project(
    environment: Environment,
    python: Path | None,
    *,
    trust: Path,
    meanwhile: Callable[[], object] = lambda: None,
) -> "Project":
    """Read the project here, for a command of the gate.

    Args:
        environment: to be promoted.
        python: of the project's environment; its `.venv`, or ours, if not said.
        trust: the platform's trust policy, which says who may approve.
        meanwhile: what to load while the project's code is asked.

    Raises:
        ProblemError: it cannot be read.
    """
    from launchworthy.promotion.child import Asking
    from launchworthy.promotion.interruption import undisturbed
    from launchworthy.promotion.place import find_place

    place = find_place(Path.cwd())
    root = place.root
    own = root / ".venv" / "bin" / "python"
    interpreter = python or (own if own.exists() else Path(sys.executable))
    with ExitStack() as stack:
        with undisturbed():
            asking = stack.enter_context(Asking(interpreter, place.package, place.root))
        from launchworthy.promotion.project import load_project

        meanwhile()
        return load_project(
            place,
            environment=environment,
            python=interpreter,
            now=int(time.time()),
            environ=dict(os.environ),
            trust_file=trust,
            answer=asking.answer,
        )


def show_progress(what: str, done: int, of: int) -> None:
    """One line that is written over, on a terminal; nothing in a pipe."""
    if sys.stderr.isatty():
        sys.stderr.write(f"\r\x1b[K {done}/{of}  {what}" if done < of else "\r\x1b[K")
        sys.stderr.flush()


def _refuse_unknown(names: list[str]) -> None:
    from launchworthy.promotion.control import FAMILIES, load_catalogue

    ids = {control.id for control in load_catalogue()}
    known = ids | {each.partition("-")[0] for each in ids} | set(FAMILIES)
    for name in names:
        if name not in known:
            close = difflib.get_close_matches(name.casefold(), {each.casefold(): each for each in known}, n=1)
            meant = [each for each in known if each.casefold() in close]
            question = f"; did you mean `{meant[0]}`?" if meant else ""
            what = f"`{name}` is no control of this release and no family{question}"
            raise ProblemError(
                Problem(reason="unknown-control", what=what, fix=("launchworthy explain controls",))
            )


def _selected(names: list[str], environment: Environment, *, rehearse: bool) -> "tuple[Control, ...]":
    """What counts in this environment and was asked for; without rehearsals, what reading can decide.

    Raises:
        ProblemError: `nothing-to-check`: nothing is left.
    """
    from launchworthy.promotion.control import controls_for
    from launchworthy.promotion.run import readable_controls

    found = tuple(
        each
        for each in controls_for(environment)
        if (not names or not {each.id, each.id.partition("-")[0], each.family}.isdisjoint(names))
        and (rehearse or each.id in readable_controls())
    )
    if not found:
        what = f"reading decides nothing of what was asked for `{environment}`"
        fix = ("ask the running server: launchworthy check --rehearse",)
        raise ProblemError(Problem(reason="nothing-to-check", what=what, fix=fix))
    return found
