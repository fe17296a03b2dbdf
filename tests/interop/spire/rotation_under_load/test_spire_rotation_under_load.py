"""Does a call ever fail because a certificate is renewed? 200 calls a second while both sides rotate."""

import asyncio
import threading
import time
from itertools import product
from pathlib import Path

import pytest
from numbers_page import row
from server_orders import records

from launchworthy.identity.peers import PeerRule
from launchworthy.identity.tls import TlsTerms, client_tls, tell_nobody
from launchworthy.testing.client import Client

TTL = 20
"""Seconds; the agent renews at about half of it."""
CALLS = 10_000
RATE = 200
CALLERS = 4


class Load:
    """Callers in threads: each call is on time, and every tenth on a connection of its own."""

    def __init__(self, world, context):
        self.answered = 0
        self.failed = []
        self._lock = threading.Lock()
        self._world, self._context = world, context
        self._token = world.token("orders:read")
        self._threads = [threading.Thread(target=self._call) for _ in range(CALLERS)]

    def run(self):
        for thread in self._threads:
            thread.start()
        for thread in self._threads:
            thread.join()

    def _call(self):
        began, mine = time.monotonic(), 0
        client = None
        while mine < CALLS // CALLERS:
            time.sleep(max(0.0, began + mine * CALLERS / RATE - time.monotonic()))
            if client is None or mine % 10 == 0:
                if client is not None:
                    client.close()
                client = Client(self._world.url, self._token, tls=self._context)
            try:
                client.call("find_orders", customer="c-17")
            except Exception as error:  # noqa: BLE001 - whatever it is, it is a call that failed
                with self._lock:
                    self.failed.append(f"{type(error).__name__}: {error}")
            mine += 1
            with self._lock:
                self.answered += 1
        if client is not None:
            client.close()


class Way:
    """A parser on a loop. Each of them may be missing on a platform, and the server does without."""

    def __init__(self, parser, loop, folder):
        self.parser, self.loop = parser, loop
        folder.mkdir()
        for name in {"httptools", "uvloop"} - {parser, loop}:
            text = f"raise ModuleNotFoundError('{name} is left out', name='{name}')\n"
            (folder / f"{name}.py").write_text(text)
        self.path = [str(folder)]

    def is_taken_by(self, server):
        """Whether the server has loaded these and no others; both are in C."""
        maps = Path(f"/proc/{server.pid}/maps").read_text()
        loaded = {name for name in ("httptools", "uvloop") if f"/{name}/" in maps}
        return loaded == {self.parser, self.loop} - {"h11", "asyncio"}


@pytest.fixture(params=product(("httptools", "h11"), ("uvloop", "asyncio")), ids="-".join)
def way(request, tmp_path):
    return Way(*request.param, tmp_path / "left-out")


@pytest.mark.skipif(not Path("/proc/self/maps").exists(), reason="only Linux says what a process has loaded")
def test_ten_thousand_calls_survive_three_rotations_of_both_sides(spire, served, identity, numbers, way):
    spire.entry("simulated/orders", ttl=TTL)
    spire.entry("simulated/caller", ttl=TTL)
    spire.gives("simulated/orders", "simulated/caller")
    rotated = []
    ready = threading.Event()
    done = threading.Event()
    made = {}

    async def hold():
        caller = identity(spire, "simulated/caller")
        caller.on_change(rotated.append)
        await caller.start(30)
        made["identity"] = caller
        ready.set()
        await asyncio.to_thread(done.wait)
        await caller.aclose()

    holding = threading.Thread(target=lambda: asyncio.run(hold()))
    holding.start()
    try:
        assert ready.wait(30)
        context = client_tls(
            TlsTerms(
                identity=made["identity"],
                trust_domains=(spire.trust_domain,),
                rule=PeerRule.of([spire.id("simulated/orders")]),
                clock=time.time,
                told=tell_nobody,
            )
        )
        with served(spire, mutual_tls=True, busy=True, path=way.path) as (world, server):
            assert way.is_taken_by(server)
            load = Load(world, context)
            began = time.monotonic()
            load.run()
            took = time.monotonic() - began
            assert server.readiness()[0] == 200
        told = [each for each in records(world) if "identity.rotated" in each["type"]]
        turned_away = [each for each in records(world) if "peer_rejected" in each["type"]]
    finally:
        done.set()
        holding.join()
    assert load.failed == []
    assert load.answered == CALLS
    assert len(told) >= 3
    renewed = sum(change.kind == "rotated" for change in rotated)
    assert renewed >= 3
    assert turned_away == []
    numbers.terms |= {"callers": CALLERS, "rate": RATE, "ttl": TTL}
    calls = (f"{load.answered:,}", len(load.failed))
    numbers.rotation.append(row(way.parser, way.loop, *calls, len(told), renewed, f"{CALLS / took:.0f}"))
