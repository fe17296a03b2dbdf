"""The agent comes after the server: the start waits for its endpoint, and goes on by itself."""

from spire import eventually


def test_a_server_that_is_started_before_its_agent_waits_and_then_serves(spire, served):
    spire.entry("simulated/orders")
    spire.stop_agent()
    (spire.home / "agent" / "api.sock").unlink(missing_ok=True)
    with served(spire, wait=False) as (world, server):
        eventually((world.directory / "stderr.txt").exists, "the server has begun", 10)
        spire.start_agent()
        server.wait_ready(60)
        with world.client("orders:read") as caller:
            assert caller.call("find_orders", customer="c-17") == []
