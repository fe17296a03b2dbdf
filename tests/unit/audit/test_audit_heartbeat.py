"""The heartbeat: ticks while nothing happens, goes on in a new stream, and outlives a prover that fails."""

import asyncio

from audit_world import SOURCE, Authority, Clock, attempt

from launchworthy.audit.heartbeat import keep
from launchworthy.audit.stream import AuditStream

WORKLOAD = Authority().issue()


async def kept(stream, condition):
    """Keep a stream until something has happened, but not for ever."""
    task = asyncio.ensure_future(keep(stream, every=0.001))
    try:
        async with asyncio.timeout(10):
            while not condition():  # noqa: ASYNC110 - what is waited for stands in a file
                await asyncio.sleep(0.001)
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def test_an_idle_stream_is_sealed_by_the_heartbeat(tmp_path):
    async def scenario():
        clock = Clock()
        stream = AuditStream.open(tmp_path / "audit", source=None, clock=clock)
        clock.forward(6)
        await kept(stream, lambda: b"stream.checkpoint" in stream.path.read_bytes())
        stream.close()

    asyncio.run(scenario())


def test_a_stream_that_is_full_is_followed_by_another(tmp_path):
    async def scenario():
        stream = AuditStream.open(tmp_path / "audit", source=None, clock=Clock(), rotate_at=3000)
        await stream.bind_with(WORKLOAD, SOURCE)
        first = stream.path
        stream.record(attempt())
        await kept(stream, lambda: stream.path != first)
        stream.close()

    asyncio.run(scenario())


def test_a_prover_that_fails_is_asked_again_and_the_old_stream_goes_on(tmp_path):
    class Shaky:
        asked = 0

        async def prove(self, payload):
            self.asked += 1
            if 1 < self.asked < 4:
                raise ConnectionError("no identity now")
            return WORKLOAD.sign(payload)

    async def scenario():
        prover = Shaky()
        stream = AuditStream.open(tmp_path / "audit", source=None, clock=Clock(), rotate_at=3000)
        await stream.bind_with(prover, SOURCE)
        first = stream.path
        stream.record(attempt())
        await kept(stream, lambda: stream.path != first)
        assert prover.asked == 4
        stream.close()

    asyncio.run(scenario())
