"""One order, and the first that fails answers: every row of the table, and that no later one is looked at."""

import json
import time

import pytest
from answers_of import GOOD, reason_in_audit, refused
from house import MODERN, headers_of, message_of

from launchworthy.vocabulary import Reason, Refused


def test_the_unchanged_twin_of_all_these_goes_through(house, revision):
    assert house.post("tools/call", GOOD, revision=revision).status_code == 200


# rows 1 to 3


@pytest.mark.parametrize(
    "path",
    [
        "/mcp/",
        "/",
        "/MCP",
        "/mcp%2F",
        "/%6dcp",
        "/mcp/..",
        "/health",
        "/.well-known/oauth-protected-resource/mcp/",
    ],
)
def test_nothing_is_served_at_another_path_and_nothing_redirects(house, path):
    answer = house.http.post(
        f"http://127.0.0.1:{house.port}{path}", headers=headers_of("tools/call", GOOD, MODERN)
    )
    refused(answer, 404, -32600, "invalid_request")
    assert reason_in_audit(house, answer) == ("protocol.rejected", "http.path")


@pytest.mark.parametrize("method", ["GET", "DELETE", "PUT", "PATCH", "OPTIONS"])
def test_another_method_is_not_allowed_and_told_which_is(house, method):
    answer = house.http.request(method, house.resource, headers={"authorization": "Bearer x"})
    refused(answer, 405, -32600, "invalid_request")
    assert answer.headers["allow"] == "POST"


@pytest.mark.parametrize(
    "host", ["evil.example", "127.0.0.1", "localhost", "127.0.0.1:1", "127.0.0.1:{port}.evil.example"]
)
def test_another_host_is_misdirected(house, host):
    answer = house.post("tools/call", GOOD, headers={"host": host.format(port=house.port)})
    refused(answer, 421, -32600, "invalid_request")
    assert reason_in_audit(house, answer)[1] == "http.host"


@pytest.mark.parametrize(
    "origin",
    [
        "https://evil.example",
        "null",
        "",
        "http://127.0.0.1",
        "https://console.acme.example.evil",
        "HTTPS://console.acme.example",
    ],
)
def test_another_origin_is_forbidden(house, origin):
    answer = house.post("tools/call", GOOD, headers={"origin": origin})
    refused(answer, 403, -32600, "invalid_request")
    assert "www-authenticate" not in answer.headers


def test_the_resources_own_origin_and_a_configured_one_are_allowed(house):
    for origin in (f"http://127.0.0.1:{house.port}", "https://console.acme.example"):
        assert house.post("tools/call", GOOD, headers={"origin": origin}).status_code == 200


def test_a_body_that_is_declared_too_long_is_not_waited_for(house):
    lines = [
        "POST /mcp HTTP/1.1",
        f"host: 127.0.0.1:{house.port}",
        "content-type: application/json",
        "accept: */*",
        "content-length: 9999999",
        "",
        "",
    ]
    began = time.monotonic()
    answer = house.raw("\r\n".join(lines).encode(), seconds=3)
    assert answer.startswith(b"HTTP/1.1 413 ")
    assert time.monotonic() - began < 2


@pytest.mark.parametrize(
    "content_type",
    [
        "text/plain",
        "application/json; charset=utf-16",
        "application/json, application/json",
        "application/jsonp",
        "",
        "application/json; charset=utf-8; x=y",
    ],
)
def test_another_content_type_is_refused(house, content_type):
    refused(
        house.post("tools/call", GOOD, headers={"content-type": content_type}), 415, -32600, "invalid_request"
    )


def test_json_in_utf_8_may_be_said_in_any_case(house):
    for content_type in (
        "Application/JSON",
        "application/json; charset=UTF-8",
        'application/json;charset="utf-8"',
    ):
        assert house.post("tools/call", GOOD, headers={"content-type": content_type}).status_code == 200


def test_a_compressed_body_is_refused(house):
    refused(
        house.post("tools/call", GOOD, headers={"content-encoding": "gzip"}), 415, -32600, "invalid_request"
    )


@pytest.mark.parametrize(
    "accept",
    [
        "application/json",
        "text/event-stream",
        "text/html",
        "application/json;q=0, text/event-stream",
        "application/json, text/event-stream;q=0.0",
    ],
)
def test_a_client_that_cannot_take_both_forms_is_refused(house, accept):
    refused(house.post("tools/call", GOOD, headers={"accept": accept}), 406, -32600, "invalid_request")


@pytest.mark.parametrize(
    "accept",
    [
        "*/*",
        "application/*, text/*",
        "text/event-stream;q=0.5, application/json",
        "application/json , text/event-stream",
    ],
)
def test_a_client_that_can_take_both_may_say_so_in_any_way(house, accept):
    assert house.post("tools/call", GOOD, headers={"accept": accept}).status_code == 200


# row 4


def test_no_token_is_a_challenge_without_an_error(house, revision):
    answer = house.post("tools/call", GOOD, token=None, revision=revision)
    refused(answer, 401, 401, "invalid_token")
    assert answer.headers["www-authenticate"] == (
        'Bearer scope="shop:read", '
        f'resource_metadata="http://127.0.0.1:{house.port}/.well-known/oauth-protected-resource/mcp"'
    )
    assert reason_in_audit(house, answer) == ("authn.denied", "credential.missing")


def test_another_scheme_is_no_token(house):
    answer = house.post("tools/call", GOOD, headers={"authorization": "Basic YTpi"})
    refused(answer, 401, 401, "invalid_token")
    assert "error=" not in answer.headers["www-authenticate"]


def test_two_tokens_are_none(house):
    token = house.token()
    headers = [
        (name.encode(), value.encode()) for name, value in headers_of("tools/call", GOOD, MODERN).items()
    ]
    headers += [(b"authorization", f"Bearer {token}".encode())] * 2
    content = json.dumps(message_of("tools/call", GOOD, MODERN)).encode()
    answer = house.http.post(house.resource, content=content, headers=headers)
    refused(answer, 400, -32600, "invalid_request")
    assert 'error="invalid_request"' in answer.headers["www-authenticate"]
    assert reason_in_audit(house, answer) == ("authn.denied", "credential.duplicate")


def test_a_token_in_the_query_is_refused_even_beside_a_good_one(house):
    headers = headers_of("tools/call", GOOD, MODERN) | {"authorization": f"Bearer {house.token()}"}
    content = json.dumps(message_of("tools/call", GOOD, MODERN)).encode()
    answer = house.http.post(f"{house.resource}?access_token=x", content=content, headers=headers)
    refused(answer, 400, -32600, "invalid_request")
    assert reason_in_audit(house, answer)[1] == "credential.query"
    assert house.http.post(f"{house.resource}?x=y", content=content, headers=headers).status_code == 200


# row 5


@pytest.mark.parametrize(
    ("claims", "reason"),
    [
        ({"aud": "https://other.example/mcp"}, "token.audience"),
        ({"exp": 1}, "token.expired"),
        ({"exp": None}, "token.claims"),
        ({"iss": "https://other.example"}, "token.issuer"),
        ({"cnf": {"jkt": "x"}}, "token.bound"),
    ],
)
def test_a_bad_token_is_told_nothing_but_that(house, revision, claims, reason):
    answer = house.post("tools/call", GOOD, token=house.token(claims=claims), revision=revision)
    refused(answer, 401, 401, "invalid_token")
    assert answer.headers["www-authenticate"].startswith('Bearer error="invalid_token", scope="shop:read", ')
    assert reason_in_audit(house, answer) == ("authn.denied", reason)


def test_every_bad_token_gets_the_same_answer(house):
    def shown(answer):
        headers = {
            name: value for name, value in answer.headers.items() if name not in {"launchworthy-call", "date"}
        }
        return headers, answer.text.replace(answer.headers["launchworthy-call"], "")

    tokens = (house.token(claims={"exp": 1}), house.token(claims={"aud": "x"}), "a.b.c", "x")
    first, *others = (shown(house.post("tools/call", GOOD, token=token)) for token in tokens)
    assert all(other == first for other in others)


def test_no_byte_of_the_body_is_looked_at_before_the_token_is_good(house):
    answer = house.post("tools/call", body=b'{"id":7, nonsense', token="a.b.c")
    refused(answer, 401, 401, "invalid_token")


def test_what_is_not_ready_says_so_whatever_the_token(house):
    house.unready = Refused(Reason.IDENTITY_EXPIRED, "the SVID is over", retry_after=7)
    try:
        for token in ("mint", "a.b.c"):
            answer = house.post("tools/call", GOOD, token=token)
            refused(answer, 503, 503, "unavailable")
            assert answer.headers["retry-after"] == "7"
            assert "www-authenticate" not in answer.headers
            assert "SVID" not in answer.text
            assert reason_in_audit(house, answer) == ("authn.denied", "identity.expired")
        assert house.post("tools/call", GOOD, token=None).status_code == 401, (
            "a stranger learns how to come in"
        )
    finally:
        house.unready = None
    assert house.post("tools/call", GOOD).status_code == 200


# row 6


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"\xff\xfe{}",
        b"[1",
        b'{"a":1,"a":2}',
        b'{"a":NaN}',
        b"{} {}",
        b"[" * 40 + b"]" * 40,
        b'{"id":1e999}',
        b'{"id":"\\ud800"}',
    ],
)
def test_what_is_not_one_strict_json_text_is_a_parse_error(house, revision, body):
    answer = house.post("tools/call", GOOD, body=body, revision=revision)
    refused(answer, 400, -32700, "invalid_request")
    assert reason_in_audit(house, answer) == ("protocol.rejected", "protocol.json")


@pytest.mark.parametrize(
    "body",
    [
        [],
        [{"jsonrpc": "2.0", "id": 1, "method": "ping"}],
        "ping",
        None,
        {"jsonrpc": "1.0", "id": 1, "method": "ping"},
        {"id": 1, "method": "ping"},
        {"jsonrpc": "2.0", "id": None, "method": "ping"},
        {"jsonrpc": "2.0", "id": True, "method": "ping"},
        {"jsonrpc": "2.0", "id": 1.5, "method": "ping"},
        {"jsonrpc": "2.0", "id": {}, "method": "ping"},
        {"jsonrpc": "2.0", "id": "x" * 300, "method": "ping"},
        {"jsonrpc": "2.0", "id": 1, "result": {}},
        {"jsonrpc": "2.0", "id": 1, "method": "ping", "result": {}},
        {"jsonrpc": "2.0", "id": 1, "method": "ping", "error": {}},
        {"jsonrpc": "2.0", "id": 1, "method": 7},
        {"jsonrpc": "2.0", "id": 1, "method": "ping", "params": [1]},
        {"jsonrpc": "2.0", "id": 1, "method": "ping", "params": None},
    ],
)  # fmt: skip
def test_what_is_not_one_request_is_invalid(house, revision, body):
    answer = house.post("ping", body=json.dumps(body).encode(), revision=revision)
    refused(answer, 400, -32600, "invalid_request")
    assert reason_in_audit(house, answer) == ("protocol.rejected", "protocol.invalid")


def test_a_body_that_grows_too_long_is_cut_off(house):
    def chunks():
        for _ in range(80):
            yield b" " * 1024

    headers = headers_of("tools/call", GOOD, MODERN) | {"authorization": f"Bearer {house.token()}"}
    answer = house.http.post(house.resource, content=chunks(), headers=headers)
    refused(answer, 413, -32600, "invalid_request")
    assert answer.headers["connection"] == "close"


def test_the_metadata_document_needs_no_token_and_is_at_both_places(house):
    for path in ("/.well-known/oauth-protected-resource/mcp", "/.well-known/oauth-protected-resource"):
        answer = house.http.get(f"http://127.0.0.1:{house.port}{path}")
        assert answer.status_code == 200
        assert answer.json() == {
            "resource": house.resource,
            "authorization_servers": [house.issuer.issuer],
            "scopes_supported": ["shop:read"],
            "bearer_methods_supported": ["header"],
            "resource_name": "shop",
        }
        assert "no-store" not in answer.headers["cache-control"]
        refused(house.http.post(f"http://127.0.0.1:{house.port}{path}"), 405, -32600, "invalid_request")
        evil = house.http.get(f"http://127.0.0.1:{house.port}{path}", headers={"host": "evil.example"})
        refused(evil, 421, -32600, "invalid_request")


def test_a_developer_is_told_what_a_caller_is_not(house):
    house.notes.clear()
    answer = house.post("tools/call", GOOD, token=house.token(claims={"aud": "https://other.example/mcp"}))
    [note] = house.notes
    assert note.call == answer.headers["launchworthy-call"]
    assert (note.status, note.reason) == (401, Reason.TOKEN_AUDIENCE)
    assert "https://other.example/mcp" in note.detail
