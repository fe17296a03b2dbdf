"""Witnesses: what anchors and later streams say of a file, and what is not there."""

import asyncio
import base64
import json

import pytest
from audit_files import (
    AUTHORITY,
    WORKLOAD,
    edited,
    filled,
    lines_of,
    rechained,
    verified,
    write,
)
from audit_world import SECOND, SOURCE, Authority, Clock, attempt, outcome, seeded_key

from launchworthy.audit.anchors import anchor_line, read_anchors
from launchworthy.audit.canonical import canonical
from launchworthy.audit.events import ServerRefused
from launchworthy.audit.stream import AuditStream
from launchworthy.audit.verification import State, Trust


@pytest.fixture
def directory(tmp_path):
    return tmp_path / "audit"


@pytest.fixture
def trust(tmp_path):
    return AUTHORITY.write_bundle(tmp_path / "trust")


@pytest.fixture
def clock():
    return Clock()


def test_a_removed_record_is_missing(directory, clock, trust):
    stream = filled(directory, clock)
    stream.close()
    lines = lines_of(stream.path)
    del lines[6]
    write(stream.path, lines)
    [only] = verified(directory, trust_directory=trust).streams
    assert str(only.damage) == "record 6: a record is missing here"


def test_a_refused_start_is_believed_on_the_word_of_the_next(directory, clock, trust):
    for _ in range(2):
        stream = AuditStream.open(directory, source=None, clock=clock)
        stream.record(ServerRefused(stage="identity", reason="no-identity"))
        stream.close()
    filled(directory, clock).close()
    found = verified(directory, trust_directory=trust)
    assert [stream.trust for stream in found.streams] == [Trust.LINKED, Trust.LINKED, Trust.BOUND]
    assert found.state is State.INTACT_SEALED


def test_what_is_cut_off_an_open_file_is_found_by_an_anchor(directory, clock, trust):
    notes = []
    stream = filled(directory, clock, checkpoint_every=10, anchor=notes.append)
    lines = lines_of(stream.path)
    write(stream.path, lines[:6])
    assert verified(directory, trust_directory=trust).state is State.INTACT_OPEN
    found = verified(directory, trust_directory=trust, anchors=notes)
    assert found.state is State.TAMPERED
    assert str(found.streams[0].damage).startswith("records 6 to 9: cut off here")


def test_the_unsealed_end_is_covered_by_an_anchor_that_came_later(directory, clock, trust):
    notes = []
    stream = filled(directory, clock, anchor=notes.append)
    lines = lines_of(stream.path)
    harmed = rechained([*lines[:5], edited(lines[5], subject="mallory"), *lines[6:]])
    stream.close()
    write(stream.path, harmed)
    assert verified(directory, trust_directory=trust).state is State.INTACT_OPEN
    assert verified(directory, trust_directory=trust, anchors=notes).state is State.TAMPERED


def test_the_last_anchor_covers_the_last_line(directory, clock, trust):
    notes = []
    stream = filled(directory, clock, anchor=notes.append)
    stream.close()
    found = verified(directory, trust_directory=trust, anchors=notes)
    assert found.streams[0].anchored_to == found.streams[0].records


def test_an_anchor_of_another_key_says_nothing(directory, clock, trust):
    notes = []
    stream = filled(directory, clock, anchor=notes.append)
    stream.close()
    forged = [note.replace("\n14\n", "\n99\n") for note in notes]
    assert verified(directory, trust_directory=trust, anchors=forged).state is State.INTACT_SEALED


def test_an_anchor_for_a_stream_that_is_not_here_leaves_it_undecided(directory, clock, trust):
    notes = []
    gone = filled(directory, clock, anchor=notes.append)
    gone.close()
    gone.path.unlink()
    filled(directory, clock).close()
    found = verified(directory, trust_directory=trust, anchors=notes)
    assert (found.state, found.missing) == (State.UNDECIDED, (gone.stream_id,))


def test_the_next_stream_is_a_witness_of_the_one_before(directory, clock, trust):
    first = filled(directory, clock)
    second = filled(directory, clock)
    second.close()
    found = verified(directory, trust_directory=trust)
    assert found.streams[0].anchored_to == 13
    assert found.streams[0].unsealed == 0
    write(first.path, lines_of(first.path)[:6])
    found = verified(directory, trust_directory=trust)
    assert found.streams[0].damage.record == 6
    assert found.streams[1].damage is None


def test_a_stream_that_nobody_believes_cannot_accuse_another(directory, clock, trust):
    victim = filled(directory, clock)
    victim.close()
    liar = AuditStream.open(directory, source=None, clock=clock, new_key=lambda: seeded_key(7))
    liar.close()
    lines = lines_of(liar.path)
    first = json.loads(lines[0])
    first["data"]["previous"]["root"] = base64.b64encode(bytes(32)).decode()
    write(liar.path, rechained([canonical(first)]))
    found = verified(directory, trust_directory=trust)
    assert [stream.state for stream in found.streams] == [State.INTACT_SEALED, State.UNDECIDED]
    assert "says otherwise" in found.streams[1].notes[-1]


def test_a_file_that_is_missing_between_others_was_taken_away(directory, clock, trust):
    streams = [filled(directory, clock) for _ in range(3)]
    for stream in streams:
        stream.close()
    assert verified(directory, trust_directory=trust).state is State.INTACT_SEALED
    kept = streams[1].path.read_bytes()
    streams[1].path.unlink()
    found = verified(directory, trust_directory=trust)
    assert (found.state, found.missing) == (State.TAMPERED, (streams[1].stream_id,))
    assert streams[1].stream_id in found.holes[0]
    streams[1].path.write_bytes(kept)
    streams[0].path.unlink()
    beginning = verified(directory, trust_directory=trust)
    assert (beginning.state, beginning.missing) == (State.INTACT_SEALED, (streams[0].stream_id,))


def test_single_files_may_be_verified_without_their_neighbours(directory, clock, trust):
    streams = [filled(directory, clock) for _ in range(3)]
    for stream in streams:
        stream.close()
    found = verified(streams[0].path, streams[2].path, trust_directory=trust)
    assert found.state is State.INTACT_SEALED


def test_attempts_without_an_outcome_are_listed(directory, clock, trust):
    stream = filled(directory, clock)
    stream.record(attempt("LOST"), subject="order/1")
    stream.close()
    [lost] = verified(directory, trust_directory=trust).unknown_outcomes
    assert (lost.call, lost.target, lost.seq) == ("LOST", "refund_order", 13)


def test_an_outcome_in_the_stream_that_followed_counts(directory, clock, trust):
    async def scenario():
        stream = AuditStream.open(directory, source=None, clock=clock)
        await stream.bind_with(WORKLOAD, SOURCE)
        stream.record(attempt("SLOW"))
        await stream.rotate()
        stream.record(outcome("SLOW"), critical=True)
        stream.close()

    asyncio.run(scenario())
    found = verified(directory, trust_directory=trust)
    assert (found.state, found.unknown_outcomes, len(found.streams)) == (State.INTACT_SEALED, (), 2)


def test_a_stream_that_followed_in_the_same_process_must_be_there(directory, clock, trust):
    async def scenario():
        stream = AuditStream.open(directory, source=None, clock=clock)
        await stream.bind_with(WORKLOAD, SOURCE)
        await stream.rotate()
        middle = stream.path
        await stream.rotate()
        stream.close()
        return middle

    middle = asyncio.run(scenario())
    assert verified(directory, trust_directory=trust).state is State.INTACT_SEALED
    middle.unlink()
    assert len(verified(directory, trust_directory=trust).holes) == 2


def test_archived_roots_verify_what_is_long_ago(directory, clock, tmp_path):
    filled(directory, clock).close()
    trust = tmp_path / "trust" / "acme.example"
    now = Authority(at=clock.now + 400 * 24 * 3600 * SECOND)
    AUTHORITY.write_bundle(trust)
    now.write_bundle(tmp_path / "new")
    (tmp_path / "new" / "acme.example.pem").rename(trust / "acme-2027.pem")
    assert verified(directory, trust_directory=tmp_path / "trust").state is State.INTACT_SEALED


def test_anchors_come_back_from_the_servers_output(directory, clock):
    printed = ["plain text", '{"event":"ready"}', '{"event":"audit.checkpoint"', "audit.checkpoint"]
    notes = []

    def anchor(note):
        notes.append(note)
        printed.append(anchor_line(note))

    filled(directory, clock, anchor=anchor).close()
    wrapped = [json.dumps({"stream": "stdout", "log": line + "\n"}) for line in printed]
    stamped = [f"2026-11-20T02:00:00.1Z stdout F {line}" for line in printed]
    for lines in (printed, wrapped, stamped):
        assert read_anchors(lines) == tuple(notes)
    assert read_anchors(printed + wrapped) == tuple(notes)
    assert "\n" not in anchor_line(notes[0])
