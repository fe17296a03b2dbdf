"""A header never decides anything: which revision it is, and what is called, stands in the one body."""

import json

import pytest
from house import LEGACY, META, MODERN, headers_of, message_of
from mcp.shared.exceptions import MCPError
from mcp_types import RequestParams

GOOD = {"name": "add", "arguments": {"a": 1, "b": 2}}
WIPE = {"name": "wipe", "arguments": {"order_id": 1}}


def code(answer):
    return answer.status_code, answer.json()["error"]["code"]


def nothing_ran(house):
    return house.executions.taken() == 0


@pytest.fixture(autouse=True)
def forget_executions(house):
    house.executions.taken()


def test_a_modern_body_under_an_older_header_does_not_run(house):
    for version in (LEGACY, "2025-06-18", "2024-11-05", None, "", "2027-01-01"):
        answer = house.post("tools/call", GOOD, headers={"mcp-protocol-version": version})
        assert code(answer) == (400, -32020), version
        assert house.story(answer)[0]["reason"] == "protocol.mismatch"
    assert nothing_ran(house)
    assert house.post("tools/call", GOOD).status_code == 200


def test_an_older_body_under_the_modern_header_lacks_its_envelope(house):
    body = message_of("tools/call", GOOD, LEGACY)
    answer = house.post("tools/call", GOOD, body=body)
    assert code(answer) == (400, -32602)
    assert answer.json()["id"] == 1
    assert nothing_ran(house)


@pytest.mark.parametrize("version", ["2024-11-05", "2025-03-26", "2025-06-18", "2027-01-01", "x", "", None])
def test_another_revision_is_refused_with_those_that_are_served(house, version):
    answer = house.post("tools/call", GOOD, revision=LEGACY, headers={"mcp-protocol-version": version})
    assert code(answer) == (400, -32022)
    data = answer.json()["error"]["data"]
    assert data["supported"] == [MODERN, LEGACY]
    assert data["requested"] == (version or "")
    assert answer.json()["id"] == 1
    assert nothing_ran(house)


def test_a_modern_envelope_for_an_unknown_revision_is_refused_with_those_that_are_served(house):
    params = {**GOOD, "_meta": {"io.modelcontextprotocol/protocolVersion": "2027-01-01"}}
    answer = house.post("tools/call", params, headers={"mcp-protocol-version": "2027-01-01"})
    assert code(answer) == (400, -32022)
    data = answer.json()["error"]["data"]
    assert data["requested"] == "2027-01-01"
    assert (
        data["supported"] == house.post("server/discover").json()["result"]["supportedVersions"] == [MODERN]
    )


@pytest.mark.parametrize("version", [7, None, ["2026-07-28"], True])
def test_a_version_that_is_no_string_is_never_equal_to_a_header(house, version):
    params = {**GOOD, "_meta": {"io.modelcontextprotocol/protocolVersion": version}}
    assert code(house.post("tools/call", params)) == (400, -32020)


def test_a_modern_envelope_without_capabilities_is_invalid(house):
    meta = {name: value for name, value in META.items() if not name.endswith("clientCapabilities")}
    body = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {**GOOD, "_meta": meta}}
    assert code(house.post("tools/call", GOOD, body=body)) == (400, -32602)


def test_a_meta_that_is_no_object_is_no_envelope(house):
    for meta in ([], "x", 7, None):
        body = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {**GOOD, "_meta": meta}}
        assert code(house.post("tools/call", GOOD, body=body)) == (400, -32602)


@pytest.mark.parametrize(
    "headers",
    [
        {"mcp-method": "tools/list"},
        {"mcp-method": None},
        {"mcp-method": "TOOLS/CALL"},
        {"mcp-name": "add"},
        {"mcp-name": None},
        {"mcp-name": ""},
        {"mcp-name": "=?base64?YWRk?="},
        {"mcp-name": "=?base64?!!!?="},
        {"mcp-method": "=?base64?dG9vbHMvY2FsbA==?="},
    ],
)
def test_a_modern_header_that_says_something_else_is_a_mismatch(house, headers):
    answer = house.post("tools/call", WIPE, scopes=("shop:wipe", "shop:read"), headers=headers)
    assert code(answer) == (400, -32020)
    assert nothing_ran(house)


@pytest.mark.parametrize(
    "headers",
    [
        {"mcp-method": "tools/list"},
        {"mcp-method": "tools/list", "mcp-name": "add"},
        {"mcp-name": "add"},
        {"mcp-name": "=?base64?YWRk?="},
        {"mcp-name": "=?base64?d2lwZR==?="},
    ],
)
def test_an_older_body_is_compared_with_headers_too(house, headers):
    answer = house.post(
        "tools/call", WIPE, scopes=("shop:wipe", "shop:read"), revision=LEGACY, headers=headers
    )
    assert code(answer) == (400, -32020)
    assert nothing_ran(house)
    agreeing = {"mcp-method": "tools/call", "mcp-name": "=?base64?d2lwZQ==?="}
    good = house.post("tools/call", WIPE, scopes=("shop:wipe",), revision=LEGACY, headers=agreeing)
    assert good.status_code == 200


def test_a_name_header_where_nothing_is_named_is_a_mismatch(house, revision):
    assert code(house.post("tools/list", revision=revision, headers={"mcp-name": "add"})) == (400, -32020)


@pytest.mark.parametrize("name", ["mcp-protocol-version", "mcp-method", "mcp-name", "mcp-param-region"])
def test_a_routing_header_that_stands_there_twice_is_a_mismatch(house, name, revision):
    token = house.token()
    headers = headers_of("tools/call", GOOD, revision) | {"authorization": f"Bearer {token}"}
    twice = {
        "mcp-protocol-version": revision,
        "mcp-method": "tools/call",
        "mcp-name": "add",
        "mcp-param-region": "x",
    }[name]
    pairs = [(key.encode(), value.encode()) for key, value in headers.items() if key != name]
    pairs += [(name.encode(), twice.encode())] * 2
    content = json.dumps(message_of("tools/call", GOOD, revision)).encode()
    answer = house.http.post(house.resource, content=content, headers=pairs)
    assert code(answer) == (400, -32020)
    once = pairs[:-1]
    assert house.http.post(house.resource, content=content, headers=once).status_code == 200


def test_white_space_around_a_header_value_does_not_count(house):
    content = json.dumps(message_of("tools/call", GOOD, MODERN)).encode()
    headers = headers_of("tools/call", GOOD, MODERN) | {
        "host": f"127.0.0.1:{house.port}",
        "authorization": f"Bearer {house.token()}",
        "content-length": str(len(content)),
        "connection": "close",
    }
    head = (
        "POST /mcp HTTP/1.1\r\n"
        + "".join(f"{name}: \t {value} \t\r\n" for name, value in headers.items())
        + "\r\n"
    )
    assert house.raw(head.encode() + content).startswith(b"HTTP/1.1 200 OK\r\n")


def test_a_name_that_is_no_ascii_comes_in_base64(house):
    uri = "shop://note/caf%C3%A9"
    answer = house.post(
        "resources/read", {"uri": uri}, headers={"mcp-name": "=?base64?c2hvcDovL25vdGUvY2FmJUMzJUE5?="}
    )
    assert answer.json()["result"]["contents"][0]["text"] == "note café"


@pytest.mark.parametrize(
    ("headers", "fits"),
    [
        ({"mcp-param-region": "eu"}, True),
        ({"mcp-param-region": "=?base64?ZXU=?="}, True),
        ({"mcp-param-region": "us"}, False),
        ({}, False),
        ({"mcp-param-region": "=?base64?ZX?="}, False),
    ],
)
def test_an_argument_that_is_repeated_in_a_header_is_compared(house, headers, fits):
    params = {"name": "mirrored", "arguments": {"region": "eu"}}
    answer = house.post("tools/call", params, headers=headers)
    assert answer.status_code == (200 if fits else 400)
    if not fits:
        assert code(answer) == (400, -32020)
        assert house.story(answer)[0]["reason"] == "protocol.mismatch"


def test_an_older_client_need_not_repeat_an_argument_but_must_not_lie_about_it(house):
    params = {"name": "mirrored", "arguments": {"region": "eu"}}
    assert house.post("tools/call", params, revision=LEGACY).status_code == 200
    lying = house.post("tools/call", params, revision=LEGACY, headers={"mcp-param-region": "us"})
    assert code(lying) == (400, -32020)


def test_a_header_for_an_argument_that_nothing_repeats_is_ignored(house):
    assert house.post("tools/call", GOOD, headers={"mcp-param-unrelated": "x"}).status_code == 200


def test_initialize_under_the_modern_header_is_refused(house):
    params = {"protocolVersion": LEGACY, "capabilities": {}, "clientInfo": {"name": "x", "version": "1"}}
    assert code(house.post("initialize", params, body=message_of("initialize", params, LEGACY))) == (
        400,
        -32602,
    )
    assert code(house.post("initialize", params)) == (404, -32601)


def test_initialize_without_what_it_needs_is_invalid(house):
    answer = house.post("initialize", {"capabilities": {}}, revision=LEGACY)
    assert code(answer) == (400, -32602)


def test_ping_ended_with_the_older_revision_and_discover_began_with_the_newer(house):
    assert code(house.post("ping")) == (404, -32601)
    assert code(house.post("server/discover", revision=LEGACY)) == (404, -32601)


def test_a_server_that_serves_one_revision_refuses_the_other(build):
    modern = build(revisions=(MODERN,))
    assert modern.post("tools/call", GOOD).status_code == 200
    answer = modern.post("tools/call", GOOD, revision=LEGACY)
    assert code(answer) == (400, -32022)
    assert answer.json()["error"]["data"]["supported"] == [MODERN]
    params = {"protocolVersion": LEGACY, "capabilities": {}, "clientInfo": {"name": "x", "version": "1"}}
    opening = modern.post("initialize", params, revision=LEGACY, headers={"mcp-protocol-version": None})
    assert code(opening) == (400, -32022)
    assert opening.json()["error"]["data"]["requested"] == LEGACY


def test_a_server_of_the_older_revision_only_refuses_the_newer(build):
    older = build(revisions=(LEGACY,))
    assert older.post("tools/call", GOOD, revision=LEGACY).status_code == 200
    answer = older.post("tools/call", GOOD)
    assert code(answer) == (400, -32022)
    assert answer.json()["error"]["data"]["supported"] == [LEGACY]


def test_a_capability_that_a_client_lacks_is_named_in_the_answer(build):
    """2026-07-28: `requiredCapabilities` says what to declare; nothing else of the error goes out."""
    house = build()

    async def needs_sampling(_context, _params):
        held = {"requiredCapabilities": {"sampling": {}}, "more": "of-the-inside"}
        raise MCPError(code=-32021, message="this needs a client that can sample", data=held)

    house.shop.sdk.add_request_handler("server/discover", RequestParams, needs_sampling)
    answer = house.post("server/discover")
    error = answer.json()["error"]
    assert (answer.status_code, error["code"]) == (400, -32021)
    assert error["data"]["requiredCapabilities"] == {"sampling": {}}
    assert "of-the-inside" not in answer.text
