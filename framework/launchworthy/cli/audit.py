"""What happened, and are the files what was written? `audit verify`, `audit show`."""

import json
import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, BinaryIO

import typer

from launchworthy.cli.choices import Output
from launchworthy.cli.ending import NO, UNDECIDED, YES, end, undecided_on_problems
from launchworthy.vocabulary import Problem, ProblemError

if TYPE_CHECKING:
    from launchworthy.audit.reading import Record

app = typer.Typer(help="Verify and read the audit log.", no_args_is_help=True)

Paths = Annotated[
    list[Path], typer.Argument(help="Audit files, or directories of them; `-` reads lines from stdin.")
]


@app.command()
def verify(
    paths: Annotated[list[Path], typer.Argument(help="Audit files, or directories of them.")],
    key: Annotated[
        list[str] | None, typer.Option("--key", help="A verifier key that is known to be ours.")
    ] = None,
    trust: Annotated[
        Path | None, typer.Option("--trust", help="A directory of archived trust bundles (PEM).")
    ] = None,
    anchors: Annotated[
        list[Path] | None,
        typer.Option("--anchors", help="Output of the server, with checkpoints kept elsewhere."),
    ] = None,
    require_sealed: Annotated[
        bool, typer.Option("--require-sealed", help="A file that was not closed is a no.")
    ] = False,
    output: Annotated[Output, typer.Option("--format", help="How to print it.")] = Output.TEXT,
) -> None:
    """Are these files what was written? 0 intact, 1 tampered, 2 could not be decided."""
    from launchworthy.audit.anchors import read_anchors
    from launchworthy.audit.verification import verify_paths

    with undecided_on_problems():
        notes = read_anchors(line for path in anchors or () for line in path.read_text().splitlines())
        result = verify_paths(
            paths,
            require_sealed=require_sealed,
            pinned_keys=key or (),
            trust_directory=trust,
            anchors=notes,
        )
    if output is Output.JSON:
        typer.echo(json.dumps({"state": result.state.value, **asdict(result)}, indent=1, default=str))
    else:
        typer.echo("\n".join(result.lines()))
        if result.exit_code == UNDECIDED and trust is None and key is None:
            typer.echo("→ name whom to believe: --trust DIRECTORY (of TRUST-DOMAIN.pem), or --key", err=True)
    end(result.exit_code)


@app.command()
def show(
    paths: Paths,
    call: Annotated[str | None, typer.Option("--call", help="One call's whole story.")] = None,
    principal: Annotated[str | None, typer.Option("--principal", help="A subject or a client.")] = None,
    tool: Annotated[str | None, typer.Option("--tool", help="A tool, resource or prompt.")] = None,
    denied: Annotated[bool, typer.Option("--denied", help="Refusals only.")] = False,
    reason: Annotated[str | None, typer.Option("--reason", help="A reason, or its family: `token`.")] = None,
    since: Annotated[datetime | None, typer.Option("--since", help="Not before (UTC).")] = None,
    until: Annotated[datetime | None, typer.Option("--until", help="Before (UTC).")] = None,
    output: Annotated[Output, typer.Option("--format", help="How to print it.")] = Output.TEXT,
) -> None:
    """Who did what, was it allowed, and why? `verify` says whether the records can be believed."""
    from launchworthy.audit.story import Filter, Verdict, call_story, rows
    from launchworthy.audit.story_text import render_call, render_rows

    with undecided_on_problems():
        if call is not None:
            typer.echo(render_call(call_story(_records(paths), call), None))
            end(YES)
        wanted = Filter(
            principal=principal,
            target=tool,
            verdict=Verdict.DENIED if denied else None,
            reason=reason,
            since=_utc(since),
            until=_utc(until),
        )
        found = list(rows(_records(paths), wanted))
    if output is Output.JSON:
        for row in found:
            typer.echo(json.dumps(asdict(row), default=str))
    else:
        for line in render_rows(found):
            typer.echo(line)
    end(YES if found else NO)


def _utc(moment: datetime | None) -> datetime | None:
    return None if moment is None else moment.replace(tzinfo=UTC)


def _records(paths: list[Path]) -> Iterator["Record"]:
    """Every record of the files in their order; a line that is none ends the reading and says where.

    Raises:
        ProblemError: a file cannot be read, or holds something else.
    """
    from launchworthy.audit.reading import LineError, audit_files, read_records

    for path in paths:
        for file in (path,) if str(path) == "-" else audit_files(path):
            try:
                with _opened(file) as stream:
                    yield from read_records(stream)
            except (OSError, LineError) as error:
                what = f"is no audit file: {error}" if isinstance(error, LineError) else "cannot be read"
                fix = ("launchworthy audit verify says more",)
                raise ProblemError(
                    Problem(reason="unreadable-audit", where=str(file), what=what, fix=fix)
                ) from None


def _opened(file: Path) -> AbstractContextManager[BinaryIO]:
    return nullcontext(sys.stdin.buffer) if str(file) == "-" else file.open("rb")
