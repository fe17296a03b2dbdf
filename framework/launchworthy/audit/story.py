"""Who did what, was it allowed, why, and how long did it take? Records become rows and one call's story.

Reads records as they stand, of one file or many or from a log store, and believes nothing: whether they are
what was written is the question of `audit.verification`.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Any

from launchworthy.audit.moment import parse_rfc3339
from launchworthy.audit.reading import Record
from launchworthy.vocabulary import Problem, ProblemError

_ATTEMPTS = frozenset({"tool.attempt", "resource.attempt", "prompt.attempt"})
_OUTCOMES = frozenset({"tool.outcome", "resource.outcome", "prompt.outcome"})
_DENIALS = frozenset({"tool.denied", "resource.denied", "prompt.denied", "authn.denied", "protocol.rejected"})
_SERVED = "request.served"


class Verdict(StrEnum):
    """What became of a request."""

    ALLOWED = "allowed"
    DENIED = "denied"
    SERVED = "served"


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One request.

    Attributes:
        time: of its first record.
        call: the call id; empty for a summary of many.
        target: tool, resource or prompt; the method where there is none.
        verdict: allowed, denied or served.
        why: the rule that allowed it, or the reason why not.
        ended: how it ended (`ok`, …); None where no outcome is known.
        subject: of the caller; None for a stranger.
        client: of the caller.
        issuer: of the caller.
        milliseconds: from the attempt to the outcome.
        count: how many requests a summary stands for.
        stream: where its first record is.
        seq: of its first record.
    """

    time: datetime
    call: str
    target: str
    verdict: Verdict
    why: str
    ended: str | None
    subject: str | None
    client: str | None
    issuer: str | None
    milliseconds: int | None
    count: int
    stream: str
    seq: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """Which rows are wanted; what is None does not matter.

    Attributes:
        principal: a subject or a client, whole.
        target: a tool, resource or prompt, whole.
        verdict: allowed, denied or served.
        reason: why it was denied, or its family (`token` for every `token.…`).
        call: one call.
        since: not before.
        until: before.
    """

    principal: str | None = None
    target: str | None = None
    verdict: Verdict | None = None
    reason: str | None = None
    call: str | None = None
    since: datetime | None = None
    until: datetime | None = None

    def takes(self, row: Row) -> bool:
        """Whether a row is wanted."""
        return (
            self.principal in (None, row.subject, row.client)
            and self.target in (None, row.target)
            and self.verdict in (None, row.verdict)
            and self.call in (None, row.call)
            and (self.reason is None or row.why == self.reason or row.why.startswith(f"{self.reason}."))
            and (self.since is None or row.time >= self.since)
            and (self.until is None or row.time < self.until)
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class CallStory:
    """Everything that the records say of one call.

    Attributes:
        row: the call in a line.
        steps: its records, in their order.
        asked: the first of them that says who asked for what.
        ended: its outcome, or None.
        instance: the process that took it, where a record says so.
        owner: who answers for the server, where a record says so.
        on_call: where to call.
        runbook: where to read.
    """

    row: Row
    steps: tuple[Record, ...]
    asked: Record
    ended: Record | None
    instance: str | None
    owner: str | None
    on_call: str | None
    runbook: str | None


def rows(records: Iterable[Record], wanted: Filter) -> Iterator[Row]:
    """The requests that are wanted, in the order of their first records."""
    found: list[Row] = []
    running: dict[str | None, int] = {}
    for record in records:
        if record.type in _OUTCOMES:
            attempt = running.pop(_text(record.data, "call"), None)
            if attempt is not None:
                found[attempt] = _with_end(found[attempt], record)
        elif record.type in _ATTEMPTS or record.type in _DENIALS or record.type == _SERVED:
            if record.type in _ATTEMPTS:
                running[_text(record.data, "call")] = len(found)
            found.append(_row(record))
    return (row for row in found if wanted.takes(row))


def call_story(records: Iterable[Record], call: str) -> CallStory:
    """Everything about one call.

    Raises:
        ProblemError: no record is about it.
    """
    steps: list[Record] = []
    servers: dict[str, dict[str, Any]] = {}
    newest = ""
    for record in records:
        if record.type in ("server.starting", "config.loaded"):
            newest = newest if steps else record.stream
            servers.setdefault(record.stream, {}).update(record.data)
        elif record.data.get("call") == call:
            steps.append(record)
    if not steps:
        raise ProblemError(
            Problem(
                reason="no-such-call",
                what=f"no record is about the call `{call[:32]}`",
                fix=("name the files or the directory of the server that answered it",),
            )
        )
    ended = next((step for step in steps if step.type in _OUTCOMES), None)
    asked = next((step for step in steps if step.type not in _OUTCOMES), steps[0])
    row = _row(asked)
    server = servers.get(asked.stream, servers.get(newest, {}))
    return CallStory(
        row=row if ended is None else _with_end(row, ended),
        steps=tuple(steps),
        asked=asked,
        ended=ended,
        instance=_text(server, "instance"),
        owner=_text(server, "owner"),
        on_call=_text(server, "on_call"),
        runbook=_text(server, "runbook"),
    )


def _with_end(row: Row, outcome: Record) -> Row:
    milliseconds = outcome.data.get("milliseconds")
    return replace(
        row,
        ended=_text(outcome.data, "outcome"),
        milliseconds=milliseconds if isinstance(milliseconds, int) else None,
    )


def _row(record: Record) -> Row:
    data = record.data
    if record.type in _DENIALS:
        verdict, why = Verdict.DENIED, _text(data, "reason")
    else:
        verdict = Verdict.SERVED if record.type == _SERVED else Verdict.ALLOWED
        why = _text(data, "rule")
    count, milliseconds = data.get("count"), data.get("milliseconds")
    return Row(
        time=parse_rfc3339(record.time),
        call=_text(data, "call") or "",
        target=_text(data, "target") or _text(data, "method") or "",
        verdict=verdict,
        why=why or "",
        ended=None,
        subject=_text(data, "subject"),
        client=_text(data, "client"),
        issuer=_text(data, "issuer"),
        milliseconds=milliseconds if isinstance(milliseconds, int) else None,
        count=count if isinstance(count, int) else 1,
        stream=record.stream,
        seq=record.seq,
    )


def _text(data: Mapping[str, Any], name: str) -> str | None:
    """A field that is text; a file may hold anything."""
    value = data.get(name)
    return value if isinstance(value, str) else None
