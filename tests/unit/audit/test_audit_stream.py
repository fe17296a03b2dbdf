"""The stream: its file, its first records, its checkpoints, its rotation, its end, and what it refuses."""

import base64
import json
import os
import stat
from dataclasses import replace

import pytest
from audit_world import SECOND, SOURCE, Authority, Clock, attempt, bound_stream, outcome, seeded_key

from launchworthy.audit import AuditUnwritable, BindingError
from launchworthy.audit.checkpoint import VerifierKey, open_checkpoint
from launchworthy.audit.events import AuthnDenied, ServerStarting
from launchworthy.audit.merkle import MerkleTree
from launchworthy.audit.stream import AuditStream
from launchworthy.vocabulary import Reason

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


def test_a_new_stream_has_a_file_of_its_own_that_only_we_can_read(directory, clock):
    stream = opened(directory, clock)
    assert stat.S_IMODE(directory.stat().st_mode) == 0o700
    assert stat.S_IMODE(stream.path.stat().st_mode) == 0o600
    assert stream.path.name == f"20261120T020000001000Z-{stream.stream_id}.jsonl"
    assert [path.name for path in directory.iterdir()] == [stream.path.name]
    stream.close()


def test_the_first_record_names_the_key_and_the_key_names_the_stream(directory, clock):
    stream = opened(directory, clock)
    first = records(stream)[0]
    assert first["type"] == "launchworthy.stream.open.v1"
    assert first["source"] == f"urn:launchworthy:stream:{stream.stream_id}"
    assert first["data"]["key"] == stream.verifier_key
    assert VerifierKey.parse(stream.verifier_key).public_key == stream.public_key
    assert "previous" not in first["data"]
    stream.close()


def test_every_record_is_one_line_with_its_number_and_the_hash_of_the_line_before(directory, clock):
    stream = bound_stream(directory, WORKLOAD, clock=clock)
    stream.record(attempt(), subject="order/1042")
    stream.record(outcome(), critical=True)
    found = records(stream)
    assert [record["seq"] for record in found] == [0, 1, 2, 3]
    assert found[2]["subject"] == "order/1042"
    assert "subject" not in found[3]
    assert found[2]["id"] == f"{stream.stream_id}/2"
    assert found[2]["time"] == "2026-11-20T02:00:00.003000Z"
    stream.close()


def test_an_empty_subject_is_none(directory, clock):
    stream = bound_stream(directory, WORKLOAD, clock=clock)
    stream.record(attempt(), subject="")
    assert "subject" not in records(stream)[-1]
    stream.close()


def test_strangers_that_were_only_counted_are_told_before_the_end(directory, clock):
    stream = bound_stream(directory, WORKLOAD, clock=clock, rotate_at=0)
    stream.record(AuthnDenied(reason=Reason.TOKEN_KEY, status=401))
    stream.close()
    assert types(stream)[-3:] == ["stream.checkpoint", "stream.close", "stream.checkpoint"]
    assert [record["data"].get("uncounted") for record in records(stream)[-3:]] == [
        {"token.key": 1},
        None,
        None,
    ]


def test_two_streams_never_have_the_same_id(directory, clock):
    ids = set()
    for _ in range(5):
        stream = opened(directory, clock)
        ids.add(stream.stream_id)
        stream.close()
    assert len(ids) == 5


def test_a_volume_that_belongs_to_our_own_group_is_ours(directory, clock):
    directory.mkdir()
    directory.chmod(0o2775)
    opened(directory, clock).close()


def test_a_directory_of_another_group_is_not_ours(directory, clock):
    directory.mkdir()
    try:
        os.chown(directory, -1, os.getegid() + 4321)
    except PermissionError:
        pytest.skip("only root can give a directory to another group")
    directory.chmod(0o750)
    opened(directory, clock).close()
    directory.chmod(0o770)
    with pytest.raises(AuditUnwritable, match="others may write"):
        opened(directory, clock)


@pytest.mark.parametrize("mode", [0o702, 0o707, 0o777, 0o1777])
def test_a_directory_where_others_may_write_is_refused(directory, clock, mode):
    directory.mkdir(mode=0o700)
    opened(directory, clock).close()
    directory.chmod(mode)
    with pytest.raises(AuditUnwritable, match="others may write"):
        opened(directory, clock)


def test_a_link_to_a_directory_and_a_file_are_no_directory(directory, tmp_path, clock):
    directory.mkdir()
    (tmp_path / "link").symlink_to(directory)
    (tmp_path / "file").write_text("")
    for path in (tmp_path / "link", tmp_path / "file", tmp_path / "file" / "below"):
        with pytest.raises(AuditUnwritable, match="cannot be used"):
            opened(path, clock)


def test_a_file_that_is_there_already_is_never_used(directory):
    opened(directory, Clock(), new_key=lambda: seeded_key(1)).close()
    with pytest.raises(AuditUnwritable, match="File exists"):
        opened(directory, Clock(), new_key=lambda: seeded_key(1))


def test_until_it_is_bound_the_source_is_the_stream_and_then_the_workload(directory, clock):
    stream = opened(directory, clock)
    stream.record(ServerStarting(environment="production", version="0.1.0"))
    stream.bind(WORKLOAD.sign(stream.binding_payload()), SOURCE)
    stream.record(attempt())
    own = f"urn:launchworthy:stream:{stream.stream_id}"
    assert [record["source"] for record in records(stream)] == [own, own, SOURCE, SOURCE]
    assert stream.bound
    stream.close()


def test_records_may_come_between_the_payload_and_the_proof(directory, clock):
    stream = opened(directory, clock)
    payload = stream.binding_payload()
    stream.record(ServerStarting(environment="production", version="0.1.0"))
    stream.bind(WORKLOAD.sign(payload), SOURCE)
    assert records(stream)[2]["data"]["size"] == 1
    stream.close()


def test_a_proof_that_does_not_fit_is_refused_and_leaves_no_record(directory, clock):
    stream = opened(directory, clock)
    with pytest.raises(BindingError, match="payload first"):
        stream.bind(WORKLOAD.sign(b""), SOURCE)
    good = WORKLOAD.sign(stream.binding_payload())
    with pytest.raises(BindingError, match="another identity"):
        stream.bind(good, "spiffe://acme.example/other")
    with pytest.raises(BindingError, match="has not signed"):
        stream.bind(WORKLOAD.sign(b"something else"), SOURCE)
    with pytest.raises(BindingError, match="another source"):
        stream.bind(replace(good, kind="token", token="ab"), "two\nlines")
    assert types(stream) == ["stream.open"]
    stream.bind(good, SOURCE)
    with pytest.raises(BindingError, match="once"):
        stream.bind(good, SOURCE)
    assert types(stream) == ["stream.open", "stream.bound"]
    stream.close()


def test_a_stream_that_was_opened_for_a_source_is_bound_to_no_other(directory, clock):
    stream = AuditStream.open(directory, source="spiffe://acme.example/other", clock=clock)
    with pytest.raises(BindingError, match="another source"):
        stream.bind(WORKLOAD.sign(stream.binding_payload()), SOURCE)
    other = AUTHORITY.issue("spiffe://acme.example/other")
    stream.bind(other.sign(stream.binding_payload()), "spiffe://acme.example/other")
    stream.close()


def test_a_checkpoint_is_written_after_so_many_records(directory, clock):
    notes = []
    stream = bound_stream(directory, WORKLOAD, clock=clock, checkpoint_every=10, anchor=notes.append)
    for _ in range(20):
        stream.record(attempt())
    seals = [number for number, name in enumerate(types(stream)) if name == "stream.checkpoint"]
    assert seals == [10, 20]
    assert [int(note.splitlines()[1]) for note in notes] == [10, 20]
    stream.close()


def test_a_checkpoint_says_how_many_records_there_were_and_their_root(directory, clock):
    stream = bound_stream(directory, WORKLOAD, clock=clock)
    note = stream.checkpoint()
    lines = stream.path.read_bytes().splitlines()
    tree = MerkleTree()
    for line in lines[:2]:
        tree.append(line)
    sealed = open_checkpoint(note, VerifierKey.parse(stream.verifier_key))
    assert (sealed.size, sealed.root) == (2, tree.root())
    assert json.loads(lines[2])["data"] == {"note": note}
    stream.close()


def test_a_checkpoint_follows_five_seconds_after_a_record(directory, clock):
    stream = bound_stream(directory, WORKLOAD, clock=clock)
    stream.tick()
    clock.forward(4.9)
    stream.tick()
    assert "stream.checkpoint" not in types(stream)
    clock.forward(0.2)
    stream.tick()
    assert types(stream)[-1] == "stream.checkpoint"
    stream.close()


def test_without_a_tick_the_next_record_brings_the_checkpoint_that_is_due(directory, clock):
    stream = bound_stream(directory, WORKLOAD, clock=clock)
    clock.forward(6)
    stream.record(attempt())
    assert types(stream)[-2:] == ["tool.attempt", "stream.checkpoint"]
    stream.close()


def test_an_idle_stream_says_every_minute_that_it_lives(directory, clock):
    stream = bound_stream(directory, WORKLOAD, clock=clock)
    for _ in range(3 * 60):
        clock.forward(1)
        stream.tick()
    assert types(stream).count("stream.checkpoint") in (3, 4)
    stream.close()


def test_a13_a_clock_that_goes_back_reorders_nothing_and_puts_no_checkpoint_off(directory, clock):
    stream = bound_stream(directory, WORKLOAD, clock=clock)
    clock.forward(-3600)
    stream.record(attempt())
    found = records(stream)
    assert [record["seq"] for record in found] == [0, 1, 2, 3]
    assert found[2]["time"] < found[1]["time"]
    assert types(stream)[-1] == "stream.checkpoint"
    stream.close()


def test_the_end_is_a_close_and_the_checkpoint_over_it_and_one_more_for_the_anchor(directory, clock):
    notes = []
    stream = bound_stream(directory, WORKLOAD, clock=clock, anchor=notes.append)
    key = VerifierKey.parse(stream.verifier_key)
    stream.close("drained")
    found = records(stream)
    assert types(stream) == ["stream.open", "stream.bound", "stream.close", "stream.checkpoint"]
    assert found[-2]["data"] == {"reason": "drained"}
    assert found[-2]["time"] == found[-1]["time"]
    assert [open_checkpoint(note, key).size for note in notes] == [3, 4]


def test_after_the_end_nothing_is_written_and_a_second_end_changes_nothing(directory, clock):
    stream = bound_stream(directory, WORKLOAD, clock=clock)
    stream.close()
    before = stream.path.read_bytes()
    stream.close()
    stream.tick()
    for write in (lambda: stream.record(attempt()), stream.checkpoint, lambda: stream.bind(None, SOURCE)):
        with pytest.raises(AuditUnwritable, match="closed"):
            write()
    assert stream.path.read_bytes() == before
    assert not stream.writable


def test_after_the_end_the_key_is_gone(directory, clock):
    stream = bound_stream(directory, WORKLOAD, clock=clock)
    key = stream._writer.chain.key
    key.seal(0, bytes(32))
    stream.close()
    with pytest.raises(ValueError, match="gone"):
        key.seal(0, bytes(32))


def test_the_next_process_names_the_stream_before_it(directory, clock):
    first = bound_stream(directory, WORKLOAD, clock=clock)
    first.record(attempt())
    first.close()
    second = opened(directory, clock)
    lines = first.path.read_bytes().splitlines()
    tree = MerkleTree()
    for line in lines:
        tree.append(line)
    assert records(second)[0]["data"]["previous"] == {
        "stream": first.stream_id,
        "opened": first.path.name.partition("-")[0],
        "size": len(lines),
        "root": base64.b64encode(tree.root()).decode(),
    }
    second.close()


def test_a_torn_record_of_the_stream_before_is_not_counted(directory, clock):
    first = opened(directory, clock)
    with first.path.open("ab") as file:
        file.write(b'{"torn')
    second = opened(directory, clock)
    assert records(second)[0]["data"]["previous"]["size"] == 1
    second.close()


def test_other_files_in_the_directory_do_not_matter(directory, clock):
    directory.mkdir(mode=0o700)
    (directory / "notes.txt").write_text("zzz")
    (directory / "zzz.jsonl").write_text("{}\n")
    stream = opened(directory, clock)
    assert "previous" not in records(stream)[0]["data"]
    stream.close()


def test_an_anchor_that_fails_stops_nothing(directory, clock):
    def broken(_note):
        raise BrokenPipeError

    stream = bound_stream(directory, WORKLOAD, clock=clock, anchor=broken)
    stream.checkpoint()
    stream.record(attempt())
    assert stream.anchor_failures == 1
    assert stream.writable
    stream.close()


def test_a_file_that_is_moved_away_or_touched_is_never_written_again(directory, clock):
    for harm in (
        lambda path: path.rename(path.with_suffix(".old")),
        lambda path: path.unlink(),
        lambda path: path.write_bytes(path.read_bytes() + b"x"),
        lambda path: os.truncate(path, 10),
    ):
        stream = bound_stream(directory, WORKLOAD, clock=clock)
        stream.tick()
        assert stream.writable
        harm(stream.path)
        stream.tick()
        assert not stream.writable
        with pytest.raises(AuditUnwritable, match="audit file was"):
            stream.record(attempt(), critical=True)


def test_strangers_take_a_tenth_of_a_file_and_are_counted_then(directory, clock):
    stream = bound_stream(directory, WORKLOAD, clock=clock, rotate_at=40_000)
    for _ in range(100):
        stream.record(AuthnDenied(reason=Reason.TOKEN_AUDIENCE, status=401))
    stream.record(AuthnDenied(reason=Reason.TOKEN_KEY, status=401, count=50))
    written = types(stream).count("authn.denied")
    assert 5 <= written <= 15
    stream.record(attempt())
    assert types(stream)[-1] == "tool.attempt"
    stream.checkpoint()
    uncounted = records(stream)[-1]["data"]["uncounted"]
    assert uncounted == {"token.audience": 100 - written, "token.key": 50}
    stream.checkpoint()
    assert "uncounted" not in records(stream)[-1]["data"]
    stream.close()


def test_a_known_caller_is_no_stranger(directory, clock):
    stream = bound_stream(directory, WORKLOAD, clock=clock, rotate_at=10_000)
    for _ in range(50):
        stream.record(AuthnDenied(reason=Reason.TOKEN_DENIED, status=401, subject="00u"))
    assert types(stream).count("authn.denied") == 50
    stream.close()


def test_an_interrupt_in_the_middle_of_a_record_leaves_no_gap(directory, clock):
    stream = bound_stream(directory, WORKLOAD, clock=clock)
    chain = stream._writer.chain
    chain.file.append(b"written, but the chain never heard of it\n")
    with pytest.raises(AuditUnwritable, match="interrupted"):
        stream.record(attempt())
    assert not stream.writable


def test_the_anchors_are_in_order_and_every_one_can_be_opened(directory):
    notes = []
    clock = Clock(step=SECOND)
    stream = bound_stream(directory, WORKLOAD, clock=clock, checkpoint_every=3, anchor=notes.append)
    for _ in range(10):
        stream.record(attempt())
    key = VerifierKey.parse(stream.verifier_key)
    stream.close()
    sizes = [open_checkpoint(note, key).size for note in notes]
    assert sizes == sorted(set(sizes))
