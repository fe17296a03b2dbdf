"""Signed notes and checkpoints: the specifications' own vectors, and nothing that only looks like one."""

import base64

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from launchworthy.audit.checkpoint import (
    Checkpoint,
    CheckpointError,
    VerifierKey,
    open_checkpoint,
    open_note,
    sign_checkpoint,
    sign_note,
)

# c2sp.org/signed-note, "Verifier keys", the example
SPEC_KEY = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k"
SPEC_NOTE = (
    "This is an example message.\n"
    "\n"
    "— example.com/foo "
    "Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n"
)
# golang.org/x/mod/sumdb/note, the example of its documentation; Ed25519 is deterministic
GO_KEY = "PeterNeumann+c74f20a3" + "+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
GO_SEED = base64.b64decode("AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz")[1:]
GO_TEXT = (
    "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n"
)
GO_NOTE = (
    GO_TEXT + "\n— PeterNeumann "
    "x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n"
)

ORIGIN = "example.com/log"
SIGNER = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
KEY = VerifierKey(name=ORIGIN, public_key=SIGNER.public_key().public_bytes_raw())
CHECKPOINT = Checkpoint(origin=ORIGIN, size=20852163, root=bytes(32))


def test_the_note_of_the_specification_verifies():
    assert open_note(SPEC_NOTE, VerifierKey.parse(SPEC_KEY)) == "This is an example message.\n"


def test_the_note_of_go_comes_out_byte_for_byte():
    assert sign_note(GO_TEXT, "PeterNeumann", Ed25519PrivateKey.from_private_bytes(GO_SEED)) == GO_NOTE
    assert open_note(GO_NOTE, VerifierKey.parse(GO_KEY)) == GO_TEXT


@pytest.mark.parametrize("text", [SPEC_KEY, GO_KEY])
def test_a_verifier_key_is_written_as_it_was_read(text):
    assert str(VerifierKey.parse(text)) == text


@pytest.mark.parametrize(
    "text",
    [
        "",
        "example.com/foo",
        "example.com/foo+530d903a",
        "+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k",
        SPEC_KEY.replace("530d903a", "530d903b"),
        SPEC_KEY.replace("530d903a", "530D903A"),
        SPEC_KEY.replace("example.com/foo", "example.com/bar"),
        SPEC_KEY.replace("example.com/foo", "example.com foo"),
        SPEC_KEY.replace("+Aeky", "+Aeky "),
        SPEC_KEY[:-4],
        SPEC_KEY + "AAAA",
        "example.com/foo+530d903a+" + base64.b64encode(b"\x02" + bytes(32)).decode(),
    ],
)
def test_a_key_that_does_not_fit_its_own_id_is_refused(text):
    with pytest.raises(CheckpointError):
        VerifierKey.parse(text)


@pytest.mark.parametrize(
    "note",
    [
        SPEC_NOTE.replace("example message", "exbmple message"),
        SPEC_NOTE.replace("Uw2QOkn8", "Uw2QOkn9"),
        SPEC_NOTE.replace("Uw2Q", "Vw2Q"),
        SPEC_NOTE.replace("yaQM=", "yaQN="),
        SPEC_NOTE.replace("yaQM=", "yaQM"),
        SPEC_NOTE[:-1],
        SPEC_NOTE.replace("\n\n", "\n"),
        SPEC_NOTE.replace("—", "-"),
        SPEC_NOTE.replace("This", "Th\x07s"),
        SPEC_NOTE.replace("message.\n", "message.\r\n"),
        SPEC_NOTE + "junk\n",
        SPEC_NOTE.replace("example.com/foo U", "example.com/foo  U"),
        SPEC_NOTE.replace("example.com/foo U", "example.com/fu U"),
        "",
        "\n\n",
        "text\n\n",
        SPEC_NOTE.replace("— ", "— junk AAAAAAAA\n— ") + "— junk AAAAAAAA\n" * 40,
        "x" * 70_000 + SPEC_NOTE,
    ],
    ids=range(18),
)
def test_a_note_that_was_touched_is_refused(note):
    with pytest.raises(CheckpointError):
        open_note(note, VerifierKey.parse(SPEC_KEY))


def test_signatures_of_strangers_are_ignored():
    more = SPEC_NOTE + "— example.org/witness AAAAAAAA\n" * 15
    assert open_note(more, VerifierKey.parse(SPEC_KEY)) == "This is an example message.\n"


def test_one_wrong_signature_of_the_key_spoils_the_note():
    wrong = sign_note("other\n", ORIGIN, SIGNER).splitlines()[-1]
    with pytest.raises(CheckpointError, match="does not verify"):
        open_note(sign_note("text\n", ORIGIN, SIGNER) + wrong + "\n", KEY)


def test_another_key_of_the_same_name_does_not_count():
    other = Ed25519PrivateKey.from_private_bytes(bytes(32))
    with pytest.raises(CheckpointError, match="not signed by the expected key"):
        open_note(sign_note("text\n", ORIGIN, other), KEY)


@pytest.mark.parametrize("text", ["", "no end", "bell\x07\n", "tab\t\n"])
def test_no_text_is_signed_that_no_note_can_hold(text):
    with pytest.raises(CheckpointError):
        sign_note(text, ORIGIN, SIGNER)


@pytest.mark.parametrize("name", ["", "a b", "a+b", "a\u2003b"])
def test_no_name_is_used_that_no_key_can_have(name):
    with pytest.raises(CheckpointError):
        sign_note("text\n", name, SIGNER)


def test_a_checkpoint_is_what_was_signed():
    note = sign_checkpoint(CHECKPOINT, SIGNER)
    assert note.startswith(
        "example.com/log\n20852163\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n\n— example.com/log "
    )
    assert open_checkpoint(note, KEY) == CHECKPOINT


def test_an_empty_log_has_the_size_zero():
    empty = Checkpoint(origin=ORIGIN, size=0, root=bytes(32))
    assert open_checkpoint(sign_checkpoint(empty, SIGNER), KEY) == empty


@pytest.mark.parametrize(
    "text",
    [
        "example.com/log\n1\n",
        "example.com/log\n1\nAAAA\n",
        "example.com/log\n01\n" + base64.b64encode(bytes(32)).decode() + "\n",
        "example.com/log\n+1\n" + base64.b64encode(bytes(32)).decode() + "\n",
        "example.com/log\n\uff11\n" + base64.b64encode(bytes(32)).decode() + "\n",
        "example.com/log\n1_0\n" + base64.b64encode(bytes(32)).decode() + "\n",
        "example.com/log\n" + "9" * 16 + "\n" + base64.b64encode(bytes(32)).decode() + "\n",
        "example.com/log\n1\n" + base64.b64encode(bytes(32)).decode() + "\nan extension\n",
        "\n1\n" + base64.b64encode(bytes(32)).decode() + "\n",
        "example.org/other\n1\n" + base64.b64encode(bytes(32)).decode() + "\n",
    ],
    ids=range(10),
)
def test_what_is_signed_but_is_no_checkpoint_of_this_log_is_refused(text):
    with pytest.raises(CheckpointError):
        open_checkpoint(sign_note(text, ORIGIN, SIGNER), KEY)
