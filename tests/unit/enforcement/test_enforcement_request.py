"""The pure core: bytes in, a stronger type or a refusal out."""

import pytest

from launchworthy.approval.page import ROUTES
from launchworthy.enforcement.request import (
    NOTIFICATIONS,
    REQUESTS,
    HeaderSectionTooLarge,
    Message,
    MethodNotAllowed,
    Place,
    Revision,
    RoutingHeaders,
    Row,
    UnsupportedRevision,
    UriTemplate,
    decode_header_value,
    endpoint_of,
    read_head,
    read_message,
    row_of,
    settle,
)
from launchworthy.vocabulary import Reason, Refused

BOTH = ("2026-07-28", "2025-11-25")
ENDPOINT = endpoint_of(
    "https://orders.acme.example/mcp",
    documents=("/.well-known/oauth-protected-resource/mcp", "/.well-known/oauth-protected-resource"),
    pages=ROUTES,
    allowed_origins=("https://console.acme.example",),
    max_body=1000,
)
HEADERS = {
    b"host": b"orders.acme.example",
    b"content-type": b"application/json",
    b"accept": b"application/json, text/event-stream",
    b"authorization": b"Bearer x",
}


def head(*more, method="POST", raw_path=b"/mcp", endpoint=ENDPOINT, **changes):
    fields = {**HEADERS, **{name.replace("_", "-").encode(): value for name, value in changes.items()}}
    pairs = [(name, value) for name, value in fields.items() if value is not None]
    return read_head(endpoint, method=method, raw_path=raw_path, headers=[*pairs, *more])


def reason(raised):
    return raised.value.reason


def test_a_good_head_is_read():
    read = head(mcp_method=b"tools/call", mcp_name=b" add\t")
    assert read.place is Place.CALLS
    assert read.authorization == (b"Bearer x",)
    assert (read.routing.method, read.routing.name, read.routing.version) == ("tools/call", "add", None)


@pytest.mark.parametrize(
    ("resource", "hosts", "others", "origin"),
    [
        (
            "https://a.example/mcp",
            ["a.example", "a.example:443", "A.EXAMPLE"],
            ["a.example:80", "a.example:8443", ""],
            "https://a.example",
        ),
        ("https://a.example:8443/mcp", ["a.example:8443"], ["a.example"], "https://a.example:8443"),
        ("http://127.0.0.1:80/mcp", ["127.0.0.1", "127.0.0.1:80"], ["localhost"], "http://127.0.0.1"),
        ("http://[::1]:8080/mcp", ["[::1]:8080"], ["::1", "[::1]"], "http://[::1]:8080"),
    ],
)
def test_the_host_is_the_resources(resource, hosts, others, origin):
    endpoint = endpoint_of(resource, documents=(), pages=(), allowed_origins=(), max_body=10)
    for host in hosts:
        head(endpoint=endpoint, host=host.encode(), origin=origin.encode())
    for host in others:
        with pytest.raises(Refused) as raised:
            head(endpoint=endpoint, host=host.encode())
        assert reason(raised) is Reason.HTTP_HOST


def test_a_resource_without_a_path_is_at_the_root():
    endpoint = endpoint_of("https://a.example", documents=(), pages=(), allowed_origins=(), max_body=10)
    assert head(endpoint=endpoint, host=b"a.example", raw_path=b"/").place is Place.CALLS


def test_two_hosts_are_none_and_no_host_is_none():
    for raised_by in (lambda: head((b"host", b"orders.acme.example")), lambda: head(host=None)):
        with pytest.raises(Refused) as raised:
            raised_by()
        assert reason(raised) is Reason.HTTP_HOST


def test_two_origins_are_none():
    with pytest.raises(Refused) as raised:
        head((b"origin", b"https://console.acme.example"), origin=b"https://console.acme.example")
    assert reason(raised) is Reason.HTTP_ORIGIN


def test_a_document_needs_neither_type_nor_accept():
    read = head(
        method="GET", raw_path=b"/.well-known/oauth-protected-resource", content_type=None, accept=None
    )
    assert read.place is Place.DOCUMENT
    with pytest.raises(MethodNotAllowed) as raised:
        head(raw_path=b"/.well-known/oauth-protected-resource")
    assert raised.value.allow == "GET"


def test_the_path_and_the_method_are_asked_first_then_the_host_then_sizes():
    broken = {"host": b"evil.example", "content_length": b"99999", "content_type": b"x", "accept": b"x"}
    with pytest.raises(Refused) as raised:
        head(raw_path=b"/x", method="GET", **broken)
    assert reason(raised) is Reason.HTTP_PATH
    with pytest.raises(MethodNotAllowed):
        head(method="GET", **broken)
    order = [
        (Reason.HTTP_HOST, "host"),
        (Reason.HTTP_SIZE, "content_length"),
        (Reason.HTTP_CONTENT_TYPE, "content_type"),
        (Reason.HTTP_ACCEPT, "accept"),
    ]
    for expected, field in order:
        with pytest.raises(Refused) as raised:
            head(**broken)
        assert reason(raised) is expected
        del broken[field]
    assert head(**broken)


def test_a_section_has_64_fields_and_32_kib_at_most():
    assert head(*((b"x-%d" % number, b"") for number in range(60)))
    with pytest.raises(HeaderSectionTooLarge):
        head(*((b"x-%d" % number, b"") for number in range(61)))
    assert head((b"x", b"a" * 32_000))
    with pytest.raises(HeaderSectionTooLarge):
        head((b"x", b"a" * 33_000))


@pytest.mark.parametrize("length", [b"1001", b"-1", b"1e3", b"", b"0x10", b"1_0", b"\xb2", b"9" * 5000])
def test_a_length_that_does_not_fit_is_refused(length):
    with pytest.raises(Refused) as raised:
        head(content_length=length)
    assert reason(raised) is Reason.HTTP_SIZE


def test_a_length_that_fits_is_taken():
    for length in (b"0", b"1000", b" 7 "):
        assert head(content_length=length)


def test_two_lengths_are_ambiguous():
    for more, changes in ((((b"content-length", b"5"),), {}), ((), {"transfer_encoding": b"chunked"})):
        with pytest.raises(Refused) as raised:
            head(*more, content_length=b"5", **changes)
        assert reason(raised) is Reason.PROTOCOL_INVALID


def test_two_content_types_are_none():
    with pytest.raises(Refused) as raised:
        head((b"content-type", b"application/json"))
    assert reason(raised) is Reason.HTTP_CONTENT_TYPE


def test_accept_may_come_in_several_lines():
    assert head((b"accept", b"text/event-stream"), accept=b"application/json")


def test_routing_headers_that_repeat_are_named():
    assert head((b"mcp-name", b"a"), mcp_name=b"a").routing.repeated == "mcp-name"
    assert head((b"mcp-param-x", b"a"), (b"mcp-param-x", b"b")).routing.repeated == "mcp-param-x"
    assert head((b"mcp-param-x", b" a"), (b"mcp-param-y", b"b")).routing.params == (
        ("mcp-param-x", "a"),
        ("mcp-param-y", "b"),
    )
    assert head((b"x-other", b"a"), (b"x-other", b"b")).routing.repeated is None


def test_every_token_is_handed_on_for_others_to_judge():
    assert head((b"authorization", b" Bearer y ")).authorization == (b"Bearer x", b"Bearer y")
    assert head(authorization=None).authorization == ()


def test_a_message_keeps_its_id_and_parameters():
    assert read_message({"jsonrpc": "2.0", "id": "a", "method": "m"}) == Message(
        id="a", method="m", params={}
    )
    assert read_message({"jsonrpc": "2.0", "id": 0, "method": "m", "params": {"x": 1}}).params == {"x": 1}
    assert read_message({"jsonrpc": "2.0", "method": "m"}).id is None


def routing(version=None, method=None, name=None, repeated=None):
    return RoutingHeaders(version=version, method=method, name=name, params=(), repeated=repeated)


def message(method="tools/call", params=None, request_id=1):
    return Message(id=request_id, method=method, params={"name": "add"} if params is None else params)


def modern(**params):
    meta = {
        "io.modelcontextprotocol/protocolVersion": "2026-07-28",
        "io.modelcontextprotocol/clientCapabilities": {},
        "io.modelcontextprotocol/clientInfo": {"name": "x"},
    }
    return {"name": "add", "_meta": meta} | params


def test_a_modern_message_is_settled():
    settled = settle(message(params=modern()), routing("2026-07-28", "tools/call", "add"), BOTH)
    assert settled.revision is Revision.MODERN
    assert settled.client_info == {"name": "x"}
    assert settled.capabilities == {}


def test_an_older_message_is_settled():
    settled = settle(message(), routing("2025-11-25"), BOTH)
    assert (settled.revision, settled.client_info, settled.capabilities) == (Revision.LEGACY, None, None)


def test_an_opening_is_agreed_to_and_nothing_else_of_it_changes():
    params = {"protocolVersion": "2024-11-05", "clientInfo": {"name": "x"}, "capabilities": {"roots": {}}}
    settled = settle(message("initialize", params), routing(), BOTH)
    assert settled.message.params == {**params, "protocolVersion": "2025-11-25"}
    assert params["protocolVersion"] == "2024-11-05"
    assert settled.client_info == {"name": "x"}
    odd = settle(message("initialize", {"protocolVersion": 7}), routing(), BOTH)
    assert odd.message.params == {"protocolVersion": 7}


def test_a_name_that_the_body_lacks_needs_no_header():
    assert settle(message(params={**modern(), "name": None}), routing("2026-07-28", "tools/call"), BOTH)


def test_an_odd_revision_is_not_echoed():
    with pytest.raises(UnsupportedRevision) as raised:
        settle(message(), routing("\x1b[2J"), BOTH)
    assert raised.value.requested == ""
    with pytest.raises(UnsupportedRevision) as raised:
        settle(message(), routing("x" * 500), BOTH)
    assert raised.value.requested == "x" * 64


def test_an_opening_names_the_revision_it_asked_for_where_none_is_served():
    for params, shown in (
        ({"protocolVersion": "2025-06-18"}, "2025-06-18"),
        ({"protocolVersion": 7}, ""),
        ({}, ""),
    ):
        with pytest.raises(UnsupportedRevision) as raised:
            settle(message("initialize", params), routing(), ("2026-07-28",))
        assert raised.value.requested == shown


@pytest.mark.parametrize(
    ("value", "decoded"),
    [
        ("add", "add"),
        ("", ""),
        ("=?base64?YWRk?=", "add"),
        ("=?base64??=", ""),
        ("=?base64?w6k=?=", "é"),
        ("=?utf-8?x?=", "=?utf-8?x?="),
    ],
)
def test_a_header_value_is_decoded(value, decoded):
    assert decode_header_value(value) == decoded


@pytest.mark.parametrize(
    "value",
    [
        "=?base64?YWR?=",
        "=?base64?YWRl=?=",
        "=?base64?_-?=",
        "=?base64?/w==?=",
        "=?base64?YWRkZR==?=",
        "=?base64?ä?=",
    ],
)
def test_a_header_value_that_is_not_the_canonical_encoding_is_a_mismatch(value):
    with pytest.raises(Refused) as raised:
        decode_header_value(value)
    assert reason(raised) is Reason.PROTOCOL_MISMATCH


def test_every_method_that_is_served_has_a_row_and_no_other():
    assert set(REQUESTS) == set(NOTIFICATIONS) == set(Revision)
    for revision in Revision:
        for method, row in REQUESTS[revision].items():
            settled = settle_as(revision, method)
            assert row_of(settled, frozenset(Row)) is row
        with pytest.raises(Refused) as raised:
            row_of(settle_as(revision, "completion/complete"), frozenset(Row) - {Row.COMPLETION})
        assert reason(raised) is Reason.PROTOCOL_METHOD
    assert (
        row_of(settle_as(Revision.LEGACY, "notifications/initialized", request_id=None), frozenset(Row))
        is Row.IGNORED
    )


def settle_as(revision, method, request_id=1):
    if revision is Revision.MODERN:
        return settle(
            message(method, {"_meta": modern()["_meta"]}, request_id), routing("2026-07-28", method), BOTH
        )
    return settle(message(method, {}, request_id), routing("2025-11-25"), BOTH)


def test_a_template_gives_its_variables_decoded_once():
    template = UriTemplate.of("orders://order/{order_id}/line/{line}")
    assert template.variables == ("order_id", "line")
    assert template.match("orders://order/7/line/a%2Fb") == {"order_id": "7", "line": "a/b"}
    assert template.match("orders://order/a%252Fb/line/1") == {"order_id": "a%2Fb", "line": "1"}
    assert template.match("orders://order/c:17@x/line/1") == {"order_id": "c:17@x", "line": "1"}


@pytest.mark.parametrize(
    "uri",
    [
        "orders://order/7/line/",
        "orders://order//line/1",
        "orders://order/a/b/line/1",
        "orders://order/7/line/1?x",
        "orders://order/7/line/1#x",
        "orders://order/7/line/%",
        "orders://order/7/line/%zz",
        "orders://order/7/line/%ff",
        "orders://order/7/line/a b",
        "orders://order/7/line/1\n",
        "xorders://order/7/line/1",
        "ORDERS://order/7/line/1",
        "orders://order/7/line/a,b",
    ],
)
def test_a_template_means_nothing_else(uri):
    assert UriTemplate.of("orders://order/{order_id}/line/{line}").match(uri) is None


def test_what_is_special_in_a_pattern_is_literal_in_a_template():
    template = UriTemplate.of("orders://a.b/(x)/{y}")
    assert template.match("orders://a.b/(x)/1") == {"y": "1"}
    assert template.match("orders://aXb/(x)/1") is None


HANDLE = b"0123456789abcdef" * 2


@pytest.mark.parametrize(
    ("path", "methods"),
    [
        (b"/approval/" + HANDLE, ("GET", "POST")),
        (b"/approval/" + HANDLE + b"/sign-in", ("GET",)),
        (b"/approval/signed-in", ("GET",)),
    ],
)
def test_the_page_answers_its_methods_and_no_other(path, methods):
    for method in methods:
        assert head(method=method, raw_path=path).place is Place.PAGE
    for method in {"GET", "POST", "HEAD", "PUT", "DELETE", "OPTIONS", "get"} - set(methods):
        with pytest.raises(MethodNotAllowed) as raised:
            head(method=method, raw_path=path)
        assert raised.value.allow == ", ".join(methods)


@pytest.mark.parametrize(
    "path",
    [
        b"/approval/", b"/approval", b"/approval/" + HANDLE + b"/", b"/approval/" + HANDLE[:-1],
        b"/approval/" + HANDLE.upper(), b"/approval/" + HANDLE + b"0", b"/approval/signed-in/",
        b"/approval/" + HANDLE + b"/sign-in/x", b"/approval/%30" + HANDLE[1:], b"//approval/" + HANDLE,
    ],
)  # fmt: skip
def test_nothing_else_is_served_below_the_page(path):
    with pytest.raises(Refused) as raised:
        head(method="GET", raw_path=path)
    assert reason(raised) is Reason.HTTP_PATH


def test_a_page_that_tells_no_referrer_has_no_origin_and_calls_have_one():
    assert head(method="POST", raw_path=b"/approval/" + HANDLE, origin=b"null").place is Place.PAGE
    with pytest.raises(Refused) as raised:
        head(origin=b"null")
    assert reason(raised) is Reason.HTTP_ORIGIN
    with pytest.raises(Refused) as raised:
        head(method="POST", raw_path=b"/approval/" + HANDLE, origin=b"https://evil.example")
    assert reason(raised) is Reason.HTTP_ORIGIN


def test_a_server_that_asks_nobody_has_no_page():
    plain = endpoint_of(
        "https://orders.acme.example/mcp", documents=(), pages=(), allowed_origins=(), max_body=1000
    )
    with pytest.raises(Refused) as raised:
        head(endpoint=plain, method="GET", raw_path=b"/approval/" + HANDLE)
    assert reason(raised) is Reason.HTTP_PATH
