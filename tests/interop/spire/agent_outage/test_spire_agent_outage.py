"""The agent is away for longer than the SVID lives: work ends with it, and begins again with the agent."""

import contextlib
import subprocess
import threading
import time

import pytest
from numbers_page import row
from spire import AGENT_BIN, eventually

from launchworthy.testing.client import Refused

OUTAGE = 60.0
TTL = 12


def status(caller):
    return caller.send("tools/call", {"name": "find_orders", "arguments": {"customer": "c-17"}}).status_code


def test_a_minute_without_an_agent_ends_in_503_and_soon_after_it_all_is_well(spire, served, numbers):
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
        started = time.monotonic()
        spire.start_agent()
        given = At(lambda: gives_svids(spire), "the agent gives SVIDs again")
        ready = At(lambda: server.readiness()[0] == 200, "the server is ready again")
        agent, again = given.when(), ready.when()
        assert status(caller) == 200
        assert server.running
    numbers.terms["outage"] = OUTAGE
    numbers.outages += [
        row("the agent gives SVIDs again", "the server is ready", f"{max(0.0, again - agent):.2f}"),
        row("the agent is started", "the server is ready", f"{again - started:.2f}"),
    ]


class At:
    """When something became so, looked at beside whatever else is looked at."""

    def __init__(self, condition, what):
        self._what = what
        self._moment = None
        self._thread = threading.Thread(target=self._look, args=(condition,))
        self._thread.start()

    def when(self):
        self._thread.join()
        assert self._moment is not None, f"{self._what}: not within a minute"
        return self._moment

    def _look(self, condition):
        with contextlib.suppress(TimeoutError):
            eventually(condition, self._what, 60)
            self._moment = time.monotonic()


def gives_svids(spire):
    command = [AGENT_BIN, "api", "fetch", "x509", "-socketPath", str(spire.home / "agent" / "api.sock")]
    return subprocess.run(command, capture_output=True, timeout=30, check=False).returncode == 0
