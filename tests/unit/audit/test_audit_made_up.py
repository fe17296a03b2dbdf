"""Streams that nobody has ever written: forged, malformed, in the name of others."""

import base64
import hashlib
import json

import pytest
from audit_files import AUTHORITY, WORKLOAD, bound, filled, lines_of, made_up, rechained, verified, write
from audit_world import SOURCE, Clock, attempt, bound_stream, seeded_key

from launchworthy.audit import BindingProof
from launchworthy.audit.binding import binding_payload
from launchworthy.audit.canonical import canonical
from launchworthy.audit.checkpoint import VerifierKey
from launchworthy.audit.merkle import MerkleTree
from launchworthy.audit.reading import UsualLine
from launchworthy.audit.verification import State


@pytest.fixture
def directory(tmp_path):
    return tmp_path / "audit"


@pytest.fixture
def trust(tmp_path):
    return AUTHORITY.write_bundle(tmp_path / "trust")


@pytest.fixture
def clock():
    return Clock()


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
