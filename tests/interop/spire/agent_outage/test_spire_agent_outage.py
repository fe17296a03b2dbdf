"""The agent is away for longer than the SVID lives: work ends with it, and begins again with the agent."""

import subprocess
import time

import pytest
from spire import AGENT_BIN, eventually

from launchworthy.testing.client import Refused

OUTAGE = 60.0
TTL = 12


def status(caller):
    return caller.send("tools/call", {"name": "find_orders", "arguments": {"customer": "c-17"}}).status_code


def test_a_minute_without_an_agent_ends_in_503_and_less_than_a_second_after_it_all_is_well(spire, served):
    spire.entry("simulated/orders", ttl=TTL)
    with served(spire) as (world, server), world.client("orders:read") as caller:
        assert status(caller) == 200
        began = time.monotonic()
        spire.stop_agent()
        assert status(caller) == 200  # an outage is served until the SVID ends
        eventually(lambda: status(caller) == 503, "calls are refused", TTL + 10)
        assert "identity.expired" in server.readiness()[1]["reasons"]
        with pytest.raises(Refused) as refused:
            caller.call("find_orders", customer="c-17")
        assert (refused.value.reason, refused.value.retry_after is not None) == ("unavailable", True)
        time.sleep(max(0.0, began + OUTAGE - time.monotonic()))
        spire.start_agent()
        eventually(lambda: gives_svids(spire), "the agent gives SVIDs again", 60)
        took = eventually(lambda: server.readiness()[0] == 200, "the server is ready again", 10)
        assert took <= 1.0
        assert status(caller) == 200
        assert server.running


def gives_svids(spire):
    command = [AGENT_BIN, "api", "fetch", "x509", "-socketPath", str(spire.home / "agent" / "api.sock")]
    return subprocess.run(command, capture_output=True, timeout=30, check=False).returncode == 0
