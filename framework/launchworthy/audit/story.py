"""Who did what, was it allowed, why, and how long did it take? Records become rows and one call's story.

Reads records as they stand, of one file or many or from a log store, and believes nothing: whether they are
what was written is the question of `audit.verification`.
"""

from collections import OrderedDict
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
_DENIALS = frozenset(
    {
        "tool.denied",
        "resource.denied",
        "prompt.denied",
        "ratelimit.denied",
        "authn.denied",
        "protocol.rejected",
        "identity.peer_rejected",
    }
)
_SERVED = frozenset({"request.served", "subscription.opened"})
_ASKED = "tool.input_required"
_REQUESTS = _ATTEMPTS | _DENIALS | _SERVED | {_ASKED}
WAITING = 256
"""Rows that wait for the outcome of the first of them, so that a list is in order of time."""


class Verdict(StrEnum):
    """What became of a request."""

    ALLOWED = "allowed"
    DENIED = "denied"
    SERVED = "served"
    ASKED = "asked"


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One request.

    Attributes:
        time: of its first record.
        call: the call id; empty for a summary of many.
        target: tool, resource or prompt; the method where there is none.
        verdict: allowed, denied, served, or asked (a person must approve).
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
        verdict: allowed, denied, served or asked.
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
    """The requests that are wanted, each as soon as its end is known.

    In the order of their first records, but that nothing waits for a call that runs on and on: when many
    have come since, it is listed when it ends. Without an end, it comes last.
    """
    return (row for row in _ended(records) if wanted.takes(row))


def _ended(records: Iterable[Record]) -> Iterator[Row]:
    """Every request, each as soon as its end is known."""
    waiting = _Waiting()
    for record in records:
        if record.type in _OUTCOMES:
            yield from waiting.end(record)
        elif record.type in _REQUESTS:
            waiting.begin(row_of(record))
        yield from waiting.ready()
    yield from waiting.rest()


class _Waiting:
    """Requests whose end, or that of one before them, is not known yet."""

    def __init__(self) -> None:
        self._in_order: OrderedDict[object, Row] = OrderedDict()
        self._late: dict[object, Row] = {}

    def begin(self, row: Row) -> None:
        key: object = row.call if row.verdict is Verdict.ALLOWED else object()
        if key in self._in_order:  # the same call once more: a file that was read twice
            self._in_order[object()] = self._in_order.pop(key)
        self._in_order[key] = row
        if len(self._in_order) > WAITING:
            first, waited = self._in_order.popitem(last=False)
            self._late[first] = waited

    def end(self, outcome: Record) -> Iterator[Row]:
        """Note an outcome; a row that nothing waits for is told at once."""
        key = _text(outcome.data, "call")
        if key in self._in_order:
            self._in_order[key] = _with_end(self._in_order[key], outcome)
        elif key in self._late:
            yield _with_end(self._late.pop(key), outcome)

    def ready(self) -> Iterator[Row]:
        """Take from the front whatever has its end."""
        while self._in_order:
            row = next(iter(self._in_order.values()))
            if row.verdict is Verdict.ALLOWED and row.ended is None:
                return
            self._in_order.popitem(last=False)
            yield row

    def rest(self) -> Iterator[Row]:
        """All that is left, its end known or not."""
        yield from self._in_order.values()
        yield from self._late.values()


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
        elif call in (record.data.get("call"), record.data.get("asked_by")):
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
    asked = next((step for step in steps if step.type in _REQUESTS), steps[0])
    row = row_of(asked)
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


def row_of(record: Record) -> Row:
    """What a single record says of a request; what it does not say is empty."""
    data = record.data
    if record.type in _DENIALS:
        verdict, why = Verdict.DENIED, _text(data, "reason") or _text(data, "cause")
    elif record.type == _ASKED:
        verdict, why = Verdict.ASKED, " ".join(_texts(data, "rules"))
    else:
        verdict = Verdict.SERVED if record.type in _SERVED else Verdict.ALLOWED
        why = _text(data, "rule")
    count, milliseconds = data.get("count"), data.get("milliseconds")
    return Row(
        time=parse_rfc3339(record.time),
        call=_text(data, "call") or "",
        target=_text(data, "target") or " ".join(_texts(data, "targets")) or _text(data, "method") or "",
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


def _texts(data: Mapping[str, Any], name: str) -> tuple[str, ...]:
    """A field that is a list of texts."""
    value = data.get(name)
    return tuple(one for one in value if isinstance(one, str)) if isinstance(value, list | tuple) else ()


def _text(data: Mapping[str, Any], name: str) -> str | None:
    """A field that is text; a file may hold anything."""
    value = data.get(name)
    return value if isinstance(value, str) else None
