"""Which identity would this process get here? `identity doctor`."""

import os
import time
from pathlib import Path
from typing import Annotated

import typer

from launchworthy.cli.ending import end, undecided_on_problems
from launchworthy.vocabulary import Environment

app = typer.Typer(help="Find out why there is no identity.", no_args_is_help=True)


@app.callback()
def identity() -> None:
    """Find out which identity this process would get here, and if none, why."""


@app.command()
def doctor(
    environment: Annotated[
        Environment | None,
        typer.Option("--environment", help="Whose settings; LAUNCHWORTHY_ENVIRONMENT if not said."),
    ] = None,
    package: Annotated[
        str | None, typer.Option("--package", help="The server's package; found by itself inside a project.")
    ] = None,
) -> None:
    """Try each step from the endpoint to the clock, and say what to do next; 1 where there is none."""
    from launchworthy.identity.doctor import diagnose
    from launchworthy.identity.doctor_page import render_diagnosis
    from launchworthy.promotion.place import find_place
    from launchworthy.settings import find_project, load_framework_settings, read_project

    os.environ.setdefault("GRPC_VERBOSITY", "NONE")
    environ = dict(os.environ)
    if environment is not None:
        environ["LAUNCHWORTHY_ENVIRONMENT"] = environment.value
    with undecided_on_problems():
        if package is None:
            place = find_place(Path.cwd())
            project = read_project(place.root, place.package)
        else:
            project = find_project(package)
        settings = load_framework_settings(environ, project)
    endpoint_from = settings.sources.get("identity.endpoint", "the settings")
    own = (os.getuid(),) if settings.environment.simulated else ()  # as the server trusts the simulated agent
    diagnosis = diagnose(
        kind=settings.identity.kind,
        endpoint=settings.identity.endpoint,
        endpoint_from=endpoint_from,
        expected_id=settings.identity.expected_id,
        trust_domains=settings.identity.trust_domains,
        socket_owner_uids=(*settings.identity.socket_owner_uids, *own),
        call_timeout=settings.identity.call_timeout,
        clock=time.time,
        environ=environ,
    )
    typer.echo(render_diagnosis(diagnosis, environment=settings.environment.value))
    end(diagnosis.exit_code)
