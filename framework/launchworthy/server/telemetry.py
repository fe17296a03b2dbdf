"""What do traces and metrics show of calls? What the audit has recorded of them, and less.

An observer of records: what was written becomes a span when a call has ended, and numbers. So nothing can be
in a trace that is not in the audit, the gate knows nothing of it, and without an endpoint in the settings it
does not exist. Only OpenTelemetry's API is used here; names are its conventions', written as literals since
their constants are stubs.

* names of spans and labels of numbers come from manifests: a tool that nobody declared has no name here
* no argument, no URI, no subject, no text of an error
* what the client says of its own trace is a link, never a parent: it is its word
"""

import json
import re
from collections import OrderedDict
from collections.abc import Callable, Iterable
from typing import Any

from opentelemetry.metrics import CallbackOptions, Meter, Observation
from opentelemetry.trace import Link, SpanContext, SpanKind, StatusCode, TraceFlags, Tracer

from launchworthy.audit.events import Record
from launchworthy.audit.stream import AuditStream

MAX_RUNNING = 4096
"""Calls whose end is awaited; beyond it the oldest has no span. The audit has it."""
_TRACEPARENT = re.compile(r"[0-9a-f]{2}-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})")
_ATTEMPT, _OUTCOME, _DENIED = ".attempt", ".outcome", (".denied", ".rejected")
_PEER = "identity.peer_rejected"
_NAMED = {"tool": "gen_ai.tool.name", "prompt": "gen_ai.prompt.name"}
_METHODS = {"tool": "tools/call", "resource": "resources/read", "prompt": "prompts/get"}


class Telemetry:
    """Turns records into spans and numbers."""

    def __init__(
        self, tracer: Tracer, meter: Meter, *, known: frozenset[str], clock: Callable[[], int]
    ) -> None:
        """Begin.

        Args:
            tracer: makes spans.
            meter: makes numbers.
            known: names of tools and prompts that are served; there are no others here.
            clock: nanoseconds since the epoch.
        """
        self._tracer = tracer
        self._known = known
        self._clock = clock
        self._running: OrderedDict[str, tuple[int, dict[str, Any]]] = OrderedDict()
        self._durations = meter.create_histogram(
            "mcp.server.operation.duration", unit="s", description="How long a call took."
        )
        self._refusals = meter.create_counter(
            "launchworthy.refusals", description="Requests that were refused, by reason."
        )

    def observe(self, record: Record) -> None:
        """Take note of a record that was written."""
        family, dot, rest = record.type.partition(".")
        kind = dot + rest
        if kind == _ATTEMPT:
            self._begin(json.loads(record.written()))
        elif kind == _OUTCOME:
            self._end(family, json.loads(record.written()))
        elif kind in _DENIED:
            told = json.loads(record.written())
            self._refusals.add(record.weight, {"launchworthy.reason": told.get("reason", record.type)})
        elif record.type == _PEER:
            cause = json.loads(record.written())["cause"]
            self._refusals.add(record.weight, {"launchworthy.reason": f"peer.{cause}"})

    def _begin(self, told: dict[str, Any]) -> None:
        self._running[told["call"]] = (self._clock(), told)
        if len(self._running) > MAX_RUNNING:
            self._running.popitem(last=False)

    def _end(self, family: str, told: dict[str, Any]) -> None:
        began, asked = self._running.pop(told["call"], (None, {}))
        if began is None:
            return
        ended = self._clock()
        labels = self._labels(family, asked, told)
        self._durations.record((ended - began) / 1e9, labels)
        name = " ".join(
            labels[each] for each in ("mcp.method.name", _NAMED.get(family, "")) if each in labels
        )
        span = self._tracer.start_span(
            name,
            kind=SpanKind.SERVER,
            links=_links(asked.get("trace")),
            start_time=began,
            attributes={**labels, **_attributes(family, asked)},
        )
        if "error.type" in labels:
            span.set_status(StatusCode.ERROR)
        span.end(ended)

    def _labels(self, family: str, asked: dict[str, Any], told: dict[str, Any]) -> dict[str, str]:
        labels = {"mcp.method.name": _METHODS.get(family, family)}
        target = asked.get("target")
        if family in _NAMED and target in self._known:
            labels[_NAMED[family]] = target
        if told.get("outcome") != "ok":
            labels["error.type"] = str(told.get("reason") or told.get("outcome"))
        return labels


class ObservedAudit:
    """The audit, and somebody who is told what was written; only then, and never what was not."""

    def __init__(self, stream: AuditStream, telemetry: Telemetry) -> None:
        """Write into this, tell that."""
        self._stream = stream
        self._telemetry = telemetry

    def record(self, event: Record, *, subject: str | None = None, critical: bool = False) -> None:
        """Write a record.

        Raises:
            AuditUnwritable: it is not in the file.
        """
        self._stream.record(event, subject=subject, critical=critical)
        self._telemetry.observe(event)

    async def record_durable(
        self, event: Record, *, subject: str | None = None, critical: bool = False
    ) -> None:
        """Write a record and wait for the disk.

        Raises:
            AuditUnwritable: it is not on the disk.
        """
        await self._stream.record_durable(event, subject=subject, critical=critical)
        self._telemetry.observe(event)


def gauges(meter: Meter, stream: AuditStream, scrubbed: Callable[[], int]) -> None:
    """Numbers of the audit itself: how far it is sealed, what anchors missed, what had to be scrubbed."""

    def sealed(_options: CallbackOptions) -> Iterable[Observation]:
        yield Observation(stream.sealed_to, {"launchworthy.stream": stream.stream_id})

    def of(value: Callable[[], int]) -> list[Callable[[CallbackOptions], Iterable[Observation]]]:
        return [lambda _options: (Observation(value()),)]

    meter.create_observable_gauge(
        "launchworthy.audit.sealed", [sealed], description="Records that a checkpoint covers."
    )
    meter.create_observable_gauge(
        "launchworthy.audit.anchor_failures",
        of(lambda: stream.anchor_failures),
        description="Checkpoints that no anchor took.",
    )
    meter.create_observable_gauge(
        "launchworthy.audit.writable", of(lambda: int(stream.writable)), description="1 or 0."
    )
    meter.create_observable_gauge(
        "launchworthy.log.scrubbed", of(scrubbed), description="Secrets that were about to be logged."
    )


def record_gauge(meter: Meter, left: Callable[[], int | None]) -> None:
    """How long the promotion record still allows a start; no number where none is needed."""

    def observe(_options: CallbackOptions) -> Iterable[Observation]:
        seconds = left()
        if seconds is not None:
            yield Observation(seconds)

    meter.create_observable_gauge(
        "launchworthy.record.left", [observe], unit="s", description="Until the promotion record ends."
    )


def _attributes(family: str, asked: dict[str, Any]) -> dict[str, str]:
    found = {"launchworthy.call": asked["call"]}
    if asked.get("revision"):
        found["mcp.protocol.version"] = asked["revision"]
    if family == "tool":
        found["gen_ai.operation.name"] = "execute_tool"
    return found


def _links(traceparent: object) -> tuple[Link, ...]:
    found = _TRACEPARENT.fullmatch(traceparent) if isinstance(traceparent, str) else None
    if found is None:
        return ()
    context = SpanContext(
        int(found[1], 16), int(found[2], 16), is_remote=True, trace_flags=TraceFlags(int(found[3], 16))
    )
    return (Link(context),) if context.is_valid else ()
