"""The same answers over both parsers and both event loops."""

import contextlib
from itertools import product

import pytest
from answers_of import GOOD, reason_in_audit, refused
from house import LEGACY, MODERN, House
from test_enforcement_gate_subscriptions import Listening


@pytest.fixture(
    scope="module", params=list(product(("httptools", "h11"), ("uvloop", "asyncio"))), ids="-".join
)
def each(request, tmp_path_factory):
    implementation, loop = request.param
    with House(tmp_path_factory.mktemp("each"), implementation=implementation, loop=loop) as house:
        yield house


def test_a_good_call_runs_and_is_recorded(each, revision):
    answer = each.call("add", a=2, b=3, revision=revision)
    assert answer.json()["result"]["structuredContent"] == {"result": 5}
    assert [one["type"] for one in each.story(answer)] == ["tool.attempt", "tool.outcome"]


def test_progress_comes_before_the_answer(each, revision):
    params = {"name": "count", "arguments": {"steps": 2}, "_meta": {"progressToken": "p"}}
    text = each.post("tools/call", params, revision=revision).text
    assert text.count("notifications/progress") == 2
    assert text.rstrip().splitlines()[-1].startswith('data: {"jsonrpc":"2.0","id":1,"result"')


def test_each_row_refuses_as_it_does_everywhere(each):
    refused(each.post("tools/call", GOOD, token=None), 401, 401, "invalid_token")
    bad = each.token("shop:read")[:-6] + "AAAAAA"
    refused(each.post("tools/call", GOOD, token=bad), 401, 401, "invalid_token")
    refused(each.post("tools/call", GOOD, headers={"host": "x.example"}), 421, -32600, "invalid_request")
    refused(
        each.post("tools/call", GOOD, headers={"content-type": "text/plain"}), 415, -32600, "invalid_request"
    )
    refused(each.post("tools/call", GOOD, body=b"{"), 400, -32700, "invalid_request")
    lie = each.post("tools/call", GOOD, headers={"mcp-name": "wipe"})
    refused(lie, 400, -32020, "invalid_request", request_id=1)
    older = each.post("tools/call", GOOD, headers={"mcp-protocol-version": LEGACY})
    refused(older, 400, -32020, "invalid_request", request_id=1)
    refused(each.call("wipe", order_id=1), 403, 403, "insufficient_scope", request_id=1)
    refused(each.call("add", a=1000, b=1), 403, 403, "denied", request_id=1)
    refused(each.call("nothing"), 400, -32602, "unknown", request_id=1)
    large = each.post("tools/call", GOOD, body=b"x" * 65537)
    refused(large, 413, -32600, "invalid_request")
    assert reason_in_audit(each, large)[1] == "http.size"


def test_twice_the_same_header_is_refused(each):
    with contextlib.ExitStack() as stack:
        client = stack.enter_context(each.http.stream("GET", each.resource))
        assert client.status_code == 405
    token = each.token("shop:read")
    head = (
        f"POST /mcp HTTP/1.1\r\nhost: 127.0.0.1:{each.port}\r\nauthorization: Bearer {token}\r\n"
        "content-type: application/json\r\naccept: application/json, text/event-stream\r\n"
        f"mcp-protocol-version: {MODERN}\r\nmcp-method: tools/call\r\nmcp-name: add\r\nmcp-name: add\r\n"
        "content-length: 2\r\nconnection: close\r\n\r\n{}"
    )
    assert b"400 Bad Request" in each.raw(head.encode())


def test_changes_are_heard(each):
    with Listening(each, "shop://logo") as stream:
        assert stream.honoured() == {"resourceSubscriptions": ["shop://logo"]}
        each.call("touch_in_thread", uri="shop://logo")
        assert stream.told() == "shop://logo"
