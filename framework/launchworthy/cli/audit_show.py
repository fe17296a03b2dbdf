"""Who did what, was it allowed, and why? `audit show`."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from launchworthy.cli.audit_input import STDIN, records_of
from launchworthy.cli.ending import NO, YES, end, undecided_on_problems
from launchworthy.vocabulary import Problem, ProblemError

if TYPE_CHECKING:
    from launchworthy.audit.reading import Record
    from launchworthy.audit.story import CallStory, Filter
    from launchworthy.audit.verdict import StreamVerdict


class Shown(StrEnum):
    """How records are printed."""

    TEXT = "text"
    JSON = "json"
    OCSF = "ocsf"


class Decision(StrEnum):
    """What became of a request."""

    ALLOWED = "allowed"
    DENIED = "denied"
    SERVED = "served"
    ASKED = "asked"


def show(
    paths: Annotated[
        list[Path], typer.Argument(help="Audit files, or directories of them; `-` reads lines from stdin.")
    ],
    *,
    call: Annotated[str | None, typer.Option("--call", help="One call's whole story.")] = None,
    principal: Annotated[str | None, typer.Option("--principal", help="A subject or a client.")] = None,
    tool: Annotated[str | None, typer.Option("--tool", help="A tool, resource or prompt.")] = None,
    decision: Annotated[Decision | None, typer.Option("--decision", help="What became of it.")] = None,
    denied: Annotated[bool, typer.Option("--denied", help="Refusals only.")] = False,
    reason: Annotated[str | None, typer.Option("--reason", help="A reason, or its family: `token`.")] = None,
    kind: Annotated[
        list[str] | None,
        typer.Option("--type", help="Records of this type, or family: `credential`; not requests."),
    ] = None,
    since: Annotated[datetime | None, typer.Option("--since", help="Not before (UTC).")] = None,
    until: Annotated[datetime | None, typer.Option("--until", help="Before (UTC).")] = None,
    follow: Annotated[
        bool, typer.Option("--follow", "-f", help="Go on with what comes; Ctrl-C ends.")
    ] = False,
    key: Annotated[
        list[str] | None, typer.Option("--key", help="With --call: a verifier key that is known to be ours.")
    ] = None,
    trust: Annotated[
        Path | None, typer.Option("--trust", help="With --call: archived trust bundles (PEM) to verify by.")
    ] = None,
    output: Annotated[Shown, typer.Option("--format", help="How to print it.")] = Shown.TEXT,
) -> None:
    """Who did what, was it allowed, and why? `verify` says whether the records can be believed.

    0 there were some, 1 there were none, 2 could not be decided.
    """
    from launchworthy.audit.story import Filter, Verdict

    with undecided_on_problems():
        if call is not None:
            _show_call(paths, call, key or [], trust, output)
        wanted = Filter(
            principal=principal,
            target=tool,
            verdict=Verdict.DENIED if denied else Verdict(decision.value) if decision is not None else None,
            reason=reason,
            since=_utc(since),
            until=_utc(until),
        )
        records = records_of(paths, follow=follow)
        if kind or output is Shown.OCSF:
            lines = _record_lines(_chosen(records, kind or [], wanted), output)
        else:
            lines = _row_lines(records, wanted, output)
        found = False
        for line in lines:
            found = True
            typer.echo(line)
        if not found:
            typer.echo("no record fits: of what was read, nothing is what was asked for", err=True)
    end(YES if found else NO)


def _row_lines(records: "Iterable[Record]", wanted: "Filter", output: Shown) -> Iterator[str]:
    from launchworthy.audit.story import rows
    from launchworthy.audit.story_text import render_rows

    found = rows(records, wanted)
    if output is Shown.TEXT:
        return render_rows(found)
    return (json.dumps(asdict(row), default=str) for row in found)


def _record_lines(records: "Iterable[Record]", output: Shown) -> Iterator[str]:
    from launchworthy.audit.ocsf import ocsf_event
    from launchworthy.audit.story_text import render_record

    for record in records:
        if output is Shown.TEXT:
            yield render_record(record)
        else:
            told = ocsf_event(record) if output is Shown.OCSF else asdict(record)
            yield json.dumps(told, sort_keys=True)


def _chosen(records: "Iterable[Record]", kinds: list[str], wanted: "Filter") -> "Iterator[Record]":
    """Records of these types or families that fit the filter, as far as they say what it asks for."""
    from launchworthy.audit.story import row_of

    for record in records:
        if kinds and not any(record.type == kind or record.type.startswith(f"{kind}.") for kind in kinds):
            continue
        if wanted.takes(row_of(record)):
            yield record


def _show_call(paths: list[Path], call: str, keys: list[str], trust: Path | None, output: Shown) -> None:
    """Print a call's story, and what can be said of the stream that it stands in."""
    from launchworthy.audit.story import call_story
    from launchworthy.audit.story_text import render_call

    story = call_story(records_of(paths), call)
    verdict = _verdict(paths, story, keys, trust) if keys or trust is not None else None
    if output is Shown.TEXT:
        typer.echo(render_call(story, verdict))
    else:
        told = {**asdict(story), "verified": None if verdict is None else verdict.summary()}
        typer.echo(json.dumps(told, default=str, sort_keys=True))
    end(YES)


def _verdict(paths: list[Path], story: "CallStory", keys: list[str], trust: Path | None) -> "StreamVerdict":
    """Verify the file that the story stands in; the worst counts, where it stands in several."""
    from launchworthy.audit.verdict import State
    from launchworthy.audit.verification import verify_paths

    if STDIN in paths:
        what = "lines from elsewhere cannot be verified; name the files"
        raise ProblemError(
            Problem(reason="unreadable-audit", what=what, fix=("leave --key and --trust out",))
        )
    result = verify_paths(paths, require_sealed=False, pinned_keys=keys, trust_directory=trust)
    concerned = {step.stream for step in story.steps}
    order = list(State)
    return max(
        (stream for stream in result.streams if stream.stream in concerned),
        key=lambda stream: order.index(stream.state),
    )


def _utc(moment: datetime | None) -> datetime | None:
    return None if moment is None else moment.replace(tzinfo=UTC)
