"""What holds for every request: the SDK agrees, nothing is coerced, and no bytes cause an accident."""

import asyncio
import json
from collections.abc import Callable
from typing import Any, TypeVar

from hypothesis import given, settings
from hypothesis import strategies as st
from mcp.server.mcpserver.utilities.func_metadata import func_metadata
from mcp.shared.inbound import InboundModernRoute, classify_inbound_request, encode_header_value
from mcp.shared.inbound import decode_header_value as sdk_decode
from mcp.shared.uri_template import UriTemplate as SdkTemplate

from launchworthy.enforcement.arguments import Arguments, Form, UnfitArguments, plain_value
from launchworthy.enforcement.authorized import same
from launchworthy.enforcement.body import RULE_33, read_body
from launchworthy.enforcement.request import (
    Message,
    Place,
    Revision,
    RoutingHeaders,
    UriTemplate,
    decode_header_value,
    endpoint_of,
    read_head,
    read_message,
    settle,
)
from launchworthy.vocabulary import Reason, Refused

T = TypeVar("T")


def outcome(attempt: Callable[[], T]) -> T | Refused:
    """What came of it; anything but a refusal is an accident."""
    try:
        return attempt()
    except Refused as refused:
        return refused


BOTH = ("2026-07-28", "2025-11-25")
TEXT = st.text(st.characters(codec="utf-8"), max_size=20)
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**17), 10**17)
    | st.floats(allow_nan=False, allow_infinity=False)
    | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=12,
)


@given(TEXT)
def test_what_a_client_encodes_is_decoded_as_the_sdk_does(value):
    assert decode_header_value(encode_header_value(value)) == value


@given(
    st.one_of(
        st.text(max_size=30), st.text("=?base64AYWRk/+_-", max_size=30).map(lambda text: f"=?base64?{text}?=")
    )
)
def test_a_header_is_decoded_exactly_where_the_sdk_decodes_it(value):
    ours = outcome(lambda: decode_header_value(value))
    assert (None if isinstance(ours, Refused) else ours) == sdk_decode(value)


VERSIONS = st.sampled_from(["2026-07-28", "2025-11-25", "2024-11-05", "2027-01-01", "", "x"])
META = st.dictionaries(
    st.sampled_from([
        "io.modelcontextprotocol/protocolVersion",
        "io.modelcontextprotocol/clientCapabilities",
        "io.modelcontextprotocol/clientInfo",
        "progressToken",
    ]),
    VERSIONS | st.just({}) | st.none() | st.integers(0, 3),
)  # fmt: skip
METHODS = st.sampled_from(["tools/call", "tools/list", "resources/read", "ping", "initialize"])


@settings(max_examples=400)
@given(
    METHODS,
    META,
    st.none() | VERSIONS,
    st.none() | METHODS,
    st.none() | st.sampled_from(["add", "wipe", "=?base64?YWRk?="]),
    st.booleans(),
)
def test_no_modern_request_is_settled_that_the_sdk_would_refuse(  # noqa: PLR0917
    method, meta, version, said, name, named
):
    params: dict[str, Any] = {"_meta": meta} | ({"name": "add", "uri": "add"} if named else {})
    headers = {
        key: value
        for key, value in (("mcp-protocol-version", version), ("mcp-method", said), ("mcp-name", name))
        if value is not None
    }
    routing = RoutingHeaders(version=version, method=said, name=name, params=(), repeated=None)
    theirs = classify_inbound_request({"method": method, "params": params}, headers=headers)
    settled = outcome(lambda: settle(Message(id=1, method=method, params=params), routing, BOTH))
    if isinstance(settled, Refused):
        reasons = {Reason.PROTOCOL_MISMATCH, Reason.PROTOCOL_REVISION, Reason.PROTOCOL_INVALID}
        assert settled.reason in reasons
    elif settled.revision is Revision.MODERN:
        assert isinstance(theirs, InboundModernRoute)
    else:
        assert "io.modelcontextprotocol/protocolVersion" not in meta
        assert version == "2025-11-25" or (version is None and method == "initialize")


@given(JSON)
def test_any_json_is_a_message_or_refused(body):
    message = outcome(lambda: read_message(body))
    if isinstance(message, Refused):
        assert message.reason is Reason.PROTOCOL_INVALID
    else:
        assert isinstance(body, dict)
        assert message.method == body["method"]


ENDPOINT = endpoint_of("https://a.example/mcp", documents=("/d",), pages=(), allowed_origins=(), max_body=100)
FIELD = st.tuples(
    st.sampled_from([
        b"host", b"origin", b"accept", b"content-type", b"content-length", b"authorization", b"mcp-name",
        b"mcp-param-x", b"transfer-encoding", b"x",
    ]),
    st.binary(max_size=30) | st.sampled_from([b"a.example", b"application/json", b"*/*", b"5"]),
)  # fmt: skip


@settings(max_examples=300)
@given(
    st.sampled_from(["GET", "POST", "PUT"]),
    st.sampled_from([b"/mcp", b"/d", b"/"]),
    st.lists(FIELD, max_size=70),
)
def test_any_header_section_is_read_or_refused(method, path, headers):
    head = outcome(lambda: read_head(ENDPOINT, method=method, raw_path=path, headers=headers))
    if isinstance(head, Refused):
        assert head.reason.family in {"http", "protocol"}
        return
    hosts = [value.strip().lower() for name, value in headers if name == b"host"]
    assert hosts in ([b"a.example"], [b"a.example:443"])
    assert len([name for name, _ in headers if name == b"origin"]) <= 1
    assert len(headers) <= 64
    assert (head.place is Place.DOCUMENT) is (path == b"/d")


def coerced(  # noqa: PLR0917
    number: int = 0,
    text: str | None = None,
    flag: bool = False,  # noqa: FBT001, FBT002
    several: str | list[str] = "",
    table: dict[str, int] | None = None,
    fraction: float = 0.0,
) -> None:
    """Take some of everything."""


ARGUMENTS = Arguments(func_metadata(coerced).arg_model, Form.JSON)
NAMES = st.sampled_from(["number", "text", "flag", "several", "table", "fraction", "other"])


@settings(max_examples=400)
@given(st.dictionaries(NAMES, JSON, max_size=4))
def test_no_argument_is_coerced(unvalidated):
    validated = outcome(lambda: ARGUMENTS.validate(unvalidated))
    if isinstance(validated, Refused):
        assert isinstance(validated, UnfitArguments)
        assert validated.faults
        return
    assert set(unvalidated) <= {"number", "text", "flag", "several", "table", "fraction"}
    for name, value in unvalidated.items():
        if name == "fraction" and type(value) is int:
            assert validated.values[name] == value
            continue
        assert same(validated.values[name], value)
        assert same(plain_value(validated.values[name]), value)


@given(JSON, JSON)
def test_two_values_are_the_same_exactly_where_their_json_is(one, two):
    assert same(one, one)
    if same(one, two):
        assert json.dumps(one, sort_keys=True) == json.dumps(two, sort_keys=True)
    assert same(one, two) is same(two, one)


@given(
    st.text(st.characters(codec="utf-8"), min_size=1, max_size=12), st.text("abc.-~", min_size=1, max_size=8)
)
def test_a_template_reads_back_what_it_expands_to_as_the_sdk_does(value, other):
    text = "orders://order/{order}/line/{line}"
    uri = SdkTemplate.parse(text).expand({"order": value, "line": other})
    assert (
        UriTemplate.of(text).match(uri)
        == SdkTemplate.parse(text).match(uri)
        == {"order": value, "line": other}
    )


@given(st.text("ab/%2F0:?#,&{} ", max_size=24))
def test_no_uri_means_more_here_than_to_the_sdk(path):
    text = "orders://order/{order}/line/{line}"
    ours = UriTemplate.of(text).match(f"orders://order/{path}")
    if ours is not None:
        assert ours == SdkTemplate.parse(text).match(f"orders://order/{path}")


@given(st.lists(st.binary(max_size=40), max_size=6), st.integers(0, 100))
def test_a_body_is_whole_or_refused(chunks, max_bytes):
    waiting = [*chunks]

    async def receive() -> dict[str, Any]:
        chunk = waiting.pop(0) if waiting else b""
        return {"type": "http.request", "body": chunk, "more_body": bool(waiting)}

    body = outcome(lambda: asyncio.run(read_body(receive, max_bytes=max_bytes, pace=RULE_33)))
    if isinstance(body, Refused):
        assert body.reason is Reason.HTTP_SIZE
        assert sum(map(len, chunks)) > max_bytes
    else:
        assert body == b"".join(chunks)
        assert len(body) <= max_bytes
