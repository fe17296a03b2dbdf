"""Revoked: the entry is deleted. Calls stop as soon as the agent knows, and begin again with a new entry."""

from server_orders import types
from spire import eventually


def status(caller):
    return caller.send("tools/call", {"name": "find_orders", "arguments": {"customer": "c-17"}}).status_code


def test_a_deleted_entry_stops_every_call_and_a_new_one_brings_them_back(spire, served):
    entry = spire.entry("simulated/orders")
    with served(spire) as (world, server), world.client("orders:read") as caller:
        assert status(caller) == 200
        spire.delete(entry)
        eventually(lambda: status(caller) == 503, "calls are refused", 20)
        assert "identity.revoked" in server.readiness()[1]["reasons"]
        assert server.running
        world.executions.taken()
        assert status(caller) == 503
        assert world.executions.taken() == 0
        spire.entry("simulated/orders")
        eventually(lambda: status(caller) == 200, "calls go through again", 20)
    assert "identity.revoked" in types(world)
