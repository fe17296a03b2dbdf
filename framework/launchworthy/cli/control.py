"""What is stopped or denied, and from now on? `control`: reads and writes the control list."""

import json
import os
import time
from typing import TYPE_CHECKING, Annotated

import typer

from launchworthy.cli import control_grant
from launchworthy.cli.choices import Output
from launchworthy.cli.control_place import FilePlace, StorePlace, place_of
from launchworthy.cli.control_words import (
    File,
    Name,
    Store,
    Until,
    Who,
    Why,
    as_json,
    instant,
    line,
    refuse,
    remove,
)
from launchworthy.cli.ending import YES, end, undecided_on_problems

if TYPE_CHECKING:
    from launchworthy.state.control import Action

app = typer.Typer(help="Stop a tool or deny a caller at once, without a deployment.", no_args_is_help=True)
control_grant.register(app)


@app.callback()
def control() -> None:
    """Stop a tool or deny a caller at once: every server that reads the list follows within two seconds."""


@app.command()
def stop(
    targets: Annotated[list[str], typer.Argument(help="Names of tools, prompts, resources, or `*` for all.")],
    why: Why,
    who: Who,
    until: Until,
    name: Name = None,
    file: File = None,
    store: Store = False,
) -> None:
    """Refuse calls of these from the next one on, and list them no more."""
    from launchworthy.state.control import Action

    _add(place_of(file, store=store), Action.STOP, tuple(targets), None, (name, who, why, until))


@app.command()
def deny(
    issuer: Annotated[str, typer.Option("--issuer", help="Of the caller's tokens, as in the settings.")],
    why: Why,
    who: Who,
    until: Until,
    subject: Annotated[str | None, typer.Option("--subject", help="A caller's or an actor's `sub`.")] = None,
    client: Annotated[str | None, typer.Option("--client", help="Whose `client_id` it is.")] = None,
    token: Annotated[str | None, typer.Option("--token-id", help="The `jti` of one token.")] = None,
    name: Name = None,
    file: File = None,
    store: Store = False,
) -> None:
    """Refuse a caller from its next request on, with tokens that are good."""
    from launchworthy.state.control import Action

    given = [(kind, value) for kind, value in (("subject", subject), ("client", client), ("token", token))
             if value is not None]  # fmt: skip
    if len(given) != 1:
        with undecided_on_problems():
            refuse("deny-whom", "exactly one of --subject, --client and --token-id says whom", "say one")
    _add(
        place_of(file, store=store),
        Action.DENY,
        (),
        (given[0][0], issuer, given[0][1]),
        (name, who, why, until),
    )


@app.command()
def resume(
    names: Annotated[list[str], typer.Argument(help="Ids of stop entries, or targets that they stop.")],
    file: File = None,
    store: Store = False,
) -> None:
    """Take stop entries out: calls are decided as before."""
    from launchworthy.state.control import Action

    remove(place_of(file, store=store), Action.STOP, names)


@app.command()
def allow(
    names: Annotated[list[str], typer.Argument(help="Ids of deny entries.")],
    file: File = None,
    store: Store = False,
) -> None:
    """Take deny entries out: the caller's tokens are good again, old ones too."""
    from launchworthy.state.control import Action

    remove(place_of(file, store=store), Action.DENY, names)


@app.command()
def create() -> None:
    """Keep an empty list in the store: before the first start, or when somebody has deleted the list."""
    with undecided_on_problems():
        place = StorePlace()
        place.create()
    typer.echo(f" an empty list is in {place.name}")
    end(YES)


@app.command(name="list")
def list_entries(
    file: File = None,
    store: Store = False,
    output: Annotated[Output, typer.Option("--format", help="How to print it.")] = Output.TEXT,
) -> None:
    """Print what the list says; what a server has in force: launchworthy status."""
    with undecided_on_problems():
        entries = place_of(file, store=store).entries()
    if output is Output.JSON:
        typer.echo(json.dumps({"schema": "urn:launchworthy:control:v1", "entries": [*map(as_json, entries)]}))
    else:
        typer.echo("\n".join(map(line, entries)) or " nothing is stopped, denied or lifted")
    end(YES)


def _add(
    place: "FilePlace | StorePlace",
    action: "Action",
    targets: tuple[str, ...],
    name: tuple[str, str, str] | None,
    said: tuple[str | None, str, str, str],
) -> None:
    from launchworthy.state.control import Entry

    now = int(time.time())
    given, who, why, until = said
    with undecided_on_problems():
        entry = Entry(
            id=given or f"{action.value}-{time.strftime('%Y%m%d-%H%M%S', time.gmtime(now))}-{os.getpid()}",
            action=action,
            targets=targets,
            name=name,
            who=who,
            why=why,
            since=now,
            until=instant(until, now),
            source="file",
        )
        place.change(lambda before: (*before, entry))
    typer.echo(line(entry))
    typer.echo(f" written to {place.name}; each server that reads it follows within two seconds")
    end(YES)
