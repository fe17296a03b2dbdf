"""The identity in numbers: what an alarm needs, and nothing of a token or a key."""

import asyncio
import os
import time

from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.trace import NoOpTracer

from launchworthy.audit.events import IdentityPeerRejected
from launchworthy.identity import Phase
from launchworthy.identity.spiffe import SpiffeIdentity
from launchworthy.server.identity_metrics import identity_metrics
from launchworthy.server.telemetry import Telemetry
from launchworthy.testing.authority import SimulatedAuthority
from launchworthy.testing.workload_api import Fault, WorkloadApi


class Numbers:
    """A meter, and what it has measured."""

    def __init__(self):
        self.reader = InMemoryMetricReader()
        self.provider = MeterProvider((self.reader,), shutdown_on_exit=False)
        self.meter = self.provider.get_meter("test")

    def read(self):
        data = self.reader.get_metrics_data()
        found = {}
        for metric in data.resource_metrics[0].scope_metrics[0].metrics:
            for point in metric.data.data_points:
                labels = " ".join(str(value) for value in point.attributes.values())
                found[metric.name, labels] = point.value
        return found


def test_seconds_left_usability_and_changes_are_numbers():
    numbers = Numbers()

    async def test(agent):
        identity = SpiffeIdentity(
            endpoint=agent.endpoint,
            expected_id="spiffe://dev.invalid/simulated/orders",
            trust_domains=("dev.invalid",),
            socket_owner_uids=(os.getuid(),),
            call_timeout=3.0,
            clock=time.time,
        )
        await identity.start(5)
        identity_metrics(numbers.meter, identity, time.time)
        first = numbers.read()
        assert 3500 < first["launchworthy.identity.left", ""] <= 3600
        assert first["launchworthy.identity.usable", "READY"] == 1
        before = identity.x509()
        agent.rotate()
        async with asyncio.timeout(5):
            while identity.x509() is before:  # noqa: ASYNC110 - another thread
                await asyncio.sleep(0.01)
        agent.set_fault(Fault.PERMISSION_DENIED)
        async with asyncio.timeout(5):
            while identity.status().phase is not Phase.REVOKED:  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        await asyncio.sleep(0)
        after = numbers.read()
        assert after["launchworthy.identity.usable", "REVOKED"] == 0
        assert after["launchworthy.identity.changes", "rotated"] == 1
        assert after["launchworthy.identity.changes", "revoked"] == 1
        assert ("launchworthy.identity.left", "") not in after
        await identity.aclose()

    with WorkloadApi(SimulatedAuthority(clock=time.time), "orders") as agent:
        asyncio.run(test(agent))


def test_a_refused_handshake_is_a_refusal_by_its_cause():
    numbers = Numbers()
    telemetry = Telemetry(NoOpTracer(), numbers.meter, known=frozenset(), clock=time.time_ns)
    telemetry.observe(IdentityPeerRejected(cause="expired", detail="x"))
    telemetry.observe(IdentityPeerRejected(cause="expired", count=7))
    assert numbers.read()["launchworthy.refusals", "peer.expired"] == 8
