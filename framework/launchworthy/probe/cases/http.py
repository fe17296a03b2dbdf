"""Requests that are none: host, origin, path, method, types, sizes, and JSON that two readers read twice."""

import json
from dataclasses import replace
from typing import Any

from launchworthy.probe.case import BOTH, NO_TOKEN, OURS_ONLY, Case, Expected, refused
from launchworthy.probe.changes import (
    body,
    both,
    credentials,
    http_header,
    message,
    more_header,
    request_line,
)
from launchworthy.probe.draft import Change, Draft
from launchworthy.probe.probed import MODERN

_HTTP = "MCP streamable HTTP, RFC 9110"
_JSON = "RFC 8259 §2 to §4, JSON-RPC 2.0 §4"
_OF_JSON = frozenset(
    {"not-json", "name-twice", "nan", "bom", "deep", "two-texts", "batch", "notification", "no-version"}
)
_DEPTH = 5_000


def _case(  # noqa: PLR0917 - a row of the table
    control: str, name: str, title: str, why: str, change: Change, expected: Expected
) -> Case:
    return Case(
        id=f"http.{name}",
        control=control,
        title=title,
        why=why,
        source=_JSON if name in _OF_JSON else _HTTP,
        change=change,
        expected=expected,
        elsewhere=_ELSEWHERE.get(name, BOTH),
    )


_ELSEWHERE = {
    **dict.fromkeys(
        ("slash", "double-slash", "encoded", "dots", "debug", "docs", "sse", "preflight", "large", "head",
         "host-port", "no-accept", "compressed", "notification", "headers", "nan", "bom", "utf-7", "latin"),
        OURS_ONLY,
    ),
    **dict.fromkeys(("get", "delete", "override"), (MODERN,)),
}  # fmt: skip
"""What no standard asks of other servers; and what the older revision has streams and sessions for."""


def _batch(sent: bytes) -> bytes:
    return b"[" + sent + b"]"


def _name_twice(draft: Draft) -> None:
    """The same message with its method twice, the good one last."""
    good = json.dumps(draft.message)
    draft.body = ('{"method":"ping",' + good[1:]).encode()


def _deep(sent: bytes) -> bytes:
    deep = b"[" * _DEPTH + b"]" * _DEPTH
    return sent[:-1] + b',"deep":' + deep + b"}"


def _large(draft: Draft) -> None:
    draft.body = json.dumps(draft.message).encode() + b" " * draft.probed.max_body


def _many_headers(draft: Draft) -> None:
    draft.headers += [(f"x-probe-{number}", "1") for number in range(80)]


def _as_notification(sent: dict[str, Any]) -> None:
    del sent["id"]


_REBINDING = "a page in a browser on the same network calls the server (DNS rebinding)"
_TWO_READERS = "what is checked is not what is run"
_WORK = "strangers make the server work"

HTTP = (
    _case("TR-01", "host", "a request for another host", _REBINDING, http_header("host", "probe.invalid"),
          refused(421, reasons=("http.host",))),
    _case("TR-01", "host-port", "a request for this host on another port", _REBINDING,
          http_header("host", "127.0.0.1:1"), refused(421, reasons=("http.host",))),
    _case("TR-01", "origin", "a request from a page of another site", _REBINDING,
          http_header("origin", "https://probe.invalid"), refused(403, reasons=("http.origin",))),
    _case("TR-01", "origin-null", "a request from a page without an origin", _REBINDING,
          http_header("origin", "null"), refused(403, reasons=("http.origin",))),
    _case("TR-01", "preflight", "a preflight from a page of another site", _REBINDING,
          both(http_header("origin", "https://probe.invalid"), request_line("OPTIONS"),
               http_header("access-control-request-method", "POST"), credentials(lambda _: [])),
          refused(403, 405, reasons=("http.origin", "http.method"))),
    _case("AZ-09", "slash", "a request with a slash behind the path", "another door to the same room",
          request_line(path=lambda path: f"{path}/"), refused(404, reasons=("http.path",))),
    _case("AZ-09", "double-slash", "a request with two slashes before the path",
          "another door to the same room", request_line(path=lambda path: f"/{path}"),
          refused(404, reasons=("http.path",))),
    _case("AZ-09", "encoded", "a request with the path percent-encoded", "another door to the same room",
          request_line(path=lambda path: path[:-1] + f"%{ord(path[-1]):02X}"),
          refused(404, reasons=("http.path",))),
    _case("AZ-09", "dots", "a request with dots in the path", "another door to the same room",
          request_line(path=lambda path: f"/probe/%2e%2e{path}"), refused(404, reasons=("http.path",))),
    _case("AZ-09", "debug", "a request to a debugging page", "it was left open",
          request_line("GET", path=lambda _: "/debug"), refused(404, reasons=("http.path",))),
    _case("AZ-09", "docs", "a request to generated documentation", "it was left open",
          request_line("GET", path=lambda _: "/docs"), refused(404, reasons=("http.path",))),
    _case("AZ-09", "sse", "a request to the older transport", "it was left open",
          request_line("GET", path=lambda _: "/sse"), refused(404, reasons=("http.path",))),
    _case("AZ-09", "override", "a header that asks for another method", "the server does what a header says",
          both(more_header("x-http-method-override", "POST"), request_line("GET")),
          refused(405, reasons=("http.method",))),
    _case("AZ-09", "bypass", "a call without a token and with headers that ask to be let in",
          "a switch for tests was left in",
          both(credentials(lambda _: []), more_header("x-debug", "1"), more_header("x-internal", "true"),
               more_header("x-original-url", "/livez")), NO_TOKEN),
    _case("TR-03", "get", "a GET", "a stream without a request", request_line("GET"),
          refused(405, reasons=("http.method",))),
    _case("TR-03", "delete", "a DELETE", "somebody else's session ends", request_line("DELETE"),
          refused(405, reasons=("http.method",))),
    _case("TR-03", "head", "a HEAD", "another method, another path through the code", request_line("HEAD"),
          refused(405, reasons=("http.method",))),
    _case("TR-03", "text", "a body of text/plain", "a page may send it without asking (CORS)",
          http_header("content-type", "text/plain"), refused(415, reasons=("http.content_type",))),
    _case("TR-03", "no-type", "a body without a type", "a page may send it without asking (CORS)",
          http_header("content-type", None), refused(415, reasons=("http.content_type",))),
    _case("TR-03", "jsonp", "a body of application/jsonp", "a comparison by its beginning lets it through",
          http_header("content-type", "application/jsonp"), refused(415, reasons=("http.content_type",))),
    _case("TR-03", "json-seq", "a body of application/json-seq",
          "a comparison by its beginning lets it through",
          http_header("content-type", "application/json-seq"),
          refused(415, reasons=("http.content_type",))),
    _case("TR-03", "utf-7", "a body that says it is UTF-7", _TWO_READERS,
          http_header("content-type", "application/json; charset=utf-7"),
          refused(415, reasons=("http.content_type",))),
    _case("TR-03", "latin", "a body in another character set", _TWO_READERS,
          http_header("content-type", "application/json; charset=utf-16"),
          refused(415, reasons=("http.content_type",))),
    _case("TR-03", "compressed", "a body that says it is compressed", _WORK,
          more_header("content-encoding", "gzip"), refused(415, reasons=("http.content_type",))),
    _case("TR-03", "no-accept", "a client that accepts pictures only", "it could not read the answer",
          http_header("accept", "image/png"), refused(406, reasons=("http.accept",))),
    _case("TR-03", "large", "a body larger than the maximum", _WORK, _large,
          refused(413, reasons=("http.size",))),
    _case("TR-03", "headers", "a request with eighty headers more", _WORK, _many_headers,
          Expected(statuses=frozenset({431}), audited=False)),
    _case("TR-03", "not-json", "a body that is no JSON", _TWO_READERS, body(lambda sent: sent[:-1]),
          refused(400, code=-32700, reasons=("protocol.json",))),
    _case("TR-03", "name-twice", "a body with a name twice", _TWO_READERS, _name_twice,
          refused(400, code=-32700, reasons=("protocol.json",))),
    _case("TR-03", "nan", "a body with NaN in it", _TWO_READERS,
          body(lambda sent: sent[:-1] + b',"x":NaN}'), refused(400, code=-32700, reasons=("protocol.json",))),
    _case("TR-03", "bom", "a body that begins with a byte order mark", _TWO_READERS,
          body(lambda sent: b"\xef\xbb\xbf" + sent), refused(400, code=-32700, reasons=("protocol.json",))),
    _case("TR-03", "deep", "a body that is nested five thousand times", _WORK, body(_deep),
          replace(refused(400, code=-32700, reasons=("protocol.json",)), harmless=True)),
    _case("TR-03", "two-texts", "a body of two messages", _TWO_READERS, body(lambda sent: sent + sent),
          refused(400, code=-32700, reasons=("protocol.json",))),
    _case("TR-03", "batch", "a batch", _TWO_READERS, body(_batch),
          refused(400, code=-32600, reasons=("protocol.invalid",))),
    _case("TR-03", "notification", "a call that asks for no answer", "it runs and nobody is told",
          message(_as_notification), refused(400, reasons=("protocol.invalid",))),
    _case("TR-03", "no-version", "a message of no JSON-RPC version", "nobody said what its fields mean",
          message(lambda sent: sent.pop("jsonrpc") and None),
          refused(400, code=-32600, reasons=("protocol.invalid",))),
)  # fmt: skip
