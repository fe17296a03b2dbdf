"""A file goes only after its time, shipper and anchor; its deletion is a record that explains the gap."""

import asyncio
import json

import pytest
from audit_world import NOW, SECOND, Authority, Clock, attempt, bound_stream, outcome

from launchworthy.audit import AuditUnwritable
from launchworthy.audit.cursor import Position
from launchworthy.audit.events import AuthnDenied, StreamDeleted
from launchworthy.audit.retention import days, expired
from launchworthy.audit.spool import waiting_bytes
from launchworthy.audit.verification import State, verify_paths
from launchworthy.vocabulary import Reason

DAY = 86_400
AUTHORITY = Authority()


@pytest.fixture
def old(tmp_path):
    """A closed file."""
    stream = bound_stream(tmp_path / "audit", AUTHORITY.issue(), clock=Clock())
    stream.record(attempt())
    stream.record(outcome())
    stream.close()
    return stream


def asked(old, **changes):
    size, length = len(old.path.read_bytes().splitlines()), old.path.stat().st_size
    known = {
        "now": NOW / SECOND + 31 * DAY,
        "keep_seconds": 30 * DAY,
        "shipped": {old.path.name: Position(offset=length, records=size)},
        "anchored": {old.stream_id: size},
    }
    return list(expired(old.path.parent, **{**known, **changes}))


def test_a_file_whose_time_is_over_that_everybody_has_is_found(old):
    [found] = asked(old)
    assert (found.name, found.stream, found.size) == (old.path.name, old.stream_id, found.shipped)
    assert found.anchored == found.size


def test_the_last_checkpoint_in_the_file_is_anchor_enough_for_all_of_it(old):
    size = len(old.path.read_bytes().splitlines())
    assert len(asked(old, anchored={old.stream_id: size - 1})) == 1
    assert asked(old, anchored={old.stream_id: size - 2}) == []


@pytest.mark.parametrize(
    "changes",
    [
        {"now": NOW / SECOND + 29 * DAY},
        {"shipped": {}},
        {"anchored": {}},
        {"anchored": {"0" * 32: 99}},
    ],
    ids=["too young", "not shipped", "not anchored", "another is anchored"],
)
def test_a_file_that_somebody_still_needs_is_not_found(old, changes):
    assert asked(old, **changes) == []


def test_a_file_that_was_shipped_in_part_is_not_found(old):
    length = old.path.stat().st_size
    size = len(old.path.read_bytes().splitlines())
    for position in (Position(offset=length - 1, records=size), Position(offset=length, records=3)):
        assert asked(old, shipped={old.path.name: position}) == []


def test_a_file_that_was_never_closed_is_not_found(tmp_path):
    stream = bound_stream(tmp_path / "audit", AUTHORITY.issue(), clock=Clock())
    stream.record(attempt())
    stream.checkpoint()
    assert asked(stream) == []
    stream.path.write_bytes(stream.path.read_bytes() + b"torn")
    assert asked(stream) == []


def later(old, at=40 * DAY):
    return bound_stream(old.path.parent, AUTHORITY.issue(), clock=Clock(NOW + at * SECOND))


def deletion(old):
    [found] = asked(old)
    told = {"opened": found.opened, "size": found.size, "root": found.root}
    passed = {"shipped": found.shipped, "anchored": found.anchored}
    return StreamDeleted(deleted=found.stream, retention_days=days(30 * DAY), **told, **passed)


def verified(*streams):
    keys = [stream.verifier_key for stream in streams]
    return verify_paths([streams[0].path.parent], require_sealed=False, pinned_keys=keys)


def before(old):
    """One that lies before, so that the gap is between two."""
    stream = bound_stream(old.path.parent, AUTHORITY.issue(), clock=Clock(NOW - DAY * SECOND))
    stream.close()
    return stream


def test_the_record_is_on_the_disk_before_the_file_is_gone_and_explains_the_gap(old):
    first, last = before(old), later(old)
    asyncio.run(last.delete(deletion(old), old.path.name))
    last.close()
    assert not old.path.exists()
    records = [json.loads(line) for line in last.path.read_bytes().splitlines()]
    [told] = [each for each in records if "deleted" in each["data"]]
    assert told["type"] == "launchworthy.stream.deleted.v1"
    assert told["data"]["deleted"] == old.stream_id
    assert verified(first, last).state is State.INTACT_SEALED


def test_a_file_that_went_without_a_record_is_missing(old):
    first, last = before(old), later(old)
    last.close()
    old.path.unlink()
    found = verified(first, last)
    assert found.state is State.TAMPERED
    assert f"stream {old.stream_id} is missing" in found.holes[0]


def test_a_stream_that_is_not_believed_excuses_no_gap(old):
    first, last = before(old), later(old)
    last.close()
    forger = bound_stream(old.path.parent, Authority().issue(), clock=Clock(NOW + 50 * DAY * SECOND))
    asyncio.run(forger.delete(deletion(old), old.path.name))
    forger.close()
    assert verified(first, last).state is State.TAMPERED
    assert verified(first, last, forger).state is State.INTACT_SEALED


def test_where_the_record_cannot_be_written_the_file_stays(old):
    stream = later(old)
    stream.hold("held")
    with pytest.raises(AuditUnwritable):
        asyncio.run(stream.delete(deletion(old), old.path.name))
    assert old.path.exists()
    stream.hold(None)
    with pytest.raises(AuditUnwritable, match="is not deleted"):
        asyncio.run(stream.delete(deletion(old), stream.path.name))
    assert stream.path.exists()
    stream.close()


def test_what_waits_is_what_no_shipper_has(old):
    directory, length = old.path.parent, old.path.stat().st_size
    (directory / "shipped-otlp.json").write_text("{}")
    assert waiting_bytes(directory, {}) == length
    assert waiting_bytes(directory, {old.path.name: Position(offset=100, records=1)}) == length - 100
    assert waiting_bytes(directory, {old.path.name: Position(offset=length + 5, records=9)}) == 0


def types(stream):
    return [json.loads(line)["type"].split(".", 1)[1] for line in stream.path.read_bytes().splitlines()]


def test_a_full_spool_refuses_attempts_and_says_so_and_outcomes_are_written(tmp_path):
    stream = bound_stream(tmp_path / "audit", AUTHORITY.issue(), clock=Clock())
    stream.record(attempt("a"))
    stream.hold("70 MiB of audit wait for the shipper")
    stream.hold("71 MiB of audit wait for the shipper")
    assert not stream.writable
    assert "70 MiB" in stream.problem or "71 MiB" in stream.problem
    for event in (attempt("b"), AuthnDenied(reason=Reason.TOKEN_KEY, status=401)):
        with pytest.raises(AuditUnwritable, match="wait for the shipper"):
            stream.record(event)
    stream.record(outcome("a"), critical=True)
    stream.hold(None)
    assert stream.writable
    stream.record(attempt("b"))
    stream.record(outcome("b"), critical=True)
    stream.close()
    degraded, recovered = (
        types(stream).index("stream.degraded.v1"),
        types(stream).index("stream.recovered.v1"),
    )
    told = json.loads(stream.path.read_bytes().splitlines()[recovered])["data"]
    assert degraded < recovered
    assert told["refused"] == 2
    verdict = verify_paths([stream.path], require_sealed=True, pinned_keys=[stream.verifier_key])
    assert verdict.state is State.INTACT_SEALED


def test_a_stream_is_followed_by_the_next_after_six_hours_too(tmp_path):
    clock = Clock()
    stream = bound_stream(tmp_path / "audit", AUTHORITY.issue(), clock=clock)
    assert not stream.rotation_due
    clock.forward(6 * 3600)
    assert stream.rotation_due
    stream.close()
    workload = AUTHORITY.issue()
    clock = Clock()

    async def rotated():
        stream = bound_stream(tmp_path / "other", workload, clock=clock)
        stream._prover = workload
        clock.forward(6 * 3600)
        await stream.rotate()
        return stream

    stream = asyncio.run(rotated())
    assert not stream.rotation_due
    stream.close()
    assert len(list((tmp_path / "other").iterdir())) == 2
