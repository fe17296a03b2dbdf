"""What is lost later makes calls refuse, never fall back; what ends, ends without losing a record."""

import json
import signal
import threading

import httpx2
import pytest
from server_orders import REHEARSAL, records, types

from launchworthy.audit.verification import State, verify_paths
from launchworthy.testing.client import Client, Refused
from launchworthy.testing.issuer import Fault as IssuerFault
from launchworthy.testing.workload_api import Fault
from launchworthy.testing.world import wait_until

pytestmark = pytest.mark.servers

SLOW = '''

@tool
def count_orders(call: Call[OrderStore], seconds: Quantity) -> int:
    """Count, slowly."""
    import time

    time.sleep(seconds)
    return seconds
'''
SLOW_MANIFEST = """
[tools.count_orders]
effect    = "read"
scopes    = ["orders:read"]
arguments = { seconds = "clear" }
example   = { seconds = 1 }
"""


def status(caller: Client) -> int:
    return caller.send("tools/call", {"name": "find_orders", "arguments": {"customer": "c-17"}}).status_code


def test_an_expired_identity_stops_calls_and_a_new_one_starts_them_again(orders):
    with orders.running(**REHEARSAL, x509_ttl=3.0) as (world, server), world.client("orders:read") as caller:
        assert status(caller) == 200
        world.executions.taken()
        with world.workload_api.outage():
            wait_until(lambda: status(caller) == 503, timeout=10)
            with pytest.raises(Refused) as refused:
                caller.call("find_orders", customer="c-17")
            assert (refused.value.reason, refused.value.challenge) == ("unavailable", None)
            assert refused.value.retry_after is not None
            code, said = server.readiness()
            assert (code, said["status"]) == (503, "unready")
            assert "identity.expired" in said["reasons"]
            world.executions.taken()
            assert status(caller) == 503
            assert world.executions.taken() == 0
        wait_until(lambda: status(caller) == 200, timeout=5)
        assert server.readiness()[0] == 200
        assert server.running
    assert "identity.expired" in types(world)


def test_a_revoked_identity_stops_calls_at_once(orders):
    with orders.running(**REHEARSAL) as (world, server), world.client("orders:read") as caller:
        assert status(caller) == 200
        world.workload_api.set_fault(Fault.PERMISSION_DENIED)
        wait_until(lambda: status(caller) == 503, timeout=5)
        assert "identity.revoked" in server.readiness()[1]["reasons"]
        world.workload_api.set_fault(Fault.NONE)
        wait_until(lambda: status(caller) == 200, timeout=10)


def test_a_key_outage_is_a_503_once_the_last_good_set_is_too_old(orders):
    times = {"key_fresh": 1, "key_stale": 1, "key_spacing": 1}
    with (
        orders.running(**REHEARSAL, key_times=times) as (world, server),
        world.client("orders:read") as caller,
    ):
        assert status(caller) == 200
        world.issuer.faults.keys = IssuerFault.STATUS_500
        wait_until(lambda: server.readiness()[0] == 503, timeout=10)
        assert "keys.unavailable" in server.readiness()[1]["reasons"]
        with Client(world.url, world.token("orders:read")) as newcomer:
            assert status(newcomer) == 503
        world.issuer.faults.clear()
        wait_until(lambda: server.readiness()[0] == 200, timeout=10)
        assert status(caller) == 200


def test_a_running_call_ends_before_the_server_does(orders):
    orders.append("src/orders/tools.py", SLOW)
    orders.append("manifests/tools.toml", SLOW_MANIFEST)
    answers = []
    with orders.running(**REHEARSAL) as (world, server):
        with world.client("orders:read") as caller:
            thread = threading.Thread(target=lambda: answers.append(caller.call("count_orders", seconds=2)))
            thread.start()
            wait_until(lambda: "tool.attempt" in types(world), timeout=5)
            server.terminate()
            thread.join(10)
        assert answers == [2]
        assert server.wait() == 0
        with pytest.raises(httpx2.TransportError), world.client("orders:read") as late:
            status(late)
    assert types(world).count("tool.outcome") == 1
    assert types(world).index("server.stopping") < types(world).index("tool.outcome")


def test_what_was_recorded_verifies_and_one_changed_byte_does_not(orders):
    with orders.running(**REHEARSAL) as (world, _), world.client("orders:read") as caller:
        caller.call("find_orders", customer="c-17")
    roots = orders.scratch / "roots"
    roots.mkdir()
    (roots / "dev.invalid.pem").write_bytes(world.authority.bundle_pem())
    whole = verify_paths([world.audit_directory], require_sealed=True, trust_directory=roots)
    assert (whole.state, whole.exit_code) == (State.INTACT_SEALED, 0)
    [file] = world.audit_directory.glob("*.jsonl")
    file.write_bytes(file.read_bytes().replace(b'"c-17"', b'"c-18"', 1))
    changed = verify_paths([world.audit_directory], require_sealed=True, trust_directory=roots)
    assert (changed.state, changed.exit_code) == (State.TAMPERED, 1)


def test_a_killed_server_leaves_a_trail_that_is_intact_and_open(orders):
    with orders.running(**REHEARSAL) as (world, server), world.client("orders:read") as caller:
        caller.call("find_orders", customer="c-17")
        server.kill()
    roots = orders.scratch / "roots"
    roots.mkdir()
    (roots / "dev.invalid.pem").write_bytes(world.authority.bundle_pem())
    assert verify_paths([world.audit_directory], require_sealed=False, trust_directory=roots).exit_code == 0
    assert verify_paths([world.audit_directory], require_sealed=True, trust_directory=roots).exit_code == 1


def test_health_has_a_listener_of_its_own_and_says_nothing_about_anybody(orders):
    with orders.running(**REHEARSAL) as (world, _), httpx2.Client(trust_env=False) as http:
        base = world.readiness_url.removesuffix("/readyz")
        assert http.get(f"{base}/livez").json() == {"status": "alive"}
        assert http.get(f"{base}/mcp").status_code == 404
        assert http.post(f"{base}/readyz").status_code == 405
        origin = world.url.removesuffix("/mcp")
        assert http.get(f"{origin}/readyz").status_code == 404
        assert http.get(f"{origin}/livez").status_code == 404


def test_a_developer_sees_why_and_a_rehearsal_does_not(orders):
    for name, options, shown in (("dev", {}, True), ("rehearsal", REHEARSAL, False)):
        with orders.running(name=name, **options) as (world, server):
            token = world.token("orders:read", claims={"aud": "https://probe.invalid/mcp"})
            with Client(world.url, token) as caller, pytest.raises(Refused) as refused:
                caller.call("find_orders", customer="c-17")
            assert (refused.value.status, refused.value.reason) == (401, "invalid_token")
            assert "probe.invalid" not in str(refused.value)
            assert ("token.audience" in server.stderr) is shown
            assert token.reveal() not in server.stderr + server.stdout + json.dumps(records(world))


def test_both_revisions_reach_the_same_tool(orders):
    with orders.running() as (world, _):
        for revision in ("2026-07-28", "2025-11-25"):
            with world.client("orders:read", revision=revision) as caller:
                assert caller.call("find_orders", customer="c-17") == []
                assert [tool["name"] for tool in caller.tools()] == ["find_orders"]


def test_ctrl_c_ends_it_as_sigterm_does(orders):
    with orders.running(**REHEARSAL) as (world, server):
        import os

        os.kill(server.pid, signal.SIGINT)
        assert server.wait() == 0
    assert types(world)[-1] in ("stream.close", "stream.checkpoint")


def test_what_was_counted_of_strangers_is_written_before_the_end(orders):
    with orders.running(**REHEARSAL) as (world, server), httpx2.Client(trust_env=False) as http:
        for _ in range(80):
            http.post(world.url, content=b"{}", headers={"content-type": "application/json", "accept": "*/*"})
        server.terminate()
        assert server.wait() == 0
    denied = [record["data"] for record in records(world) if record["type"] == "launchworthy.authn.denied.v1"]
    assert sum(each.get("count", 1) for each in denied) == 80


def test_an_open_stream_of_changes_ends_with_the_server_and_does_not_hold_it(orders):
    listen = {"notifications": {"resourceSubscriptions": ["orders://order/1"]}}
    last = []

    def listening(client: Client) -> None:
        last.append(client.send("subscriptions/listen", listen).text)

    with orders.running(**REHEARSAL) as (world, server):
        with Client(world.url, world.token("orders:read")) as caller:
            thread = threading.Thread(target=listening, args=(caller,))
            thread.start()
            wait_until(lambda: "subscription.opened" in types(world), timeout=5)
            server.terminate()
            thread.join(5)
            assert not thread.is_alive(), "the grace period is longer"
        assert server.wait() == 0
    assert '"resultType":"complete"' in last[0]
    [closed] = [
        record["data"] for record in records(world) if record["type"].endswith("subscription.closed.v1")
    ]
    assert closed["reason"] == "drain"
