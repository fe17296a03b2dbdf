"""What can be shown that no gate sees? The confinement of a container, and a run on a clean machine."""

import os
import re
import tempfile
import time
from pathlib import Path
from typing import Annotated

import typer

from launchworthy.cli.choices import Deployed
from launchworthy.cli.ending import NO, YES, end, needs_extra, undecided_on_problems
from launchworthy.vocabulary import Problem, ProblemError

app = typer.Typer(no_args_is_help=True, help="Write down what no gate can see from where it runs.")


@app.callback()
def evidence() -> None:
    """Each prints a file for [[evidence]] of promotion.toml."""


@app.command()
def container(
    environment: Annotated[
        Deployed, typer.Option("--environment", help="Whose container this is.", show_default=False)
    ],
) -> None:
    """Print how this container is confined, as its kernel says: for SUP-04; 1 where something is open."""
    from launchworthy.cli.own_server import own_name
    from launchworthy.promotion.evidence.container import read_container

    with undecided_on_problems():
        try:
            said = read_container(
                Path("/"), server=own_name(), environment=environment.value, now=int(time.time())
            )
        except (OSError, ValueError) as error:
            raise ProblemError(_no_container(error)) from None
    typer.echo(said.model_dump_json(by_alias=True, indent=1))
    wrong = tuple(said.mistakes())
    for each in wrong:
        typer.echo(f" open: {each}", err=True)
    end(NO if wrong else YES)


def register(parent: typer.Typer) -> None:
    """Add the commands."""
    parent.add_typer(app, name="evidence", short_help="Write down what no gate can see.")
    parent.command(short_help="See whether somebody else can take it over.")(handover)


def handover(
    operator: Annotated[
        str, typer.Option("--operator", help="Your mail address; not the author's.", show_default=False)
    ],
    output: Annotated[Path, typer.Option("--output", help="Where it is written.")] = Path(
        "docs/evidence/handover.json"
    ),
) -> None:
    """Clone, install, check and rehearse this commit in an empty home, for GOV-07; 1 where that fails."""
    needs_extra("promote", lambda: (__import__("yaml"), __import__("psutil")))
    from launchworthy.promotion.evidence.clean_run import CleanRun
    from launchworthy.promotion.evidence.handover import MAIL
    from launchworthy.promotion.place import find_place
    from launchworthy.promotion.promoting import write_whole
    from launchworthy.promotion.trusted import project_name

    with undecided_on_problems(), tempfile.TemporaryDirectory(prefix="lw-") as scratch:
        if re.fullmatch(MAIL, operator) is None:  # before minutes are spent on what could not be kept
            what, fix = "`--operator` is no mail address", ("say yours: --operator sam@acme.example",)
            raise ProblemError(Problem(reason="bad-value", what=what, fix=fix))
        root = find_place(Path.cwd()).root
        run = CleanRun(
            root=root,
            scratch=Path(scratch),
            environ=dict(os.environ),
            clock=time.time,
            tell=lambda step: typer.echo(f" {step} …", err=True),
        )
        said = run.play(server=project_name(root), operator=operator)
        output.parent.mkdir(parents=True, exist_ok=True)
        write_whole(output, said.model_dump_json(by_alias=True, indent=1).encode() + b"\n")
    for step in said.steps:
        typer.echo(f" {'✓' if step.holds else '✗'} {step.name:<9} {step.seconds:6.1f} s  {step.says}")
    wrong = tuple(said.mistakes())
    typer.echo(f" {output}: show it by [[evidence]] of promotion.toml (launchworthy explain GOV-07)")
    end(NO if wrong else YES)


def _no_container(error: Exception) -> Problem:
    return Problem(
        reason="no-container-here",
        what=f"the kernel does not say how this is confined ({type(error).__name__})",
        fix=("run it inside the container, on Linux: docs/guides/evidence.md",),
    )
