"""How do records get to an OpenTelemetry collector? OTLP/HTTP with JSON: one log record for each of ours.

The body is the line as it was written, so that the receiver can verify it; attributes bear OpenTelemetry's
names where its conventions have one. What counts is the answer: a partial success is a failure, since it does
not say which records were left out.
"""

import json
import ssl
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

import httpx2

from launchworthy.audit.moment import parse_rfc3339
from launchworthy.audit.reading import Record
from launchworthy.audit.sinks.sink import Line, SinkUnavailable

SECONDS = 10.0
_INFO, _WARN = (9, "INFO"), (13, "WARN")
_COMMON: Final[Mapping[str, str]] = MappingProxyType(
    {"method": "mcp.method.name", "revision": "mcp.protocol.version", "status": "http.response.status_code"}
)
_TARGET: Final[Mapping[str, str]] = MappingProxyType(
    {"tool": "gen_ai.tool.name", "resource": "mcp.resource.uri", "prompt": "gen_ai.prompt.name"}
)
_NANOSECONDS = 1_000_000_000


class OtlpSink:
    """Posts to `<endpoint>/v1/logs`."""

    def __init__(self, endpoint: str, *, tls: ssl.SSLContext) -> None:
        """Post to this endpoint, which is https or on loopback: `https://collector.acme.example:4318`."""
        self._url = endpoint.rstrip("/") + "/v1/logs"
        self._client = httpx2.Client(verify=tls, timeout=SECONDS, follow_redirects=False, trust_env=False)

    def send(self, lines: tuple[Line, ...]) -> None:
        """Post all lines in one request.

        Raises:
            SinkUnavailable: it did not say that it has taken all of them.
        """
        try:
            answer = self._client.post(self._url, json=_request(lines))
        except (httpx2.HTTPError, httpx2.InvalidURL, httpx2.StreamError) as error:
            raise SinkUnavailable(type(error).__name__) from None
        if answer.status_code != httpx2.codes.OK:
            raise SinkUnavailable(f"status {answer.status_code}")
        if _rejected(answer):
            raise SinkUnavailable("it took only some of the records")

    def close(self) -> None:
        """Close the connections."""
        self._client.close()


def _request(lines: tuple[Line, ...]) -> dict[str, Any]:
    """An ExportLogsServiceRequest; lines of one source share a resource."""
    by_source: dict[str, list[dict[str, Any]]] = {}
    for line in lines:
        by_source.setdefault(line.record.source, []).append(_log_record(line))
    return {
        "resourceLogs": [
            {
                "resource": {"attributes": _attributes({"service.instance.id": source})},
                "scopeLogs": [{"scope": {"name": "launchworthy.audit"}, "logRecords": records}],
            }
            for source, records in by_source.items()
        ]
    }


def _log_record(line: Line) -> dict[str, Any]:
    record = line.record
    number, text = _WARN if record.type.endswith((".denied", ".rejected", ".degraded")) else _INFO
    return {
        "timeUnixNano": str(_nanoseconds(record.time)),
        "severityNumber": number,
        "severityText": text,
        "eventName": f"launchworthy.{record.type}",
        "body": {"stringValue": line.raw.decode()},
        "attributes": _attributes(attributes_of(record)),
    }


def attributes_of(record: Record) -> dict[str, str | int]:
    """What of a record has a name in OpenTelemetry's conventions, and what finds it again."""
    data = record.data
    found: dict[str, str | int] = {
        "launchworthy.stream": record.stream,
        "launchworthy.seq": record.seq,
        "launchworthy.type": record.type,
    }
    if isinstance(data.get("call"), str):
        found["launchworthy.call"] = data["call"]
    names = {**_COMMON, "target": _TARGET.get(record.type.partition(".")[0], "launchworthy.target")}
    for field, name in names.items():
        value = data.get(field)
        if isinstance(value, str | int):
            found[name] = value
    outcome = data.get("outcome")
    error = data.get("reason") or (outcome if outcome != "ok" else None)
    if isinstance(error, str):
        found["error.type"] = error
    return found


def _attributes(values: Mapping[str, str | int]) -> list[dict[str, Any]]:
    return [
        {"key": key, "value": {"intValue": str(value)} if isinstance(value, int) else {"stringValue": value}}
        for key, value in values.items()
    ]


def _nanoseconds(time: str) -> int:
    moment = parse_rfc3339(time)
    return int(moment.timestamp()) * _NANOSECONDS + moment.microsecond * 1000


def _rejected(answer: httpx2.Response) -> bool:
    """Whether an ExportLogsServiceResponse names records that were not taken."""
    if not answer.content:
        return False
    try:
        told = json.loads(answer.content)
    except (
        ValueError,
        RecursionError,
    ):  # a collector may answer in protobuf, which is empty where all went well
        return True
    partial = told.get("partialSuccess") if isinstance(told, dict) else None
    left_out = partial.get("rejectedLogRecords", 0) if isinstance(partial, dict) else 0
    return left_out not in (
        None,
        "",
        "0",
        0,
    )  # anything else that it says here is no word that all were taken
