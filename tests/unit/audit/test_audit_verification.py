"""Verification: what is intact, tampered with or undecided, and which record is to blame."""

import json

import pytest
from audit_files import AUTHORITY, edited, filled, lines_of, rechained, verified, write
from audit_world import SOURCE, Authority, Clock, attempt

from launchworthy.audit.canonical import canonical
from launchworthy.audit.events import ServerReady, ServerRefused, ServerStarting
from launchworthy.audit.reading import LineError, parse_record
from launchworthy.audit.stream import AuditStream
from launchworthy.audit.verification import State, Trust
from launchworthy.vocabulary import ProblemError


@pytest.fixture
def directory(tmp_path):
    return tmp_path / "audit"


@pytest.fixture
def trust(tmp_path):
    return AUTHORITY.write_bundle(tmp_path / "trust")


@pytest.fixture
def clock():
    return Clock()


def test_a_closed_stream_of_a_known_workload_is_intact_and_sealed(directory, clock, trust):
    stream = filled(directory, clock)
    stream.close()
    found = verified(directory, trust_directory=trust, require_sealed=True)
    [only] = found.streams
    assert (found.state, found.exit_code) == (State.INTACT_SEALED, 0)
    assert (only.trust, only.source, only.served, only.records) == (Trust.BOUND, SOURCE, True, 15)
    assert (only.sealed_to, only.unsealed, only.torn, only.checkpoints) == (14, 0, 0, 1)
    assert found.unknown_outcomes == ()
    assert found.lines()[0] == "intact, sealed   1 streams, 15 records, 1 checkpoints"


def test_a_stream_that_still_runs_is_intact_and_open(directory, clock, trust):
    stream = filled(directory, clock, checkpoint_every=10)
    found = verified(directory, trust_directory=trust)
    [only] = found.streams
    assert (found.state, found.exit_code) == (State.INTACT_OPEN, 0)
    assert (only.records, only.sealed_to, only.unsealed) == (14, 10, 3)
    assert only.summary() == "intact, not closed: 3 records unsealed"
    assert verified(directory, trust_directory=trust, require_sealed=True).exit_code == 1
    stream.close()


def test_a_torn_record_is_what_a_crash_leaves(directory, clock, trust):
    stream = filled(directory, clock)
    with stream.path.open("ab") as file:
        file.write(b'{"data":{"call')
    [only] = verified(directory, trust_directory=trust).streams
    assert (only.state, only.torn, only.records) == (State.INTACT_OPEN, 14, 13)
    assert only.summary().endswith("14 bytes torn")


def test_without_roots_or_a_pinned_key_nothing_is_decided(directory, clock):
    stream = filled(directory, clock)
    stream.close()
    found = verified(directory)
    assert (found.state, found.exit_code) == (State.UNDECIDED, 2)
    assert "no roots" in found.streams[0].doubt
    pinned = verified(directory, pinned_keys=[stream.verifier_key])
    assert (pinned.state, pinned.streams[0].trust) == (State.INTACT_SEALED, Trust.PINNED)


def test_another_authority_decides_nothing(directory, clock, tmp_path):
    filled(directory, clock).close()
    other = Authority().write_bundle(tmp_path / "other")
    foreign = Authority("other.example").write_bundle(tmp_path / "foreign")
    for trust in (other, foreign):
        assert verified(directory, trust_directory=trust).state is State.UNDECIDED


def test_only_identities_that_were_asked_for_count(directory, clock, trust):
    filled(directory, clock).close()
    asked = frozenset({SOURCE})
    assert verified(directory, trust_directory=trust, sources=asked).state is State.INTACT_SEALED
    other = verified(directory, trust_directory=trust, sources=frozenset({"spiffe://acme.example/other"}))
    assert other.state is State.UNDECIDED
    assert SOURCE in other.streams[0].doubt


@pytest.mark.parametrize("number", [0, 1, 2, 5, 11, 12, 13, 14])
def test_one_byte_changed_names_its_record(directory, clock, trust, number):
    stream = filled(directory, clock)
    stream.close()
    lines = lines_of(stream.path)
    lines[number] = lines[number].replace(b"02:00:00.0", b"02:00:00.1", 1)
    write(stream.path, lines)
    found = verified(directory, trust_directory=trust)
    assert (found.state, found.exit_code) == (State.TAMPERED, 1)
    assert found.streams[0].damage.record == number


@pytest.mark.parametrize("data", [{"subject": "mallory"}, {"arguments": {}}, {"call": "x"}], ids=str)
def test_an_edit_is_found_with_and_without_a_new_chain(directory, clock, trust, data):
    stream = filled(directory, clock)
    stream.close()
    lines = lines_of(stream.path)
    lines[5] = edited(lines[5], **data)
    write(stream.path, lines)
    [only] = verified(directory, trust_directory=trust).streams
    assert only.damage.record == 5
    write(stream.path, rechained(lines))
    [only] = verified(directory, trust_directory=trust).streams
    assert (only.damage.record, only.damage.until) == (0, 13)
    assert "has signed" in str(only.damage)


@pytest.mark.parametrize(
    "harm",
    [
        lambda lines: [*lines[:4], lines[5], lines[4], *lines[6:]],
        lambda lines: [*lines[:4], lines[3], *lines[4:]],
        lambda lines: [lines[0], *lines],
        lambda lines: [*lines, lines[-1]],
        lambda lines: [*lines, b"{}"],
        lambda lines: [*lines, b""],
        lambda lines: lines[:-1],
        lambda lines: [line for line in lines if b"stream.checkpoint" not in line],
        lambda lines: [line.replace(b'":"', b'": "', 1) for line in lines],
        lambda lines: [line + b"\r" for line in lines],
        lambda lines: [line.replace(b"tool.attempt.v1", b"tool.attempt.v2") for line in lines],
        lambda lines: [line.replace(b"refund_order", b"refund\\u005forder") for line in lines],
        lambda lines: lines[1:],
        lambda lines: lines[::-1],
    ],
    ids=[
        "swapped",
        "doubled",
        "opened twice",
        "sealed twice",
        "more after the end",
        "an empty line",
        "unsealed",
        "checkpoints stripped",
        "spaces",
        "CRLF",
        "another version",
        "other escapes",
        "beheaded",
        "reversed",
    ],
)
@pytest.mark.parametrize("chained", [False, True])
def test_a_closed_file_that_was_touched_is_never_intact(directory, clock, trust, harm, chained):
    stream = filled(directory, clock)
    stream.close()
    before = lines_of(stream.path)
    lines = harm(before)
    if chained and all(b'"stream"' in line for line in lines):
        lines = rechained(lines)
    write(stream.path, lines)
    undone = lines == before  # writing and chaining anew has healed what was only written in another way
    expected = State.INTACT_SEALED if undone else State.TAMPERED
    assert verified(directory, trust_directory=trust).state is expected


def test_bytes_after_the_end_are_found_even_without_a_newline(directory, clock, trust):
    stream = filled(directory, clock)
    stream.close()
    with stream.path.open("ab") as file:
        file.write(b"x")
    assert verified(directory, trust_directory=trust).state is State.TAMPERED


def test_a_record_of_another_stream_of_the_same_workload_does_not_fit(directory, clock, trust, tmp_path):
    first, second = filled(directory, clock), filled(tmp_path / "other", clock)
    first.close()
    second.close()
    lines = lines_of(first.path)
    lines[5] = lines_of(second.path)[5]
    write(first.path, lines)
    [only] = verified(directory, trust_directory=trust).streams
    assert str(only.damage) == "record 5: a record of another stream"


def test_a_stream_that_served_without_an_identity_is_tampered(directory, clock):
    for event in (ServerReady(), attempt()):
        stream = AuditStream.open(directory, source=None, clock=clock)
        stream.record(event)
        stream.close()
        found = verified(stream.path, pinned_keys=[stream.verifier_key])
        assert found.state is State.TAMPERED
        assert "bound to no identity" in str(found.streams[0].damage)


def test_a_start_that_was_refused_is_no_tampering_and_says_so(directory, clock):
    stream = AuditStream.open(directory, source=None, clock=clock)
    stream.record(ServerStarting(environment="production", version="0.1.0"))
    stream.record(ServerRefused(stage="identity", reason="no-identity", exit_code=75))
    stream.close()
    found = verified(directory)
    assert (found.state, found.streams[0].notes) == (State.UNDECIDED, ("it never became ready",))
    assert verified(directory, pinned_keys=[stream.verifier_key]).state is State.INTACT_SEALED


def test_a_stolen_or_forged_binding_is_tampering(directory, clock, trust, tmp_path):
    victim = filled(tmp_path / "victim", clock)
    victim.close()
    proof = json.loads(lines_of(victim.path)[1])
    forged = AuditStream.open(directory, source=None, clock=clock)
    forged.close()
    lines = lines_of(forged.path)
    bound = {**proof, "stream": forged.stream_id}
    write(forged.path, rechained([lines[0], canonical(bound), *lines[1:]]))
    found = verified(directory, trust_directory=trust)
    assert found.streams[0].damage.record == 1
    assert found.state is State.TAMPERED


def test_a_stream_is_bound_once(directory, clock, trust):
    stream = filled(directory, clock)
    stream.close()
    lines = lines_of(stream.path)
    write(stream.path, rechained([*lines[:2], lines[1], *lines[2:]]))
    [only] = verified(directory, trust_directory=trust).streams
    assert "bound once" in str(only.damage)


def test_a_file_under_the_name_of_another_stream_is_found(directory, clock, trust):
    first, second = filled(directory, clock), filled(directory, clock)
    first.close()
    second.close()
    first.path.replace(second.path)
    found = verified(directory, trust_directory=trust)
    assert "name of another stream" in str(found.streams[0].damage)


def test_a_second_file_of_a_stream_is_found(directory, clock, trust):
    stream = filled(directory, clock)
    stream.close()
    (directory / "copy.jsonl").write_bytes(b"\n".join(lines_of(stream.path)[:5]) + b"\n")
    assert verified(directory, trust_directory=trust).state is State.TAMPERED
    assert verified(stream.path, stream.path, trust_directory=trust).state is State.INTACT_SEALED


def test_too_many_records_without_a_checkpoint_are_found_by_the_verifiers_own_limit(directory, clock, trust):
    stream = filled(directory, clock, calls=20)
    assert verified(directory, trust_directory=trust, max_gap=43).state is State.INTACT_OPEN
    [only] = verified(directory, trust_directory=trust, max_gap=42).streams
    assert "without a checkpoint" in str(only.damage)
    stream.close()
    assert verified(directory, trust_directory=trust, max_gap=43).state is State.TAMPERED
    assert verified(directory, trust_directory=trust, max_gap=44).state is State.INTACT_SEALED


def test_a_clock_that_went_back_is_no_tampering(directory, clock, trust):
    stream = filled(directory, clock)
    clock.forward(-60)
    stream.record(attempt("LATER"))
    stream.close()
    assert verified(directory, trust_directory=trust).state is State.INTACT_SEALED


def test_an_empty_file_proves_nothing(directory, clock, trust):
    stream = filled(directory, clock)
    stream.close()
    stream.path.write_bytes(b"")
    found = verified(directory, trust_directory=trust)
    assert (found.state, found.streams[0].doubt) == (State.UNDECIDED, "it holds no whole record")


def test_a_directory_without_streams_proves_nothing(tmp_path):
    found = verified(tmp_path)
    assert (found.state, found.exit_code) == (State.UNDECIDED, 2)


@pytest.mark.parametrize(
    "content",
    [
        b"\n",
        b"{}\n",
        b"[]\n",
        b"null\n",
        b"\x00" * 100 + b"\n",
        b"\xff\xfe\n",
        b'{"seq":0}\n' * 3,
        b"x" * 3_000_000 + b"\n",
        b"[" * 200_000 + b"\n",
    ],
    ids=range(9),
)
def test_garbage_is_no_stream_and_never_an_error(tmp_path, content):
    (tmp_path / "a.jsonl").write_bytes(content)
    assert verified(tmp_path).exit_code != 0


def test_what_cannot_be_used_is_said(tmp_path):
    with pytest.raises(ProblemError, match="audit-file-unreadable"):
        verified(tmp_path / "nowhere")
    with pytest.raises(ProblemError, match="bad-pinned-key"):
        verified(tmp_path, pinned_keys=["nonsense"])
    with pytest.raises(ProblemError, match="bad-trust-directory"):
        verified(tmp_path, trust_directory=tmp_path / "nowhere")
    (tmp_path / "acme.example.pem").write_text("nonsense")
    with pytest.raises(ProblemError, match="bad-trust-directory"):
        verified(tmp_path, trust_directory=tmp_path)
    (tmp_path / "acme.example.pem").unlink()
    with pytest.raises(ProblemError, match="bad-trust-directory"):
        verified(tmp_path, trust_directory=tmp_path)


@pytest.mark.parametrize(
    "harm",
    [
        lambda record: record["data"].update(uncounted={"token.key": 5}),
        lambda record: record["data"].update(more="said"),
        lambda record: record.update(subject="order/1"),
        lambda record: record.update(time="2026-11-20T02:00:00.999999Z"),
        lambda record: record["data"].update(
            note=record["data"]["note"] + "— example.org/witness AAAAAAAA\n"
        ),
    ],
    ids=["counts", "more data", "a subject", "a time", "a signature"],
)
def test_not_even_the_last_line_of_a_closed_file_can_be_made_to_say_more(directory, clock, trust, harm):
    stream = filled(directory, clock)
    stream.close()
    lines = lines_of(stream.path)
    record = json.loads(lines[-1])
    harm(record)
    write(stream.path, [*lines[:-1], canonical(record)])
    [only] = verified(directory, trust_directory=trust).streams
    assert only.damage.record == 14


@pytest.mark.parametrize(
    "time",
    ["2026-02-30T02:00:00.000000Z", "0000-01-01T02:00:00.000000Z", "2026-99-99T02:00:00.000000Z",
     "2026-11-20T24:00:00.000000Z", "2026-11-20T02:60:00.000000Z", "2026-11-20T02:00:99.000000Z"],
)  # fmt: skip
def test_an_instant_that_no_clock_shows_is_damage_and_no_accident(directory, clock, trust, time):
    stream = filled(directory, clock)
    stream.close()
    lines = lines_of(stream.path)
    record = json.loads(lines[5]) | {"time": time}
    write(stream.path, rechained([*lines[:5], canonical(record), *lines[6:]]))
    [only] = verified(directory, trust_directory=trust).streams
    assert only.damage.record == 5
    with pytest.raises(LineError):
        parse_record(lines_of(stream.path)[5])
