"""A page of an allowed origin can do all that a client does; a page of any other origin learns nothing."""

import httpx2
import pytest
from house import eventually

CONSOLE = "https://console.acme.example"
ASKED = {
    "origin": CONSOLE,
    "access-control-request-method": "POST",
    "access-control-request-headers": "authorization,content-type,mcp-method,mcp-name,mcp-protocol-version",
}
GOOD = {"name": "add", "arguments": {"a": 1, "b": 2}}


def preflight(house, /, *, path: str = "/mcp", **changes: str | None) -> httpx2.Response:
    fields = ASKED | {name.replace("_", "-"): value for name, value in changes.items()}
    headers = {name: value for name, value in fields.items() if value is not None}
    return house.http.request("OPTIONS", f"http://127.0.0.1:{house.port}{path}", headers=headers)


def cors(answer: httpx2.Response) -> dict[str, str]:
    return {name: value for name, value in answer.headers.items() if name.startswith("access-control-")}


def test_a_preflight_of_an_allowed_origin_is_answered_for_it_alone(house):
    answer = preflight(house)
    assert (answer.status_code, answer.content) == (204, b"")
    assert "content-length" not in answer.headers
    assert cors(answer) == {
        "access-control-allow-origin": CONSOLE,
        "access-control-allow-methods": "POST",
        "access-control-allow-headers": ASKED["access-control-request-headers"].replace(",", ", "),
        "access-control-max-age": "600",
    }
    assert (answer.headers["vary"], answer.headers["cache-control"]) == ("origin", "no-store")


@pytest.mark.parametrize(
    "change",
    [
        {"origin": "https://evil.example"},
        {"origin": "https://console.acme.example.evil.example"},
        {"origin": "null"},
        {"origin": None},
        {"origin": "*"},
        {"host": "evil.example"},
        {"access_control_request_method": "DELETE"},
        {"access_control_request_method": "GET"},
        {"access_control_request_method": None},
        {"path": "/mcp/"},
        {"path": "/elsewhere"},
    ],
)
def test_any_other_preflight_is_a_method_that_is_not_served(house, change):
    answer = preflight(house, **change)
    assert answer.status_code in {404, 405, 421}
    assert cors(answer) == {}


def test_only_fields_that_mean_something_here_may_be_sent(house):
    asked = "Authorization, Cookie, X-Forwarded-For, mcp-param-region, mcp-param-é, mcp-param-a b, Mcp-Name"
    answer = preflight(house, access_control_request_headers=asked.encode())
    allowed = answer.headers["access-control-allow-headers"]
    assert allowed == "authorization, mcp-param-region, mcp-name"


def test_a_page_of_an_allowed_origin_reads_answers_and_refusals(house, revision):
    good = house.post("tools/call", GOOD, revision=revision, headers={"origin": CONSOLE})
    bare = house.post("tools/call", GOOD, revision=revision, headers={"origin": CONSOLE}, token=None)
    wipe = {"name": "wipe", "arguments": {"order_id": 1}}
    short = house.post("tools/call", wipe, revision=revision, headers={"origin": CONSOLE})
    assert [one.status_code for one in (good, bare, short)] == [200, 401, 403]
    for answer in (good, bare, short):
        assert cors(answer) == {
            "access-control-allow-origin": CONSOLE,
            "access-control-expose-headers": "www-authenticate, retry-after, launchworthy-call",
        }
        assert answer.headers["vary"] == "origin"
    assert "www-authenticate" in bare.headers


def test_a_page_reads_a_stream_as_it_comes(house):
    count = {"name": "count", "arguments": {"steps": 2}, "_meta": {"progressToken": "p"}}
    answer = house.post("tools/call", count, headers={"origin": CONSOLE})
    assert answer.headers["content-type"] == "text/event-stream"
    assert answer.headers["access-control-allow-origin"] == CONSOLE


@pytest.mark.parametrize("origin", [None, "https://evil.example", "http://127.0.0.1:{port}"])
def test_nobody_else_is_told_that_pages_may_read(house, origin):
    sent = {} if origin is None else {"origin": origin.format(port=house.port)}
    assert cors(house.post("tools/call", GOOD, headers=sent)) == {}


def test_any_page_may_read_the_metadata_that_it_may_ask_for(house):
    document = house.http.get(
        f"http://127.0.0.1:{house.port}/.well-known/oauth-protected-resource/mcp",
        headers={"origin": CONSOLE},
    )
    assert (document.status_code, cors(document)) == (200, {"access-control-allow-origin": "*"})
    asked = preflight(
        house, path="/.well-known/oauth-protected-resource/mcp", access_control_request_method="GET"
    )
    assert (asked.status_code, asked.headers["access-control-allow-methods"]) == (204, "GET")


def test_where_no_origin_is_allowed_nothing_of_all_this_exists(build):
    house = build(allowed_origins=())
    assert preflight(house).status_code == 405
    own = f"http://127.0.0.1:{house.port}"
    assert preflight(house, origin=own).status_code == 405
    assert cors(house.post("tools/call", GOOD, headers={"origin": own})) == {}


def test_a_preflight_is_in_the_audit_as_one(build):
    house = build()
    answer = preflight(house)
    [record] = eventually(lambda: house.story(answer))
    assert (record["method"], record["status"]) == ("preflight", 204)
