"""Clients that leave, identities that end, and a server that ends, each at the worst moment."""

import json
import os
import signal

import pytest
from attacked_orders import attacked, read_answer

from launchworthy.testing.workload_api import Fault
from launchworthy.testing.world import wait_until


@pytest.fixture
def fresh(tmp_path):
    with attacked(tmp_path) as standing:
        yield standing


def kinds(orders, since: int) -> list[tuple[str, str | None]]:
    """What was recorded of requests after the first `since` records."""
    return [
        (record["type"].removeprefix("launchworthy.").removesuffix(".v1"), record["data"].get("reason"))
        for record in orders.records()[since:]
        if not record["type"].startswith("launchworthy.stream.")
    ]


def begin(orders, connection, data: bytes) -> None:
    """Send a call, and wait until its body runs."""
    orders.world.executions.taken()
    connection.sendall(data)
    wait_until(lambda: orders.world.executions.taken() == 1, what="the body")


def test_a_client_that_leaves_with_a_second_request_in_line_ends_the_first(orders):
    since = len(orders.records())
    with orders.connect() as connection:
        begin(orders, connection, orders.request("wait") + orders.request("find_orders", customer="c-17"))
    wait_until(lambda: len(kinds(orders, since)) == 2, timeout=5, what="the outcome")
    outcome = next(one for one in orders.records()[since:] if one["type"].endswith("tool.outcome.v1"))
    assert outcome["data"]["outcome"] == "cancelled"
    assert orders.world.executions.taken() == 0


@pytest.mark.parametrize(
    ("junk", "reason"),
    [
        (b"\x16\x03\x01\x02\x00\x01\x00\r\n\r\n", "protocol.invalid"),
        (b"GET / HTTP/1.1\r\nhost: x\r\nx: " + b"a" * 40_000 + b"\r\n\r\n", "http.size"),
    ],
)
def test_what_is_no_request_is_on_the_audit_and_not_in_the_log(orders, junk, reason):
    since, logged = len(orders.records()), orders.server.stderr
    orders.send(junk)
    assert kinds(orders, since) == [("protocol.rejected", reason)]
    assert orders.server.stderr == logged


def test_a_body_that_comes_after_the_identity_has_ended_runs_nothing(fresh):
    body = fresh.body("find_orders", customer="c-17")
    with fresh.connect() as connection:
        connection.sendall(fresh.head(("Content-Length", len(body)), token=fresh.token()))
        assert fresh.call("find_orders", customer="c-17")[0] == 200  # by now the head has been read
        fresh.world.executions.taken()
        fresh.world.workload_api.set_fault(Fault.PERMISSION_DENIED)
        wait_until(lambda: fresh.server.readiness()[0] == 503, what="the end of the identity")
        connection.sendall(body)
        status, fields, _answer = read_answer(connection)
    assert (status, fields["retry-after"]) == (503, "5")
    assert fresh.world.executions.taken() == 0


def test_a_function_that_never_returns_does_not_keep_the_server_from_ending(fresh):
    with fresh.connect() as connection:
        begin(fresh, connection, fresh.request("wait_in_a_thread"))
        os.kill(fresh.server.pid, signal.SIGTERM)
        status, fields, body = read_answer(connection)
        assert fresh.server.wait(timeout=10) == 0
    assert (status, fields["cache-control"]) == (500, "no-store")
    assert json.loads(body)["error"]["data"]["call"] == fields["launchworthy-call"]
    ended = [record["type"].split(".", 1)[1] for record in fresh.records()]
    assert ended[-3:] == ["tool.outcome.v1", "stream.close.v1", "stream.checkpoint.v1"]
