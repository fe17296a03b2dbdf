"""Rotation: a stream that has grown is followed by another, bound to the same identity, with another key."""

import asyncio
import json

import pytest
from audit_world import SOURCE, Authority, Clock, attempt, bound_stream

from launchworthy.audit import AuditUnwritable, BindingError
from launchworthy.audit.events import ServerStarting
from launchworthy.audit.stream import AuditStream

AUTHORITY = Authority()
WORKLOAD = AUTHORITY.issue()


def records(stream):
    return [json.loads(line) for line in stream.path.read_bytes().splitlines()]


def types(stream):
    return [record["type"].removeprefix("launchworthy.").removesuffix(".v1") for record in records(stream)]


@pytest.fixture
def directory(tmp_path):
    return tmp_path / "audit"


@pytest.fixture
def clock():
    return Clock()


def opened(directory, clock, **more):
    return AuditStream.open(directory, source=None, clock=clock, **more)


def test_a_bound_stream_is_followed_by_a_bound_one_with_another_key(directory, clock):
    async def scenario():
        notes = []
        stream = opened(directory, clock, rotate_at=4000, anchor=notes.append)
        await stream.bind_with(WORKLOAD, SOURCE)
        first_path, first_id = stream.path, stream.stream_id
        while not stream.rotation_due:
            stream.record(attempt())
        await stream.rotate()
        assert stream.stream_id != first_id
        assert types(stream) == ["stream.open", "stream.bound"]
        assert records(stream)[1]["data"]["size"] == 0
        assert records(stream)[1]["source"] == SOURCE
        stream.record(attempt())
        stream.close()
        old = [json.loads(line) for line in first_path.read_bytes().splitlines()]
        assert old[-2]["data"] == {"reason": "rotation", "next": stream.stream_id}
        assert records(stream)[0]["data"]["previous"]["size"] == len(old)

    asyncio.run(scenario())


def test_while_the_proof_is_made_records_go_on_into_the_old_stream(directory, clock):
    async def scenario():
        stream = opened(directory, clock)
        await stream.bind_with(WORKLOAD, SOURCE)
        old = stream.path
        rotation = asyncio.ensure_future(stream.rotate())
        await asyncio.sleep(0)
        stream.record(attempt("DURING"))
        assert stream.path == old
        await rotation
        assert stream.path != old
        assert b"DURING" in old.read_bytes()
        stream.close()

    asyncio.run(scenario())


def test_without_a_proof_the_old_stream_goes_on(directory, clock):
    class Nobody:
        def __init__(self):
            self.there = True

        async def prove(self, payload):
            if not self.there:
                raise ConnectionError("no identity")
            return WORKLOAD.sign(payload)

    async def scenario():
        prover = Nobody()
        stream = opened(directory, clock, rotate_at=2000)
        await stream.bind_with(prover, SOURCE)
        prover.there = False
        path = stream.path
        for _ in range(5):
            stream.record(attempt())
        with pytest.raises(ConnectionError):
            await stream.rotate()
        stream.record(attempt())
        assert (stream.path, stream.writable, len(list(directory.iterdir()))) == (path, True, 1)
        prover.there = True
        await stream.rotate()
        assert stream.path != path
        stream.close()

    asyncio.run(scenario())


def test_a_proof_for_something_else_is_no_proof_for_the_next_stream(directory, clock):
    class Confused:
        async def prove(self, payload):
            return WORKLOAD.sign(payload if b"\n1\n" in payload else b"something else")

    async def scenario():
        stream = opened(directory, clock)
        await stream.bind_with(Confused(), SOURCE)
        path = stream.path
        with pytest.raises(BindingError, match="has not signed"):
            await stream.rotate()
        stream.record(attempt())
        assert (stream.path, len(list(directory.iterdir()))) == (path, 1)
        stream.close()

    asyncio.run(scenario())


def test_a_stream_that_is_closed_while_the_proof_is_made_stays_closed(directory, clock):
    async def scenario():
        stream = opened(directory, clock)
        await stream.bind_with(WORKLOAD, SOURCE)
        rotation = asyncio.ensure_future(stream.rotate())
        await asyncio.sleep(0)
        stream.close()
        with pytest.raises(AuditUnwritable, match="closed"):
            await rotation
        assert len(list(directory.iterdir())) == 1

    asyncio.run(scenario())


def test_a_stream_bound_without_a_prover_is_not_rotated_into_an_unbound_one(directory, clock):
    async def scenario():
        stream = bound_stream(directory, WORKLOAD, clock=clock, rotate_at=1)
        assert stream.rotation_due
        with pytest.raises(BindingError, match="prover"):
            await stream.rotate()
        stream.record(attempt())
        assert len(list(directory.iterdir())) == 1
        stream.close()

    asyncio.run(scenario())


def test_an_unbound_stream_rotates_by_itself(directory, clock):
    stream = opened(directory, clock, rotate_at=3000)
    for _ in range(20):
        stream.record(ServerStarting(environment="production", version="0.1.0"))
    stream.close()
    assert len(list(directory.iterdir())) > 2


def test_the_key_of_a_stream_that_was_followed_is_gone(directory, clock):
    async def scenario():
        stream = opened(directory, clock)
        await stream.bind_with(WORKLOAD, SOURCE)
        key = stream._writer.chain.key
        await stream.rotate()
        with pytest.raises(ValueError, match="gone"):
            key.seal(0, bytes(32))
        stream.close()

    asyncio.run(scenario())
