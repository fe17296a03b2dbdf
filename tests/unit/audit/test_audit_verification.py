"""Verification: what is intact, tampered with or undecided, and which record is to blame."""

import base64
import hashlib
import json

import pytest
from audit_world import SECOND, SOURCE, Authority, Clock, attempt, bound_stream, outcome, seeded_key

from launchworthy.audit import BindingProof
from launchworthy.audit.anchors import anchor_line, read_anchors
from launchworthy.audit.binding import binding_payload
from launchworthy.audit.canonical import canonical
from launchworthy.audit.checkpoint import VerifierKey
from launchworthy.audit.events import ServerReady, ServerRefused, ServerStarting
from launchworthy.audit.merkle import MerkleTree
from launchworthy.audit.reading import UsualLine
from launchworthy.audit.stream import AuditStream
from launchworthy.audit.verification import State, Trust, verify_paths
from launchworthy.vocabulary import ProblemError

AUTHORITY = Authority()
WORKLOAD = AUTHORITY.issue()


@pytest.fixture
def directory(tmp_path):
    return tmp_path / "audit"


@pytest.fixture
def trust(tmp_path):
    return AUTHORITY.write_bundle(tmp_path / "trust")


@pytest.fixture
def clock():
    return Clock()


def filled(directory, clock, calls=5, **more):
    stream = bound_stream(directory, WORKLOAD, clock=clock, **more)
    stream.record(ServerReady(resource="https://orders.acme.example/mcp"))
    for number in range(calls):
        stream.record(attempt(str(number)))
        stream.record(outcome(str(number)), critical=True)
    return stream


def verified(*paths, **more):
    return verify_paths(paths, **{"require_sealed": False, **more})


def lines_of(path):
    return path.read_bytes().splitlines()


def write(path, lines):
    path.write_bytes(b"".join(line + b"\n" for line in lines))


def edited(line, **data):
    record = json.loads(line)
    record["data"].update(data)
    return canonical(record)


def rechained(lines):
    """What an attacker without the key can do: number all lines anew and link them."""
    stream = json.loads(lines[0])["stream"]
    prev = hashlib.sha256(f"launchworthy-audit/1\n{stream}".encode()).hexdigest()
    chained = []
    for seq, line in enumerate(lines):
        record = {**json.loads(line), "seq": seq, "id": f"{stream}/{seq}", "prev": prev}
        chained.append(canonical(record))
        prev = hashlib.sha256(chained[-1]).hexdigest()
    return chained


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


def test_a_removed_record_is_missing(directory, clock, trust):
    stream = filled(directory, clock)
    stream.close()
    lines = lines_of(stream.path)
    del lines[6]
    write(stream.path, lines)
    [only] = verified(directory, trust_directory=trust).streams
    assert str(only.damage) == "record 6: a record is missing here"


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


def test_a_refused_start_is_believed_on_the_word_of_the_next(directory, clock, trust):
    for _ in range(2):
        stream = AuditStream.open(directory, source=None, clock=clock)
        stream.record(ServerRefused(stage="identity", reason="no-identity"))
        stream.close()
    filled(directory, clock).close()
    found = verified(directory, trust_directory=trust)
    assert [stream.trust for stream in found.streams] == [Trust.LINKED, Trust.LINKED, Trust.BOUND]
    assert found.state is State.INTACT_SEALED


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
    import asyncio

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
    import asyncio

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


def test_a_clock_that_went_back_is_no_tampering(directory, clock, trust):
    stream = filled(directory, clock)
    clock.forward(-60)
    stream.record(attempt("LATER"))
    stream.close()
    assert verified(directory, trust_directory=trust).state is State.INTACT_SEALED


def test_archived_roots_verify_what_is_long_ago(directory, clock, tmp_path):
    filled(directory, clock).close()
    trust = tmp_path / "trust" / "acme.example"
    now = Authority(at=clock.now + 400 * 24 * 3600 * SECOND)
    AUTHORITY.write_bundle(trust)
    now.write_bundle(tmp_path / "new")
    (tmp_path / "new" / "acme.example.pem").rename(trust / "acme-2027.pem")
    assert verified(directory, trust_directory=tmp_path / "trust").state is State.INTACT_SEALED


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


# ---------------------------------------------------------------- streams that nobody has ever written


def made_up(directory, *records, seed=9):
    """A stream that an attacker with a key of their own has made: an opening, and what is given."""
    key = seeded_key(seed)
    opening = {
        "data": {"format": "launchworthy-audit/1", "key": str(key.verifier)},
        "source": key.verifier.name,
        "type": "launchworthy.stream.open.v1",
    }
    known = {
        "specversion": "1.0",
        "time": "2026-11-20T02:00:00.000000Z",
        "stream": key.stream,
        "source": SOURCE,
    }
    lines = [canonical({**known, **record}) for record in (opening, *records)]
    directory.mkdir(exist_ok=True)
    path = directory / "made-up.jsonl"
    write(path, rechained(lines))
    return path, key


def test_what_was_made_up_in_the_right_form_is_only_undecided(directory):
    path, key = made_up(directory)
    assert verified(path).state is State.UNDECIDED
    assert verified(path, pinned_keys=[str(key.verifier)]).state is State.INTACT_OPEN


def test_another_pinned_key_pins_nothing(directory):
    path, _ = made_up(directory)
    assert verified(path, pinned_keys=[str(seeded_key(10).verifier)]).state is State.UNDECIDED


def test_a_key_cannot_take_the_name_of_another_stream(directory):
    own, other = seeded_key(9), seeded_key(10)
    stolen = VerifierKey(name=other.verifier.name, public_key=own.verifier.public_key)
    path, _ = made_up(directory)
    line = json.loads(lines_of(path)[0])
    line["data"]["key"], line["source"] = str(stolen), other.verifier.name
    write(path, rechained([canonical(line)]))
    [only] = verified(path).streams
    assert "not named by its key" in str(only.damage)


def test_a_stream_begins_with_its_opening_and_has_no_other(directory):
    path, key = made_up(directory)
    [opening] = lines_of(path)
    renamed = {**json.loads(opening), "type": "launchworthy.server.starting.v1"}
    write(path, rechained([canonical(renamed)]))
    assert "does not open" in str(verified(path).streams[0].damage)
    write(path, rechained([opening, opening]))
    assert str(verified(path).streams[0].damage) == "record 1: a stream is opened once"
    write(path, [opening])
    assert verified(path, pinned_keys=[str(key.verifier)]).state is State.INTACT_OPEN


def bound(proof, size, root):
    return {
        "type": "launchworthy.stream.bound.v1",
        "data": {
            "kind": proof.kind,
            "size": size,
            "root": root,
            "algorithm": proof.algorithm,
            "signature": proof.signature,
            "chain": list(proof.chain),
            "bundle": list(proof.bundle),
            **({"token": proof.token} if proof.token else {}),
        },
    }


def test_a_binding_is_about_the_beginning_of_this_very_stream(directory, trust):
    path, key = made_up(directory)
    tree = MerkleTree()
    empty = base64.b64encode(tree.root()).decode()
    tree.append(lines_of(path)[0])
    right = base64.b64encode(tree.root()).decode()
    wrong = base64.b64encode(bytes(32)).decode()

    def state(size, root):
        proof = WORKLOAD.sign(binding_payload(key.stream, str(key.verifier), size, root))
        made_up(directory, bound(proof, size, root))
        return verified(path, trust_directory=trust).streams[0]

    assert state(0, empty).state is State.INTACT_OPEN
    assert state(1, right).state is State.INTACT_OPEN
    for size, root in ((1, wrong), (0, right), (1, empty), (2, right), (99, right)):
        assert "another beginning" in str(state(size, root).damage)


def test_a_token_leaves_it_undecided_and_binds_to_an_identity_only(directory, trust):
    tree = MerkleTree()
    root = base64.b64encode(tree.root()).decode()
    token = BindingProof(kind="token", chain=(), bundle=(), signature="", algorithm="none", token="ab" * 32)
    path, key = made_up(directory, bound(token, 0, root))
    found = verified(path, trust_directory=trust)
    assert (found.state, found.streams[0].source) == (State.UNDECIDED, SOURCE)
    made_up(directory, {**bound(token, 0, root), "source": key.verifier.name})
    assert "to an identity" in str(verified(path, trust_directory=trust).streams[0].damage)


@pytest.mark.parametrize(
    "harm",
    [
        {"chain": "x"},
        {"chain": [1]},
        {"bundle": None},
        {"size": -1},
        {"size": True},
        {"size": "1"},
        {"kind": "other"},
        {"kind": 5},
        {"root": None},
        {"signature": {}},
        {"token": 5},
    ],
    ids=str,
)
def test_a_binding_in_another_form_is_tampering_and_never_an_error(directory, harm):
    root = base64.b64encode(MerkleTree().root()).decode()
    record = bound(WORKLOAD.sign(b""), 0, root)
    record["data"].update(harm)
    path, _ = made_up(directory, record)
    assert verified(path).streams[0].damage.record == 1


@pytest.mark.parametrize("note", [None, 5, "", "x", "a\n1\nb\n\n\u2014 a AAAAAAAA\n"])
def test_a_checkpoint_in_another_form_is_tampering_and_never_an_error(directory, note):
    path, key = made_up(
        directory,
        {
            "type": "launchworthy.stream.checkpoint.v1",
            "source": seeded_key(9).verifier.name,
            "data": {"note": note},
        },
    )
    assert verified(path, pinned_keys=[str(key.verifier)]).streams[0].damage.record == 1


@pytest.mark.parametrize("link", [5, {}, {"stream": 1, "opened": "", "size": 0, "root": ""}], ids=str)
def test_a_link_in_another_form_is_tampering_and_never_an_error(directory, link):
    path, _ = made_up(directory)
    line = json.loads(lines_of(path)[0])
    line["data"]["previous"] = link
    write(path, rechained([canonical(line)]))
    assert verified(path).streams[0].damage.record == 0


def test_a_stream_that_nobody_believes_cannot_make_others_missing(directory, clock, trust):
    filled(directory, clock).close()
    path, _ = made_up(directory)
    line = json.loads(lines_of(path)[0])
    line["data"]["previous"] = {
        "stream": "ab" * 16,
        "opened": "20991120T020000001000Z",
        "size": 1,
        "root": "r",
    }
    write(path, rechained([canonical(line)]))
    found = verified(directory, trust_directory=trust)
    assert (found.holes, found.missing) == ((), ())
    assert {stream.state for stream in found.streams} == {State.INTACT_SEALED, State.UNDECIDED}


def test_the_quick_reader_takes_no_subject_in_another_form(directory, clock):
    stream = bound_stream(directory, WORKLOAD, clock=clock)
    stream.record(attempt(), subject="order/1042")
    line = lines_of(stream.path)[2]
    prev = hashlib.sha256(lines_of(stream.path)[1]).hexdigest()
    quick = UsualLine(stream.stream_id, SOURCE)
    assert quick.parse(line, 2, prev) is not None
    assert quick.parse(line.replace(b"order/1042", b"\\u006frder/1042"), 2, prev) is None
    assert quick.parse(line.replace(b'"order/1042"', b'""'), 2, prev) is None
    stream.close()
