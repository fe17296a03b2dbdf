"""Who says that a stream had this size and this root? C2SP signed notes and tlog checkpoints, Ed25519.

A note is text that ends in a newline, an empty line, and signature lines
`— <name> <base64(key id ‖ signature)>` (c2sp.org/signed-note). A checkpoint is a note of three lines: origin,
size, base64 root (c2sp.org/tlog-checkpoint). Extension lines are not used here and refused: no log monitor
could audit them.
"""

import base64
import binascii
import re
from dataclasses import dataclass
from hashlib import sha256
from typing import Self

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

_ED25519 = b"\x01"
_KEY_BYTES = 32
_ROOT_BYTES = 32
_KEY_ID_BYTES = 4
_SIZE = re.compile(r"0|[1-9][0-9]{0,14}")
_MAX_SIGNATURES = 32
"""c2sp.org/signed-note: at least 16 must be accepted, and a limit should exist."""
_MAX_NOTE = 64 * 1024


class CheckpointError(ValueError):
    """A note, a checkpoint or a verifier key is malformed, or its signature does not verify."""


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifierKey:
    """A named Ed25519 public key, written `<name>+<key id>+<base64(0x01 ‖ key)>`.

    Attributes:
        name: without spaces and plus signs.
        public_key: 32 bytes (RFC 8032).
    """

    name: str
    public_key: bytes

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read a verifier key.

        Raises:
            CheckpointError: malformed, of another algorithm, or the key id does not fit.
        """
        name, plus, rest = text.partition("+")
        key_id, plus_again, encoded = rest.partition("+")
        if not _is_name(name) or not plus or not plus_again:
            raise CheckpointError("a verifier key is `<name>+<key id>+<base64>`")
        raw = _unbase64(encoded)
        if raw[:1] != _ED25519 or len(raw) != 1 + _KEY_BYTES:
            raise CheckpointError("a verifier key must be of Ed25519")
        key = cls(name=name, public_key=raw[1:])
        if key.key_id.hex() != key_id:
            raise CheckpointError("the key id of a verifier key does not fit its key")
        return key

    @property
    def key_id(self) -> bytes:
        """The first four bytes of SHA-256(name ‖ 0x0A ‖ 0x01 ‖ key)."""
        return sha256(self.name.encode() + b"\n" + _ED25519 + self.public_key).digest()[:_KEY_ID_BYTES]

    def __str__(self) -> str:
        """The text that `parse` reads."""
        return f"{self.name}+{self.key_id.hex()}+{_base64(_ED25519 + self.public_key)}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkpoint:
    """A log of this origin had this size and this root.

    Attributes:
        origin: the log's own name, which is also the name of its key.
        size: number of leaves.
        root: 32 bytes.
    """

    origin: str
    size: int
    root: bytes

    @property
    def text(self) -> str:
        """The three lines that are signed."""
        return f"{self.origin}\n{self.size}\n{_base64(self.root)}\n"

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read the three lines.

        Raises:
            CheckpointError: they are not exactly an origin, a size and a root.
        """
        origin, _, rest = text.partition("\n")
        size, _, rest = rest.partition("\n")
        root, end, more = rest.partition("\n")
        if not origin or not end or more:
            raise CheckpointError("a checkpoint has three lines: origin, size and root")
        if _SIZE.fullmatch(size) is None:
            raise CheckpointError("the size of a checkpoint must be a decimal number")
        raw = _unbase64(root)
        if len(raw) != _ROOT_BYTES:
            raise CheckpointError("the root of a checkpoint must be 32 bytes")
        return cls(origin=origin, size=int(size), root=raw)


def sign_note(text: str, name: str, key: Ed25519PrivateKey) -> str:
    """Sign a text.

    Raises:
        CheckpointError: the text does not end in a newline or holds other control characters, or the
            name holds a space or a plus sign.
    """
    if not text.endswith("\n") or _has_control(text) or not _is_name(name):
        raise CheckpointError("a note is text without control characters that ends in a newline")
    signer = VerifierKey(name=name, public_key=key.public_key().public_bytes_raw())
    return f"{text}\n— {name} {_base64(signer.key_id + key.sign(text.encode()))}\n"


def open_note(note: str, key: VerifierKey) -> str:
    """The text of a note that this key has signed; signatures of other keys are ignored.

    Raises:
        CheckpointError: the note is malformed, this key has not signed it, or its signature is wrong.
    """
    text, signatures = _split(note)
    signed = False
    for name, raw in signatures:
        if name != key.name or raw[:_KEY_ID_BYTES] != key.key_id:
            continue
        try:
            Ed25519PublicKey.from_public_bytes(key.public_key).verify(raw[_KEY_ID_BYTES:], text.encode())
        except (InvalidSignature, ValueError):
            raise CheckpointError("the signature of a note does not verify") from None
        signed = True
    if not signed:
        raise CheckpointError("a note is not signed by the expected key")
    return text


def sign_checkpoint(checkpoint: Checkpoint, key: Ed25519PrivateKey) -> str:
    """Sign a checkpoint with the key that bears the name of its origin."""
    return sign_note(checkpoint.text, checkpoint.origin, key)


def open_checkpoint(note: str, key: VerifierKey) -> Checkpoint:
    """What a signed checkpoint says, once it is known that this key's log says so.

    Raises:
        CheckpointError: as `open_note`, or the checkpoint is malformed or of another origin.
    """
    checkpoint = Checkpoint.parse(open_note(note, key))
    if checkpoint.origin != key.name:
        raise CheckpointError("a checkpoint is of another origin than its key")
    return checkpoint


def signatures_of(note: str) -> int:
    """How many signature lines a note has.

    Raises:
        CheckpointError: it is no note.
    """
    return len(_split(note)[1])


def unverified_origin(note: str) -> str:
    """The first line of a note, to find out whose key it asks for."""
    return note.partition("\n")[0]


def _split(note: str) -> tuple[str, tuple[tuple[str, bytes], ...]]:
    """Take a note apart at its last empty line."""
    text, blank, tail = note.rpartition("\n\n")
    if len(note) > _MAX_NOTE or not blank or not tail.endswith("\n") or _has_control(note):
        raise CheckpointError("not a signed note")
    lines = tail[:-1].split("\n")
    if len(lines) > _MAX_SIGNATURES:
        raise CheckpointError("a note with too many signatures")
    return text + "\n", tuple(_signature(line) for line in lines)


def _signature(line: str) -> tuple[str, bytes]:
    """Take a signature line apart."""
    dash, _, rest = line.partition(" ")
    name, _, encoded = rest.partition(" ")
    raw = _unbase64(encoded)
    if dash != "—" or not _is_name(name) or len(raw) <= _KEY_ID_BYTES:
        raise CheckpointError("not a signature line of a note")
    return name, raw


def _is_name(name: str) -> bool:
    """Whether this can be the name of a key."""
    return name != "" and "+" not in name and not any(character.isspace() for character in name)


def _has_control(text: str) -> bool:
    """Whether there is an ASCII control character other than newline."""
    return any(character < " " and character != "\n" for character in text)


def _base64(raw: bytes) -> str:
    return base64.b64encode(raw).decode()


def _unbase64(text: str) -> bytes:
    """Read base64 that is written in the one canonical way."""
    try:
        raw = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise CheckpointError("not base64") from None
    if _base64(raw) != text:
        raise CheckpointError("not canonical base64")
    return raw
