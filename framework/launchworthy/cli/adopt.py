"""What would it take to move a server here? `adopt`: its manifest drafted, its habits listed, nothing run."""

import json
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from launchworthy.cli.choices import Output
from launchworthy.cli.ending import NO, UNDECIDED, YES, end, say, undecided_on_problems
from launchworthy.vocabulary import Problem, ProblemError

if TYPE_CHECKING:
    from launchworthy.manifest import TargetKey
    from launchworthy.migration.foreign import ForeignTarget
    from launchworthy.migration.habits import Habit

SCHEMA = "urn:launchworthy:adoption:v1"
MANIFEST = Path("manifests", "tools.toml")


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(short_help="Draft the manifest of a server that was written for the plain SDK or fastmcp.")(
        adopt
    )


def adopt(
    path: Annotated[Path, typer.Argument(help="The folder, or the file, of the other server.")],
    write: Annotated[
        bool, typer.Option("--write", help=f"Append the drafted tables to {MANIFEST} of this project.")
    ] = False,
    output: Annotated[Output, typer.Option("--format", help="How to print it.")] = Output.TEXT,
) -> None:
    """Read a server of the plain SDK or of fastmcp: draft its manifest, and list what has to change.

    Nothing of it is imported. Placeholders end in `.invalid`, and promotion refuses them. Exits with 0 where
    nothing has to change, 1 where something has, 2 where it cannot be read.
    """
    from launchworthy.migration.draft import draft
    from launchworthy.migration.foreign import foreign_targets, read_sources
    from launchworthy.migration.habits import habits, secrets_of

    with undecided_on_problems():
        _require(path)
        sources = read_sources(path)
        targets = foreign_targets(sources)
        if not targets:
            raise ProblemError(_nothing(path))
        found = (*secrets_of(_texts(path)), *habits(sources, targets))
        drafted = draft(targets, declared=_declared())
        if write:
            _append(drafted)
    if output is Output.JSON:
        shown = {"targets": [asdict(each) for each in targets], "habits": [asdict(each) for each in found]}
        typer.echo(json.dumps({"schema": SCHEMA, **shown, "manifest": drafted}, indent=1, default=str))
    else:
        typer.echo("\n".join(_lines(targets, found, drafted, written=write)))
    for unreadable in sources.unreadable:
        say("could not decide", _unreadable(unreadable))
    end(NO if found or drafted else UNDECIDED if sources.unreadable else YES)


def _lines(
    targets: "tuple[ForeignTarget, ...]", found: "tuple[Habit, ...]", drafted: str, *, written: bool
) -> Iterator[str]:
    places = "1 place has" if len(found) == 1 else f"{len(found)} places have"
    yield f" {len(targets)} target{'s' if len(targets) != 1 else ''} found; {places} to change"
    by_file: dict[str, list[Habit]] = {}
    for habit in found:
        by_file.setdefault(habit.where.rpartition(":")[0], []).append(habit)
    for path, some in by_file.items():
        yield ""
        yield f" {path}"
        for habit in sorted(some, key=lambda each: int(each.where.rpartition(":")[2])):
            yield f"   {habit.where.rpartition(':')[2]:>4}  {habit.what}"
            yield f"         → {habit.instead}"
    if drafted:
        yield ""
        yield f" appended to {MANIFEST}:" if written else f" for {MANIFEST} (--write appends it):"
        yield drafted
    elif written:
        yield ""
        yield f" {MANIFEST} declares all of them already; nothing was appended"
    yield ""
    yield " then, function by function: mark it with @tool, @resource or @prompt in src/<package>/tools.py,"
    yield " run the tests, `launchworthy lock`, and `launchworthy check`; the guide:"
    yield " docs/guides/adopting.md of launchworthy"


def _texts(path: Path) -> Iterator[tuple[str, str]]:
    from launchworthy.audit.sanitiser import sanitise
    from launchworthy.promotion.scanning.texts import MAX_TEXT, text_of
    from launchworthy.promotion.scanning.tree import read_tree

    if path.is_dir():
        yield from (
            (sanitise(text.path), text.text)
            for text in read_tree(path, tracked=frozenset())
            if not text.binary
        )
    else:
        with path.open("rb") as stream:
            yield sanitise(path.name), text_of(path.name, stream.read(MAX_TEXT + 1)).text


def _declared() -> "frozenset[TargetKey]":
    """What the project here declares; nothing where there is none."""
    from launchworthy.manifest import load_manifests
    from launchworthy.promotion.place import find_place
    from launchworthy.settings import read_project

    try:
        place = find_place(Path.cwd())
    except ProblemError:
        return frozenset()
    return frozenset(load_manifests(read_project(place.root, place.package).manifests()).targets)


def _append(drafted: str) -> None:
    from launchworthy.promotion.place import find_place

    file = find_place(Path.cwd()).root / MANIFEST
    if drafted:
        before = file.read_text(encoding="utf-8") if file.is_file() else ""
        file.write_text(before.rstrip("\n") + "\n" + drafted + "\n", encoding="utf-8")


def _require(path: Path) -> None:
    if not path.exists():
        what = "is not there"
        fix = ("name the folder, or the file, of the server that is to be adopted",)
        raise ProblemError(Problem(reason="unreadable-file", where=str(path), what=what, fix=fix))


def _nothing(path: Path) -> Problem:
    what = "holds no function under @….tool, @….resource or @….prompt, and none that is given to add_tool"
    fix = ("name the folder that holds the server's code; a low-level server is moved by hand",)
    return Problem(reason="nothing-to-adopt", where=str(path), what=what, fix=fix)


def _unreadable(path: str) -> Problem:
    fix = ("correct it first, or move it by hand",)
    return Problem(reason="unreadable-source", where=path, what="is no Python that can be parsed", fix=fix)
