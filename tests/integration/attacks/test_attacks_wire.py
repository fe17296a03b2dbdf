"""A proxy in front and this server must never read the same bytes differently."""

import pytest


def chunked(body: bytes, trailer: bytes = b"") -> bytes:
    return b"%x\r\n%b\r\n0\r\n%b\r\n" % (len(body), body, trailer)


def test_a_good_call_runs(orders):
    body = orders.body("find_orders", customer="c-17")
    head = orders.head(("Transfer-Encoding", "chunked"), token=orders.token())
    orders.world.executions.taken()
    assert orders.send(head + chunked(body))[0] == 200
    assert orders.world.executions.taken() == 1


def test_a_token_behind_the_body_is_no_token(orders):
    trailer = f"Authorization: Bearer {orders.token()}\r\n".encode()
    head = orders.head(("Transfer-Encoding", "chunked"), token=None)
    orders.world.executions.taken()
    assert orders.send(head + chunked(orders.body("find_orders", customer="c-17"), trailer))[0] == 401
    assert orders.world.executions.taken() == 0


@pytest.mark.parametrize(
    "target", ["http://evil.example/mcp", "http://user@evil.example/mcp", "/mcp#elsewhere", "/mcp#x?y"]
)
def test_a_target_that_says_more_than_the_path_is_not_the_path(orders, target):
    body = orders.body("find_orders", customer="c-17")
    head = orders.head(("Content-Length", len(body)), token=orders.token(), line=f"POST {target} HTTP/1.1")
    orders.world.executions.taken()
    assert orders.send(head + body)[0] == 404
    assert orders.world.executions.taken() == 0


@pytest.mark.parametrize("codings", [["gzip, chunked"], ["identity, chunked"], ["identity", "chunked"]])
def test_no_transfer_coding_but_chunked_is_taken(orders, codings):
    head = orders.head(*[("Transfer-Encoding", coding) for coding in codings], token=orders.token())
    orders.world.executions.taken()
    assert orders.send(head + chunked(orders.body("find_orders", customer="c-17")))[0] == 400
    assert orders.world.executions.taken() == 0
