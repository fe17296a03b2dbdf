"""A simulated agent, an identity that asks it, and a clock that can be moved."""

import asyncio
import contextlib
import os
import time

import pytest

from launchworthy.identity.spiffe import SpiffeIdentity
from launchworthy.testing.authority import SimulatedAuthority
from launchworthy.testing.workload_api import WorkloadApi

ORDERS = "spiffe://dev.invalid/simulated/orders"


class Clock:
    """The wall clock, and how far a test has moved it."""

    def __init__(self):
        self.ahead = 0.0

    def __call__(self):
        return time.time() + self.ahead


class World:
    """One agent and one workload. What happens to the identity is noted in `told`."""

    def __init__(self, api, clock):
        self.api, self.clock, self.authority = api, clock, api.authority
        self.told = []

    def identity(self, **other):
        identity = SpiffeIdentity(
            **{
                "endpoint": self.api.endpoint,
                "expected_id": ORDERS,
                "trust_domains": ("dev.invalid",),
                "socket_owner_uids": (os.geteuid(),),
                "call_timeout": 3.0,
                "clock": self.clock,
                "max_wait": 0.4,
                **other,
            }
        )
        identity.on_change(self.told.append)
        return identity

    @contextlib.asynccontextmanager
    async def ready(self, **other):
        """An identity that has started."""
        identity = self.identity(**other)
        try:
            await identity.start(5)
            yield identity
        finally:
            await identity.aclose()

    def kinds(self):
        return [change.kind.value for change in self.told]


async def until(condition, within=5.0):
    """Wait until something holds; fail when it does not within so many seconds. Returns how long it took."""
    began = time.monotonic()
    async with asyncio.timeout(within):
        while not condition():  # noqa: ASYNC110 - what is waited for happens in other threads and processes
            await asyncio.sleep(0.005)
    return time.monotonic() - began


@pytest.fixture
def anyio_backend():
    return "asyncio"


@pytest.fixture
def world():
    clock = Clock()
    with WorkloadApi(SimulatedAuthority(clock=clock), "orders") as api:
        yield World(api, clock)


@pytest.fixture(name="until")
def _until():
    return until
