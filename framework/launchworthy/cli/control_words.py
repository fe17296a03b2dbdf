"""How do the commands of the control list speak? Their common options, and an entry in words."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from launchworthy.cli.control_place import FilePlace, StorePlace
from launchworthy.cli.ending import YES, end, undecided_on_problems
from launchworthy.vocabulary import Problem, ProblemError

if TYPE_CHECKING:
    from launchworthy.state.control import Action, Entry

Who = Annotated[str, typer.Option("--who", help="Who says so: a group, or you as the company names you.")]
Why = Annotated[str, typer.Option("--why", help="What happened, in one line; the incident's number.")]
Until = Annotated[str, typer.Option("--until", help="When it ends by itself: `8h`, or an RFC 3339 instant.")]
File = Annotated[Path | None, typer.Option("--file", help="The list; what the settings name if not said.")]
Store = Annotated[bool, typer.Option("--store", help="The list in the store that the settings name.")]
Name = Annotated[str | None, typer.Option("--id", help="Names the entry; made up if not said.")]


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
        **(
            {}
            if entry.grant is None
            else {"grant": {**entry.terms(), "approvals": len(entry.grant.approvals)}}
        ),
    }


def line(entry: "Entry") -> str:
    """An entry in one line."""
    what = " ".join(entry.about)
    until = datetime.fromtimestamp(entry.until, UTC).strftime("%Y-%m-%d %H:%M UTC")
    return f" {entry.action.value}  {what}  until {until}  by {entry.who}: {entry.why}  ({entry.id})"


def remove(place: FilePlace | StorePlace, action: "Action", names: list[str]) -> None:
    """Take entries out, by their ids; of stops also by what they stop."""
    taken: list[Entry] = []

    def without(before: "tuple[Entry, ...]") -> "tuple[Entry, ...]":
        known = {name for each in before if each.action is action for name in _names(each)}
        missing = set(names) - known
        if missing:
            what = f"no {action.value} entry is named `{min(missing)}`"
            refuse("no-entry", what, f"launchworthy control list {place.option}")
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
    if entry.grant is not None:
        return None if entry.id in names else entry
    left = tuple(target for target in entry.targets if target not in names)
    if entry.id in names or (entry.targets and not left):
        return None
    return replace(entry, targets=left)


def _names(entry: "Entry") -> tuple[str, ...]:
    """By what it can be taken out; a grant by its id alone, since what was approved is the whole."""
    return (entry.id,) if entry.grant is not None else (entry.id, *entry.targets)


def instant(text: str, now: int) -> int:
    """When something ends: a time from now, or an instant.

    Raises:
        ProblemError: it is neither.
    """
    from launchworthy.manifest import parse_duration

    try:
        return now + int(parse_duration(text))
    except ValueError:
        pass
    try:
        said = datetime.fromisoformat(text)
    except ValueError:
        said = None
    if said is None or said.tzinfo is None:
        refuse("bad-value", "`--until` is neither a time such as `8h` nor an instant with its offset",
                "--until 8h   or   --until 2026-11-20T20:00:00Z")  # fmt: skip
    return int(said.timestamp())


def refuse(reason: str, what: str, *fix: str) -> NoReturn:
    """Say what cannot be done, and what to do."""
    raise ProblemError(Problem(reason=reason, what=what, fix=fix))
