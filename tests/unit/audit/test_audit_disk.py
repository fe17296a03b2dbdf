"""A full or failing disk: nothing half written, attempts refused, outcomes from the reserve, and recovery."""

import contextlib
import errno
import json

import pytest
from audit_world import Authority, Clock, SmallDisk, attempt, bound_stream, outcome

from launchworthy.audit import AuditUnwritable
from launchworthy.audit.events import ServerStarting
from launchworthy.audit.stream import AuditStream
from launchworthy.audit.verification import State, verify_paths

WORKLOAD = Authority().issue()
RESERVE = 8_000


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def disk():
    return SmallDisk(60_000)


@pytest.fixture
def stream(tmp_path, clock, disk):
    opened = bound_stream(tmp_path / "audit", WORKLOAD, clock=clock, disk=disk, reserve_bytes=RESERVE)
    yield opened
    disk.failure = None
    disk.room = 10_000_000


def types(stream):
    return [json.loads(line)["type"].split(".", 1)[1][:-3] for line in stream.path.read_bytes().splitlines()]


def fill(stream):
    """Record attempts until one is refused, and return the refusal."""
    for _ in range(1000):
        try:
            stream.record(attempt())
        except AuditUnwritable as refused:
            return refused
    raise AssertionError("the disk was never full")


def state_of(stream):
    return verify_paths([stream.path], require_sealed=False, pinned_keys=[stream.verifier_key]).streams[0]


def test_a6_a_full_disk_refuses_attempts_and_leaves_no_half_record(stream):
    refused = fill(stream)
    assert "No space left" in str(refused)
    assert not stream.writable
    assert stream.path.read_bytes().endswith(b"\n")
    before = stream.path.read_bytes()
    with pytest.raises(AuditUnwritable):
        stream.record(attempt())
    assert stream.path.read_bytes() == before
    assert state_of(stream).state is State.INTACT_OPEN


def test_a_short_write_is_taken_back(stream, disk):
    before = stream.path.read_bytes()
    disk.room = disk.room - disk.free + 100
    with pytest.raises(AuditUnwritable):
        stream.record(attempt())
    assert stream.path.read_bytes() == before


def test_the_outcomes_of_running_calls_are_still_written(stream):
    fill(stream)
    for number in range(10):
        stream.record(outcome(str(number)), critical=True)
    assert types(stream)[-11:] == ["stream.degraded", *["tool.outcome"] * 10]
    with pytest.raises(AuditUnwritable):
        stream.record(attempt())
    assert state_of(stream).state is State.INTACT_OPEN


def test_when_the_reserve_is_used_up_outcomes_fail_too(stream):
    fill(stream)
    written = 0
    with contextlib.suppress(AuditUnwritable):
        for number in range(1000):
            stream.record(outcome(str(number)), critical=True)
            written += 1
    assert 5 < written < 100
    with pytest.raises(AuditUnwritable):
        stream.record(outcome(), critical=True)
    assert stream.path.read_bytes().endswith(b"\n")
    assert state_of(stream).state is State.INTACT_OPEN


@pytest.mark.parametrize("used", [False, True], ids=["reserve held", "reserve used"])
def test_it_goes_on_by_itself_when_there_is_room_and_says_what_it_missed(stream, disk, clock, used):
    fill(stream)
    if used:
        stream.record(outcome(), critical=True)
    clock.forward(1)
    stream.tick()
    assert not stream.writable
    disk.room += 50_000
    clock.forward(1)
    stream.tick()
    assert stream.writable
    recovered = json.loads(stream.path.read_bytes().splitlines()[-1])
    assert recovered["type"] == "launchworthy.stream.recovered.v1"
    assert recovered["data"]["refused"] == 1
    assert "No space left" in recovered["data"]["cause"]
    stream.record(attempt())
    stream.close()
    assert state_of(stream).state is State.INTACT_SEALED


def test_without_a_tick_the_next_attempt_looks_for_room(stream, disk, clock):
    fill(stream)
    disk.room += 50_000
    with pytest.raises(AuditUnwritable):
        stream.record(attempt())
    clock.forward(1.1)
    stream.record(attempt())
    assert types(stream)[-2:] == ["stream.recovered", "tool.attempt"]


def test_a_little_room_is_not_enough_to_go_on(stream, disk, clock):
    fill(stream)
    disk.room += RESERVE // 2
    clock.forward(2)
    stream.tick()
    assert not stream.writable


def test_an_error_of_the_disk_is_treated_as_a_full_one(stream, disk, clock):
    disk.failure = errno.EIO
    with pytest.raises(AuditUnwritable, match="Input/output error"):
        stream.record(attempt())
    disk.failure = None
    clock.forward(1.1)
    stream.record(attempt())
    assert stream.writable
    assert state_of(stream).state is State.INTACT_OPEN


def test_half_a_record_that_cannot_be_taken_back_poisons_the_stream(tmp_path, clock):
    class Stuck(SmallDisk):
        def truncate(self, descriptor, size):
            if self.failure is not None:
                raise OSError(errno.EIO, "stuck")
            super().truncate(descriptor, size)

    disk = Stuck(60_000)
    stream = bound_stream(tmp_path / "audit", WORKLOAD, clock=clock, disk=disk, reserve_bytes=RESERVE)
    disk.failure = errno.EIO
    with pytest.raises(AuditUnwritable):
        stream.record(attempt())
    disk.failure = None
    clock.forward(10)
    stream.tick()
    with pytest.raises(AuditUnwritable, match="half a record"):
        stream.record(outcome(), critical=True)
    assert stream.problem is not None


def test_a_due_checkpoint_that_cannot_be_written_stops_the_next_record(tmp_path, clock):
    disk = SmallDisk(60_000)
    stream = bound_stream(
        tmp_path / "audit", WORKLOAD, clock=clock, disk=disk, reserve_bytes=RESERVE, checkpoint_every=10
    )
    for _ in range(7):
        stream.record(attempt())
    line = len(stream.path.read_bytes().splitlines()[-1])
    disk.room = disk.room - disk.free + line + 50
    stream.record(attempt())
    assert not stream.writable
    with pytest.raises(AuditUnwritable):
        stream.record(attempt())
    stream.record(outcome(), critical=True)
    assert types(stream)[-3:] == ["stream.checkpoint", "stream.degraded", "tool.outcome"]
    found = verify_paths([stream.path], require_sealed=False, pinned_keys=[stream.verifier_key], max_gap=10)
    assert found.streams[0].state is State.INTACT_OPEN


def test_a_disk_without_room_for_the_reserve_makes_no_stream(tmp_path, clock):
    with pytest.raises(AuditUnwritable, match="No space left"):
        AuditStream.open(tmp_path / "a", source=None, clock=clock, disk=SmallDisk(1000))
    assert list((tmp_path / "a").iterdir()) == []


def test_a_full_disk_does_not_keep_a_stream_from_being_closed(stream):
    fill(stream)
    stream.close()
    assert types(stream)[-2:] == ["stream.close", "stream.checkpoint"]
    assert state_of(stream).state is State.INTACT_SEALED


def test_an_end_that_cannot_be_written_is_said_and_the_file_is_as_after_a_crash(stream, disk):
    disk.failure = errno.EIO
    with pytest.raises(AuditUnwritable, match="could not be ended"):
        stream.close()
    assert state_of(stream).state is State.INTACT_OPEN
    with pytest.raises(AuditUnwritable, match="closed"):
        stream.record(attempt())


def test_a_rotation_that_fails_leaves_the_old_stream_in_use(tmp_path, clock):
    disk = SmallDisk(60_000)
    stream = AuditStream.open(
        tmp_path / "audit", source=None, clock=clock, disk=disk, reserve_bytes=RESERVE, rotate_at=500
    )
    path = stream.path
    disk.failure = errno.EIO
    with pytest.raises(AuditUnwritable, match="could not be ended"):
        stream.record(ServerStarting(environment="production", version="0.1.0"))
    disk.failure = None
    assert (stream.path, [file.name for file in path.parent.iterdir()]) == (path, [path.name])
    stream.record(ServerStarting(environment="production", version="0.1.0"))
    assert stream.path != path
    stream.close()
    keys = [stream.verifier_key, json.loads(path.read_bytes().splitlines()[0])["data"]["key"]]
    found = verify_paths([path.parent], require_sealed=True, pinned_keys=keys)
    assert found.exit_code == 0, found.lines()


def test_a_binding_that_could_not_be_written_has_not_happened(tmp_path, clock):
    disk = SmallDisk(60_000)
    stream = AuditStream.open(tmp_path / "audit", source=None, clock=clock, disk=disk, reserve_bytes=RESERVE)
    proof = WORKLOAD.sign(stream.binding_payload())
    disk.failure = errno.EIO
    with pytest.raises(AuditUnwritable):
        stream.bind(proof, WORKLOAD.identity)
    assert not stream.bound
    disk.failure = None
    clock.forward(1.1)
    stream.record(ServerStarting(environment="production", version="0.1.0"))
    assert json.loads(stream.path.read_bytes().splitlines()[-1])["source"].startswith("urn:")
    stream.bind(proof, WORKLOAD.identity)
    stream.close()
    assert state_of(stream).state is State.INTACT_SEALED


def test_the_key_is_gone_even_if_the_end_could_not_be_written(stream, disk):
    key = stream._writer.chain.key
    disk.failure = errno.EIO
    with pytest.raises(AuditUnwritable):
        stream.close()
    with pytest.raises(ValueError, match="gone"):
        key.seal(0, bytes(32))
