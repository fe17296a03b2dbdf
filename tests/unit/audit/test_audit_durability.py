"""Group commit: everybody waits for a sync that began after their record, and a failure poisons."""

import asyncio
import errno
import threading

import pytest
from audit_world import Authority, Clock, attempt, bound_stream

from launchworthy.audit import AuditUnwritable
from launchworthy.audit.disk import RealDisk

WORKLOAD = Authority().issue()


class Watched(RealDisk):
    """Counts syncs, holds them up, or fails them."""

    def __init__(self):
        self.syncs = 0
        self.sizes = []
        self.gate = threading.Event()
        self.entered = threading.Event()
        self.gate.set()
        self.failure = None
        self.threads = set()

    def sync(self, descriptor):
        self.entered.set()
        self.gate.wait(10)
        self.threads.add(threading.current_thread().name)
        self.syncs += 1
        if self.failure is not None:
            raise OSError(self.failure, "no")
        super().sync(descriptor)


@pytest.fixture
def disk():
    return Watched()


@pytest.fixture
def stream(tmp_path, disk):
    return bound_stream(tmp_path / "audit", WORKLOAD, clock=Clock(), disk=disk)


def test_a_durable_record_waits_for_the_disk(stream, disk):
    async def scenario():
        disk.gate.clear()
        waiting = asyncio.ensure_future(stream.record_durable(attempt("DURABLE")))
        await asyncio.sleep(0)
        assert b"DURABLE" in stream.path.read_bytes()
        assert not waiting.done()
        disk.gate.set()
        await asyncio.wait_for(waiting, 10)
        assert disk.syncs == 1

    asyncio.run(scenario())
    stream.close()


def test_an_ordinary_record_starts_no_thread(stream, disk):
    stream.record(attempt())
    assert stream._group._thread is None
    assert disk.syncs == 0
    stream.close()
    assert disk.syncs == 1


def test_many_who_wait_share_a_sync(stream, disk):
    async def scenario():
        disk.gate.clear()
        waiting = [
            asyncio.ensure_future(stream.record_durable(attempt(str(number)))) for number in range(100)
        ]
        await asyncio.sleep(0)
        disk.gate.set()
        await asyncio.wait_for(asyncio.gather(*waiting), 10)

    asyncio.run(scenario())
    assert disk.syncs <= 3
    assert disk.threads == {"audit-sync"}
    stream.close()


def test_a_record_that_comes_during_a_sync_waits_for_the_next(stream, disk):
    async def scenario():
        disk.gate.clear()
        first = asyncio.ensure_future(stream.record_durable(attempt("1")))
        assert await asyncio.to_thread(disk.entered.wait, 10)
        second = asyncio.ensure_future(stream.record_durable(attempt("2")))
        await asyncio.sleep(0)
        disk.gate.set()
        await asyncio.wait_for(asyncio.gather(first, second), 10)
        assert disk.syncs == 2

    asyncio.run(scenario())
    stream.close()


def test_a_sync_that_fails_tells_everybody_and_poisons_the_stream_for_good(stream, disk):
    async def scenario():
        disk.failure = errno.EIO
        waiting = [asyncio.ensure_future(stream.record_durable(attempt(str(number)))) for number in range(3)]
        results = await asyncio.wait_for(asyncio.gather(*waiting, return_exceptions=True), 10)
        assert [type(result) for result in results] == [AuditUnwritable] * 3
        disk.failure = None
        with pytest.raises(AuditUnwritable, match="did not take"):
            stream.record(attempt(), critical=True)
        assert not stream.writable

    asyncio.run(scenario())
    with pytest.raises(AuditUnwritable):
        stream.close()


def test_who_no_longer_waits_disturbs_nobody(stream, disk):
    async def scenario():
        disk.gate.clear()
        gone = asyncio.ensure_future(stream.record_durable(attempt("1")))
        stays = asyncio.ensure_future(stream.record_durable(attempt("2")))
        await asyncio.sleep(0)
        gone.cancel()
        disk.gate.set()
        await asyncio.wait_for(stays, 10)

    asyncio.run(scenario())
    stream.close()


def test_a_loop_that_is_gone_does_not_stop_the_thread(stream, disk):
    async def scenario():
        disk.gate.clear()
        task = asyncio.ensure_future(stream.record_durable(attempt("1")))
        await asyncio.sleep(0)
        task.cancel()

    asyncio.run(scenario())
    disk.gate.set()
    asyncio.run(stream.record_durable(attempt("2")))
    stream.close()


def test_closing_waits_for_the_disk_and_says_if_it_did_not_take_it(stream, disk):
    disk.failure = errno.EIO
    with pytest.raises(AuditUnwritable, match="did not take"):
        stream.close()


def test_no_durable_record_is_taken_after_the_end(stream):
    stream.close()
    with pytest.raises(AuditUnwritable, match="closed"):
        asyncio.run(stream.record_durable(attempt()))


def test_a_stream_that_is_followed_is_synced_in_the_background(tmp_path, disk):
    async def scenario():
        stream = bound_stream(tmp_path / "b", WORKLOAD, clock=Clock(), disk=disk)
        stream._prover = WORKLOAD
        await stream.record_durable(attempt())
        old = stream._group
        await stream.rotate()
        await stream.record_durable(attempt())
        await asyncio.to_thread(old._thread.join, 10)
        assert old.failure is None
        stream.close()

    asyncio.run(scenario())
    assert disk.syncs == 4
