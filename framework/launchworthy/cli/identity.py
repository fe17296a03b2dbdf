"""Which identity would this process get here, and what is registered for it? `identity …`."""

import os
import time
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from launchworthy.cli.ending import NO, YES, end, undecided_on_problems
from launchworthy.vocabulary import Environment


class Form(StrEnum):
    """What is registered; each word is one of `identity.registration.Form`."""

    SPIRE_ENTRY = "spire-entry"
    CLUSTER_SPIFFE_ID = "cluster-spiffe-id"
    PROJECTED_VOLUME = "projected-volume"
    AUTHORIZATION_SERVER = "authorization-server"


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


@app.command()
def registration(
    environment: Annotated[
        Environment, typer.Option("--environment", help="Whose settings.")
    ] = Environment.PRODUCTION,
    only: Annotated[
        Form | None, typer.Option("--only", help="Print this one alone, as it is pasted or piped.")
    ] = None,
) -> None:
    """Print what operators register for this server: at SPIRE, in Kubernetes, at its authorization server."""
    from launchworthy.identity.registration import registrations
    from launchworthy.manifest import load_manifests
    from launchworthy.promotion.place import find_place
    from launchworthy.settings import inspect_settings, read_project

    with undecided_on_problems():
        place = find_place(Path.cwd())
        project = read_project(place.root, place.package)
        settings = inspect_settings(project, environment)
        manifests = load_manifests(project.manifests())
    found = [each for each in registrations(settings, manifests) if only is None or each.form == only.value]
    if not found:
        typer.echo(f"an identity of kind `{settings.identity.kind}` has no {only}", err=True)
        end(NO)
    for each in found:
        typer.echo(each.text if only is not None else f"# {each.form.value}: {each.title}\n\n{each.text}")
    end(YES)
