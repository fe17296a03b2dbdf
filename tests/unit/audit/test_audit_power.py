"""What survives a loss of power was synced before it was acknowledged: the order of calls to the system."""

import asyncio
import os

import pytest
from audit_world import Authority, Clock, attempt, bound_stream

from launchworthy.audit import AuditUnwritable
from launchworthy.audit.disk import RealDisk
from launchworthy.audit.reading import audit_files
from launchworthy.audit.verification import State, verify_paths

AUTHORITY = Authority()


class WatchedDisk(RealDisk):
    """The real disk; knows how much of each file a loss of power would leave."""

    def __init__(self):
        self.calls = []
        self.survives = {}

    def write(self, descriptor, data):
        taken = os.write(descriptor, data)
        self.calls.append("write")
        return taken

    def sync(self, descriptor):
        size = os.fstat(descriptor).st_size
        os.fdatasync(descriptor)
        self.calls.append("sync")
        self.survives[os.fstat(descriptor).st_ino] = size


def left(path, disk):
    """What a loss of power would leave of a file."""
    return path.read_bytes()[: disk.survives.get(path.stat().st_ino, 0)]


def test_a5_what_survives_a_loss_of_power_was_synced_before_it_was_acknowledged(tmp_path):
    disk = WatchedDisk()
    stream = bound_stream(tmp_path / "audit", AUTHORITY.issue(), clock=Clock(), disk=disk)

    async def callers():
        async def one(number):
            await stream.record_durable(attempt(f"durable-{number}"))
            assert f"durable-{number}".encode() in left(stream.path, disk)

        for round_ in range(5):
            await asyncio.gather(*(one(round_ * 10 + number) for number in range(10)))

    asyncio.run(callers())
    syncs = disk.calls.count("sync")
    assert 1 <= syncs <= 50
    stream.record(attempt("not durable"))
    remains = tmp_path / "after" / stream.path.name
    remains.parent.mkdir()
    remains.write_bytes(left(stream.path, disk))
    found = verify_paths([remains], require_sealed=False, pinned_keys=[stream.verifier_key])
    assert found.state is State.INTACT_OPEN
    assert b"not durable" not in remains.read_bytes()
    stream.close()
    assert left(stream.path, disk) == stream.path.read_bytes()


def test_the_name_of_a_file_is_on_the_disk_before_anything_is_in_it(tmp_path, monkeypatch):
    seen = []
    fsync, real_write = os.fsync, os.write

    def synced(descriptor):
        seen.append(("fsync", os.fstat(descriptor).st_mode & 0o40000 != 0))
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", synced)
    disk = WatchedDisk()
    disk.write = lambda descriptor, data: (seen.append(("write", False)), real_write(descriptor, data))[1]
    stream = bound_stream(tmp_path / "audit", AUTHORITY.issue(), clock=Clock(), disk=disk)
    assert seen.index(("fsync", True)) < seen.index(("write", False))
    stream.close()


def test_a_sync_that_fails_is_never_tried_again_and_nobody_is_told_that_it_is_safe(tmp_path):
    disk = WatchedDisk()
    stream = bound_stream(tmp_path / "audit", AUTHORITY.issue(), clock=Clock(), disk=disk)
    tried = []

    def sync(_descriptor):
        tried.append(1)
        raise OSError(5, "Input/output error")

    disk.sync = sync

    async def caller():
        await stream.record_durable(attempt("lost"))

    for _ in range(2):
        with pytest.raises(AuditUnwritable):
            asyncio.run(caller())
    assert not stream.writable
    assert len(tried) == 1
    with pytest.raises(AuditUnwritable):
        stream.close()
    assert len(audit_files(tmp_path / "audit")) == 1
