"""Is there a secret, or was there ever one? `secrets scan`: the tree, its history, what was built of it."""

import json
import os
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from secrets import token_hex
from typing import TYPE_CHECKING, Annotated

import typer

from launchworthy.cli.choices import Output
from launchworthy.cli.ending import NO, UNDECIDED, YES, end, say, undecided_on_problems
from launchworthy.vocabulary import Problem, ProblemError

if TYPE_CHECKING:
    from launchworthy.promotion.scanning.history import History
    from launchworthy.promotion.scanning.leaks import Leak, Scan
    from launchworthy.promotion.scanning.texts import Text

app = typer.Typer(help="Find secrets by value.", no_args_is_help=True)
SCHEMA = "urn:launchworthy:secrets-scan:v1"
_SHOWN_PLACES = 3


@app.callback()
def secrets() -> None:
    """Find secrets by value. What is printed never holds one."""


@app.command()
def scan(
    paths: Annotated[
        list[Path] | None,
        typer.Argument(metavar="[PATH]...", help="Folders, files, wheels and other archives; else: here."),
    ] = None,
    history: Annotated[
        bool, typer.Option("--history", help="Every version of everything that git still leads to, too.")
    ] = False,
    variables: Annotated[
        bool, typer.Option("--environ", help="The environment variables of this command, too.")
    ] = False,
    output: Annotated[Output, typer.Option("--format", help="How to print it.")] = Output.TEXT,
) -> None:
    """Look for secrets: 0 there is none, 1 there is one, 2 something could not be looked at."""
    from launchworthy.promotion.scanning.leaks import Scanner

    began = time.monotonic()
    places = paths or [Path()]
    with undecided_on_problems():
        scanner = Scanner(_salt(places[0]))
        past = _history(places[0]) if history else None
        for place in places:
            scanner.texts(_texts(place))
        if past is not None:
            scanner.history(past, _show_progress)
        if variables:
            scanner.variables(os.environ)
        found = scanner.scan()
    if output is Output.JSON:
        typer.echo(json.dumps({"schema": SCHEMA, **asdict(found)}, indent=1))
    else:
        typer.echo("\n".join(_lines(found, past, time.monotonic() - began)))
    for path in found.too_long:
        say("could not decide", _too_long(path))
    end(NO if found.leaks else UNDECIDED if found.too_long else YES)


def _texts(place: Path) -> "Iterator[Text]":
    from launchworthy.promotion.scanning.archive import is_archive, read_archive
    from launchworthy.promotion.scanning.texts import MAX_TEXT, text_of
    from launchworthy.promotion.scanning.tree import read_tree

    if place.is_dir():
        yield from read_tree(place, tracked=_tracked(place))
    elif is_archive(place):
        yield from read_archive(place)
    else:
        try:
            with place.open("rb") as stream:
                yield text_of(str(place), stream.read(MAX_TEXT + 1))
        except OSError as error:
            what = f"cannot be read: {error.strerror}"
            fix = ("name folders, files, wheels or other archives",)
            raise ProblemError(
                Problem(reason="unreadable-file", where=str(place), what=what, fix=fix)
            ) from None


def _tracked(folder: Path) -> frozenset[str]:
    """What git tracks in a folder, if it knows the folder: that is read wherever it lies."""
    from launchworthy.attestation.git import Git

    try:
        git = Git(folder, dict(os.environ))
        listed = git.run("ls-files", "-z", "--full-name")
    except ProblemError:
        return frozenset()
    here = folder.resolve()
    paths = (git.top / os.fsdecode(name) for name in listed.split(b"\0") if name)
    return frozenset(path.relative_to(here).as_posix() for path in paths if path.is_relative_to(here))


def _history(place: Path) -> "History":
    from launchworthy.attestation.git import Git
    from launchworthy.promotion.scanning.history import History

    folder = place if place.is_dir() else place.parent
    return History(Git(folder, dict(os.environ)), below=folder)


def _salt(place: Path) -> bytes | None:
    """The project's salt, where there is a project and it has one."""
    from launchworthy.promotion.place import find_place
    from launchworthy.promotion.trusted import read_trusted

    try:
        root = find_place(place.resolve()).root
    except ProblemError:
        return None
    return read_trusted(root).salt


def _lines(found: "Scan", past: "History | None", seconds: float) -> Iterator[str]:
    looked = f"{found.texts:,} texts" + ("" if past is None else ", the whole history among them")
    if not found.leaks:
        yield f" no secret that is known by name, shape or checksum   {looked} · {seconds:.1f} s"
        return
    count = len(found.leaks)
    yield f" {count} secret{'s' if count > 1 else ''}   {looked} · {seconds:.1f} s"
    for leak in found.leaks:
        yield ""
        under = f" in `{leak.field}`" if leak.field is not None else ""
        yield f" {leak.kind.replace('-', ' ')}{under}   {leak.fingerprint or ''}".rstrip()
        yield from _places(leak, past)
    yield ""
    yield " → rotate each one: whoever could read it has it by now, and deleting the line changes nothing"
    if any(leak.fingerprint is None for leak in found.leaks):
        yield f' → without a `salt` in promotion.toml they have no names; add one:  salt = "{token_hex(8)}"'


def _places(leak: "Leak", past: "History | None") -> Iterator[str]:
    for place in leak.places[:_SHOWN_PLACES]:
        since = past.first_commit(place.version) if past is not None and place.version is not None else None
        yield f"   {place}" + (f"  since {since}" if since is not None else "")
    more = len(leak.places) - _SHOWN_PLACES
    if more > 0:
        yield f"   and {more} more"
    if leak.only_in_history:
        yield "   no longer in the tree, and still in the history"


def _too_long(path: str) -> Problem:
    from launchworthy.promotion.scanning.texts import MAX_TEXT

    what = f"is longer than the {MAX_TEXT // 1024**2} MiB that are looked at"
    return Problem(reason="text-too-long", where=path, what=what, fix=("split it, or keep it elsewhere",))


def _show_progress(done: int, of: int) -> None:
    """One line that is written over, on a terminal; nothing in a pipe."""
    if sys.stderr.isatty() and (done % 200 == 0 or done >= of - 1):
        sys.stderr.write(f"\r\x1b[K {done:,}/{of:,} objects" if done < of - 1 else "\r\x1b[K")
        sys.stderr.flush()
