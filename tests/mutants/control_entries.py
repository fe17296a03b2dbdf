"""Which mutants has each control? Read from `tests/mutants/controls/<family>.toml`, held against the code."""

import json
import re
import sys
import tomllib
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from enum import StrEnum
from hashlib import sha256
from typing import Any

from mutant_entries import HERE, ROOT, SOURCE, EntryError, read_area

sys.path.insert(0, str(ROOT / "tests" / "integration" / "promotion_rehearsals"))
from promoted_orders import FILLED_IN

FOLDER = HERE / "controls"
PROJECT = "examples/orders"
SECONDS = 240
A_KEY = "AKIA" + "Z7QK4M2XW5N3RT6B"
"""What `<a-key>` in an entry stands for: no file of ours holds what a scanner looks for."""

_ID = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_CONTROL = re.compile(r"[A-Z]+-[0-9]{2}")
_REQUIRED = {"control", "id", "breaks", "by"}
_OPTIONAL = {"changes", "same_as", "also", "earlier", "lock", "seconds", "unlisted"}


class In(StrEnum):
    """What is changed."""

    RUNTIME = "runtime"
    PROJECT = "project"
    GATE = "gate"


class By(StrEnum):
    """What must notice."""

    CHECK = "check"
    REHEARSAL = "rehearsal"


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One text in the place of another.

    Attributes:
        where: the framework as it is installed in the project's environments, the project, or the gate.
        file: below `framework/launchworthy`, or below the project.
        text: what stands there exactly once; empty where the whole file is meant.
        instead: what stands there in the mutant.
    """

    where: In
    file: str
    text: str
    instead: str

    def applied_to(self, source: str) -> str:
        """The changed text.

        Raises:
            EntryError: what it replaces does not stand there exactly once.
        """
        if not self.text:
            return self.instead
        found = source.count(self.text)
        if found != 1:
            raise EntryError(f"its text stands {found} times in {self.file}, not once")
        return source.replace(self.text, self.instead)


@dataclass(frozen=True, slots=True, kw_only=True)
class ControlMutant:
    """One control, broken in one way.

    Attributes:
        control: which must hold the gate.
        id: unique among the mutants of its control.
        breaks: what the mutant does, in a few words.
        by: whether reading must notice, or only the running server.
        changes: in order.
        also: other controls that notice it too, rightly; no others may.
        earlier: changes that were committed before these.
        lock: whether somebody wrote the lock anew after the changes, as one does.
        unlisted: whether the catalogue of mistakes did not name it.
        seconds: for the gate; one that is not done by then decided nothing.
    """

    control: str
    id: str
    breaks: str
    by: By
    changes: tuple[Change, ...]
    also: tuple[str, ...]
    earlier: tuple[Change, ...]
    lock: bool
    unlisted: bool
    seconds: int

    @property
    def name(self) -> str:
        """`TOK-04/any-audience`."""
        return f"{self.control}/{self.id}"

    @property
    def digest(self) -> str:
        """Of everything that was written about it."""
        return sha256(json.dumps(asdict(self), sort_keys=True).encode()).hexdigest()


def read_controls() -> tuple[ControlMutant, ...]:
    """Every entry of every family, by control.

    Raises:
        EntryError: an entry is none, or two have one name.
    """
    mutants = tuple(
        _read(path.stem, entry)
        for path in sorted(FOLDER.glob("*.toml"))
        for entry in tomllib.loads(path.read_text()).get("mutant", ())
    )
    names = [mutant.name for mutant in mutants]
    if twice := {name for name in names if names.count(name) > 1}:
        raise EntryError(f"more than once: {', '.join(sorted(twice))}")
    return tuple(sorted(mutants, key=lambda mutant: mutant.control))


def strayed(mutants: tuple[ControlMutant, ...]) -> Iterator[str]:
    """What does not fit the code as it is, one sentence each."""
    for mutant in mutants:
        texts: dict[tuple[In, str], str] = {}
        for change in (*mutant.earlier, *mutant.changes):
            key = change.where, change.file
            try:
                texts[key] = change.applied_to(texts.get(key) or _unchanged(change))
                if change.file.endswith(".py"):
                    compile(texts[key], change.file, "exec")
            except EntryError as error:
                yield f"{mutant.name}: {error}"
            except SyntaxError as error:
                yield f"{mutant.name}: {change.file} is no Python then: {error.msg}"


def uncovered(mutants: tuple[ControlMutant, ...], controls: tuple[str, ...]) -> Iterator[str]:
    """The controls without a mutant, and the mutants without a control."""
    covered = {mutant.control for mutant in mutants}
    for control in controls:
        if control not in covered:
            yield f"{control}: no mutant breaks it"
    for mutant in mutants:
        for control in (mutant.control, *mutant.also):
            if control not in controls:
                yield f"{mutant.name}: {control} is no control of this release"


def _unchanged(change: Change) -> str:
    """What stands there before any change; the project's files as the reference project has them."""
    path = ROOT / (PROJECT if change.where is In.PROJECT else SOURCE) / change.file
    if not path.is_file():
        if change.text:
            raise EntryError(f"there is no {change.file}")
        return ""
    text = path.read_text()
    for before, after in FILLED_IN.get(change.file, ()) if change.where is In.PROJECT else ():
        text = text.replace(before, after)
    return text


def _read(family: str, entry: dict[str, Any]) -> ControlMutant:
    name = f"{family}: {entry.get('control', '?')}/{entry.get('id', '?')}"
    if not entry.keys() >= _REQUIRED or entry.keys() - _REQUIRED - _OPTIONAL:
        needed, more = ", ".join(sorted(_REQUIRED)), ", ".join(sorted(_OPTIONAL))
        raise EntryError(f"{name}: expected {needed}, and perhaps {more}")
    if not (_CONTROL.fullmatch(str(entry["control"])) and _ID.fullmatch(str(entry["id"]))):
        raise EntryError(f"{name}: `control` is a control's id, and `id` is lower case")
    shared = tuple(_shared(name, each) for each in entry.get("same_as", ()))
    changes = (*shared, *(_change(name, each) for each in entry.get("changes", ())))
    if not changes:
        raise EntryError(f"{name}: it changes nothing")
    try:
        by = By(entry["by"])
    except ValueError:
        raise EntryError(f"{name}: `by` is one of {', '.join(By)}") from None
    return ControlMutant(
        control=entry["control"],
        id=entry["id"],
        breaks=str(entry["breaks"]),
        by=by,
        changes=changes,
        also=tuple(map(str, entry.get("also", ()))),
        earlier=tuple(_change(name, each) for each in entry.get("earlier", ())),
        lock=entry.get("lock") is True,
        unlisted=entry.get("unlisted") is True,
        seconds=int(entry.get("seconds", SECONDS)),
    )


def _shared(name: str, other: str) -> Change:
    """What a mutant of the code changes, in the installed runtime."""
    area, _, wanted = other.partition("/")
    for mutant in read_area(area):
        if mutant.id == wanted:
            return Change(where=In.RUNTIME, file=mutant.file, text=mutant.text, instead=mutant.instead)
    raise EntryError(f"{name}: there is no mutant `{other}`")


def _change(name: str, table: dict[str, Any]) -> Change:
    if table.keys() != {"in", "file", "text", "instead"}:
        raise EntryError(f"{name}: a change has `in`, `file`, `text` and `instead`")
    if not all(isinstance(value, str) for value in table.values()) or table["text"] == table["instead"]:
        raise EntryError(f"{name}: a change puts one text in the place of another")
    try:
        where = In(table["in"])
    except ValueError:
        raise EntryError(f"{name}: `in` is one of {', '.join(In)}") from None
    text, instead = (table[key].replace("<a-key>", A_KEY) for key in ("text", "instead"))
    return Change(where=where, file=table["file"], text=text, instead=instead)
