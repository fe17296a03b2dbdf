"""What is stopped or denied, and from now on? `control`: reads and writes the control list."""

import json
import os
import time
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from launchworthy.cli.choices import Output
from launchworthy.cli.control_place import FilePlace, StorePlace, place_of
from launchworthy.cli.ending import YES, end, undecided_on_problems
from launchworthy.vocabulary import Problem, ProblemError

if TYPE_CHECKING:
    from launchworthy.state.control import Action, Entry

app = typer.Typer(help="Stop a tool or deny a caller at once, without a deployment.", no_args_is_help=True)
Who = Annotated[str, typer.Option("--who", help="Who says so: a group, or you as the company names you.")]
Why = Annotated[str, typer.Option("--why", help="What happened, in one line; the incident's number.")]
Until = Annotated[str, typer.Option("--until", help="When it ends by itself: `8h`, or an RFC 3339 instant.")]
File = Annotated[Path | None, typer.Option("--file", help="The list; what the settings name if not said.")]
Store = Annotated[bool, typer.Option("--store", help="The list in the store that the settings name.")]
Name = Annotated[str | None, typer.Option("--id", help="Names the entry; made up if not said.")]


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
            _refuse("deny-whom", "exactly one of --subject, --client and --token-id says whom", "say one")
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

    _remove(place_of(file, store=store), Action.STOP, names)


@app.command()
def allow(
    names: Annotated[list[str], typer.Argument(help="Ids of deny entries.")],
    file: File = None,
    store: Store = False,
) -> None:
    """Take deny entries out: the caller's tokens are good again, old ones too."""
    from launchworthy.state.control import Action

    _remove(place_of(file, store=store), Action.DENY, names)


@app.command()
def create() -> None:
    """Keep an empty list in the store: before the first start, or when somebody has deleted the list."""
    with undecided_on_problems():
        place = StorePlace()
        place.create()
    typer.echo(f" an empty list is in {place.name}")
    end(YES)


@app.command()
def grant() -> None:
    """Lift rules in an emergency: refused, until two people's approval of it can be verified."""
    with undecided_on_problems():
        _refuse(
            "not-enforced-yet",
            "a grant lifts rules on the approval of two people, and nothing can verify that yet",
            "change policy/ and promote; stop what must not run: launchworthy control stop",
        )


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
        typer.echo("\n".join(map(line, entries)) or " nothing is stopped or denied")
    end(YES)


def as_json(entry: "Entry") -> dict[str, object]:
    """An entry by the names of its fields."""
    return {
        "id": entry.id,
        "action": entry.action.value,
        "targets": list(entry.targets),
        "name": list(entry.name or ()),
        "who": entry.who,
        "why": entry.why,
        "since": entry.since,
        "until": entry.until,
        "source": entry.source,
    }


def line(entry: "Entry") -> str:
    """An entry in one line."""
    what = " ".join(entry.targets or entry.name or ())
    until = datetime.fromtimestamp(entry.until, UTC).strftime("%Y-%m-%d %H:%M UTC")
    return f" {entry.action.value}  {what}  until {until}  by {entry.who}: {entry.why}  ({entry.id})"


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
            until=_instant(until, now),
            source="file",
        )
        place.change(lambda before: (*before, entry))
    typer.echo(line(entry))
    typer.echo(f" written to {place.name}; each server that reads it follows within two seconds")
    end(YES)


def _remove(place: "FilePlace | StorePlace", action: "Action", names: list[str]) -> None:
    taken: list[Entry] = []

    def without(before: "tuple[Entry, ...]") -> "tuple[Entry, ...]":
        known = {name for each in before if each.action is action for name in (each.id, *each.targets)}
        missing = set(names) - known
        if missing:
            what = f"no {action.value} entry is named `{min(missing)}`"
            _refuse("no-entry", what, f"launchworthy control list {place.option}")
        left = tuple(
            each for each in (_without(entry, action, names) for entry in before) if each is not None
        )
        taken.extend(each for each in before if each not in left)
        return left

    with undecided_on_problems():
        place.change(without)
    for each in taken:
        typer.echo(f" taken out: {line(each).strip()}")
    end(YES)


def _without(entry: "Entry", action: "Action", names: list[str]) -> "Entry | None":
    """The entry without these names; None where nothing is left of it. Its other targets stay stopped."""
    if entry.action is not action:
        return entry
    left = tuple(target for target in entry.targets if target not in names)
    if entry.id in names or (entry.targets and not left):
        return None
    return replace(entry, targets=left)


def _instant(text: str, now: int) -> int:
    from launchworthy.manifest import parse_duration

    try:
        return now + int(parse_duration(text))
    except ValueError:
        pass
    try:
        instant = datetime.fromisoformat(text)
    except ValueError:
        instant = None
    if instant is None or instant.tzinfo is None:
        _refuse("bad-value", "`--until` is neither a time such as `8h` nor an instant with its offset",
                "--until 8h   or   --until 2026-11-20T20:00:00Z")  # fmt: skip
    return int(instant.timestamp())


def _refuse(reason: str, what: str, *fix: str) -> NoReturn:
    raise ProblemError(Problem(reason=reason, what=what, fix=fix))
