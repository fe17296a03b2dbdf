"""How do spans and numbers get to a collector? OTLP/HTTP with JSON; the one module that loads the SDK.

The SDK drops what a dead collector does not take, and says nothing: that is good enough for traces, and why
the audit never goes this way.
"""

import ssl
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import httpx2
from opentelemetry.metrics import Meter
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import (
    HistogramDataPoint,
    MetricExporter,
    MetricExportResult,
    MetricsData,
    PeriodicExportingMetricReader,
)
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.trace import Tracer

SCOPE = "launchworthy"
SECONDS = 5.0
METRICS_MILLISECONDS = 15_000
_CUMULATIVE = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Exporting:
    """What is exported to a collector.

    Attributes:
        tracer: makes spans.
        meter: makes numbers.
        close: sends what waits, for a short while, and ends.
    """

    tracer: Tracer
    meter: Meter
    close: Callable[[], None]


def export_to(endpoint: str, *, tls: ssl.SSLContext, about: Mapping[str, str]) -> Exporting:
    """Export to `<endpoint>/v1/traces` and `/v1/metrics`.

    Args:
        endpoint: https, or on loopback.
        tls: how it is verified.
        about: who we are, by the names of the conventions: `service.name`, ….
    """
    post = _Post(endpoint.rstrip("/"), tls)
    resource = Resource(dict(about))
    traces = TracerProvider(resource=resource, shutdown_on_exit=False)
    traces.add_span_processor(BatchSpanProcessor(_Spans(post)))
    reader = PeriodicExportingMetricReader(_Metrics(post), export_interval_millis=METRICS_MILLISECONDS)
    metrics = MeterProvider((reader,), resource=resource, shutdown_on_exit=False)

    def close() -> None:
        traces.shutdown()
        metrics.shutdown(timeout_millis=SECONDS * 1000)
        post.close()

    return Exporting(tracer=traces.get_tracer(SCOPE), meter=metrics.get_meter(SCOPE), close=close)


class _Post:
    """Posts JSON; whether it was taken."""

    def __init__(self, endpoint: str, tls: ssl.SSLContext) -> None:
        self._endpoint = endpoint
        self._client = httpx2.Client(verify=tls, timeout=SECONDS, follow_redirects=False, trust_env=False)

    def __call__(self, path: str, told: dict[str, Any]) -> bool:
        try:
            return self._client.post(self._endpoint + path, json=told).is_success
        except (httpx2.HTTPError, httpx2.InvalidURL, httpx2.StreamError):
            return False

    def close(self) -> None:
        self._client.close()


class _Spans(SpanExporter):
    def __init__(self, post: _Post) -> None:
        self._post = post

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        told = [_span(span) for span in spans]
        scope = {"scopeSpans": [{"scope": {"name": SCOPE}, "spans": told}]}
        body = {"resourceSpans": [{"resource": _resource(spans[0].resource), **scope}]}
        return SpanExportResult.SUCCESS if self._post("/v1/traces", body) else SpanExportResult.FAILURE


class _Metrics(MetricExporter):
    def __init__(self, post: _Post) -> None:
        super().__init__()
        self._post = post

    def export(
        self,
        metrics_data: MetricsData,
        timeout_millis: float = 10_000,  # noqa: ARG002 - the SDK's signature
        **kwargs: Any,  # noqa: ARG002
    ) -> MetricExportResult:
        told = [
            {
                "resource": _resource(each.resource),
                "scopeMetrics": [
                    {"scope": {"name": SCOPE}, "metrics": [_metric(metric) for metric in scope.metrics]}
                    for scope in each.scope_metrics
                ],
            }
            for each in metrics_data.resource_metrics
        ]
        taken = self._post("/v1/metrics", {"resourceMetrics": told})
        return MetricExportResult.SUCCESS if taken else MetricExportResult.FAILURE

    def force_flush(self, timeout_millis: float = 10_000) -> bool:  # noqa: ARG002 - nothing waits here
        return True

    def shutdown(self, timeout_millis: float = 30_000, **kwargs: Any) -> None:
        """Nothing is held."""


def _resource(resource: Resource) -> dict[str, Any]:
    return {"attributes": _attributes(resource.attributes)}


def _span(span: ReadableSpan) -> dict[str, Any]:
    context = span.get_span_context()
    told: dict[str, Any] = {
        "traceId": f"{context.trace_id:032x}" if context is not None else "",
        "spanId": f"{context.span_id:016x}" if context is not None else "",
        "name": span.name,
        "kind": span.kind.value + 1,  # OTLP begins with an unspecified kind
        "startTimeUnixNano": str(span.start_time),
        "endTimeUnixNano": str(span.end_time),
        "attributes": _attributes(span.attributes or {}),
        "status": {"code": span.status.status_code.value},
    }
    if span.links:
        told["links"] = [
            {"traceId": f"{link.context.trace_id:032x}", "spanId": f"{link.context.span_id:016x}"}
            for link in span.links
        ]
    return told


def _metric(metric: Any) -> dict[str, Any]:
    points = list(metric.data.data_points)
    told = {"name": metric.name, "unit": metric.unit or "", "description": metric.description or ""}
    if points and isinstance(points[0], HistogramDataPoint):
        data = {"dataPoints": [_histogram(point) for point in points], "aggregationTemporality": _CUMULATIVE}
        return {**told, "histogram": data}
    numbers = {"dataPoints": [_number(point) for point in points]}
    if type(metric.data).__name__ == "Sum":
        return {**told, "sum": {**numbers, "aggregationTemporality": _CUMULATIVE, "isMonotonic": True}}
    return {**told, "gauge": numbers}


def _histogram(point: HistogramDataPoint) -> dict[str, Any]:
    return {
        **_times(point),
        "count": str(point.count),
        "sum": point.sum,
        "bucketCounts": [str(count) for count in point.bucket_counts],
        "explicitBounds": list(point.explicit_bounds),
    }


def _number(point: Any) -> dict[str, Any]:
    return {**_times(point), "asInt": str(int(point.value))}


def _times(point: Any) -> dict[str, Any]:
    return {
        "startTimeUnixNano": str(point.start_time_unix_nano or 0),
        "timeUnixNano": str(point.time_unix_nano),
        "attributes": _attributes(point.attributes or {}),
    }


def _attributes(values: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [{"key": key, "value": {"stringValue": str(value)}} for key, value in values.items()]
