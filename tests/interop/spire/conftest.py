"""Real SPIRE, or a reason why not. `nox -s spire` builds or finds the binaries and says where they are."""

import asyncio
import os
import sys
import time
from pathlib import Path

import pytest
from numbers_page import PAGE, Numbers
from spire import AGENT_BIN, SERVER_BIN, Spire, eventually

from launchworthy.identity.spiffe import SpiffeIdentity

sys.path.append(str(Path(__file__).parents[2] / "integration" / "server"))

from server_orders import REHEARSAL, Orders


def pytest_collection_modifyitems(items):
    """Every test of this folder needs SPIRE."""
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.spire)
            item.add_marker(pytest.mark.foreign)


@pytest.fixture(autouse=True)
def needs_binaries():
    for name, path in (("SPIRE_SERVER_BIN", SERVER_BIN), ("SPIRE_AGENT_BIN", AGENT_BIN)):
        if not Path(path).is_file():
            pytest.skip(f"{name} names no binary; `nox -s spire` builds them")


@pytest.fixture(scope="session")
def numbers():
    """Takes down what the tests measure; a run that is asked to writes the page."""
    taken = Numbers()
    yield taken
    if os.environ.get("SPIRE_NUMBERS") == "write":
        PAGE.write_text(taken.page(), encoding="utf-8")


@pytest.fixture
def spire():
    with Spire() as running:
        yield running


@pytest.fixture
def identity():
    """Makes an identity of this process from a SPIRE."""

    def make(running, path, *, trust_domains=None, **other):
        return SpiffeIdentity(
            **{
                "endpoint": running.endpoint,
                "expected_id": running.id(path),
                "trust_domains": trust_domains or (running.trust_domain,),
                "socket_owner_uids": (os.getuid(),),
                "call_timeout": 3.0,
                "clock": time.time,
                **other,
            }
        )

    return make


@pytest.fixture
def run():
    """Runs a coroutine with a deadline for the whole of it."""

    def run(coroutine, seconds=120):
        async def bounded():
            async with asyncio.timeout(seconds):
                return await coroutine

        return asyncio.run(bounded())

    return run


@pytest.fixture
def served(tmp_path):
    """The example's production command, with its identity from a SPIRE instead of the simulated agent."""
    from contextlib import contextmanager

    @contextmanager
    def served(running, *, mutual_tls=False, wait=True, busy=False, path=()):
        orders = Orders.copy(tmp_path)
        if mutual_tls:
            peers = '"spiffe"\npeers = ["spiffe://acme.example/edge"]'
            orders.edit("config/production.toml", '"ingress"', peers)
        if busy:
            orders.edit("manifests/tools.toml", '"60/minute"', '"1000000/minute"')
            orders.append("config/production.toml", "\n[limits]\ncaller_per_minute = 1000000\n")
        with orders.world(**REHEARSAL, mutual_tls=mutual_tls) as world:
            text = world.file.read_text()
            assert text.count(world.workload_api.endpoint) == 1
            world.file.write_text(text.replace(world.workload_api.endpoint, running.endpoint))
            server = orders.server(world, PYTHONPATH=os.pathsep.join([*path, str(orders.root / "src")]))
            server.start()
            try:
                if wait:
                    server.wait_ready()
                yield world, server
            finally:
                server.stop()

    return served


def ready(server):
    return server.readiness()[0] == 200


__all__ = ["eventually", "ready"]
