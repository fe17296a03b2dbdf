"""What names a stream, and what seals it? A key of its own, in memory only, and the digest of that key.

The id of a stream is a digest of its public key: nobody can write another stream of the same name, and
whoever remembers a name remembers the key. After `drop` nothing can be sealed in this stream's name again,
not even by who takes over the process (forward security).
"""

import base64
from hashlib import sha256
from typing import Self

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from launchworthy.audit.checkpoint import Checkpoint, CheckpointError, VerifierKey, sign_checkpoint

FORMAT = "launchworthy-audit/1"
ORIGIN_PREFIX = "urn:launchworthy:stream:"
STREAM_ID_CHARACTERS = 32


class StreamKey:
    """The private key of one stream."""

    __slots__ = ("_key", "stream", "verifier")

    def __init__(self, key: Ed25519PrivateKey) -> None:
        """Name the stream by the key."""
        public_key = key.public_key().public_bytes_raw()
        self._key: Ed25519PrivateKey | None = key
        self.stream = stream_id(public_key)
        self.verifier = VerifierKey(name=origin_of(self.stream), public_key=public_key)

    @classmethod
    def generate(cls) -> Self:
        """A fresh key."""
        return cls(Ed25519PrivateKey.generate())

    def seal(self, size: int, root: bytes) -> str:
        """Sign that the stream had this size and root.

        Raises:
            CheckpointError: the key was dropped.
        """
        if self._key is None:
            raise CheckpointError("the key of a closed stream is gone")
        return sign_checkpoint(Checkpoint(origin=self.verifier.name, size=size, root=root), self._key)

    def drop(self) -> None:
        """Forget the private key."""
        self._key = None


def stream_id(public_key: bytes) -> str:
    """32 hex digits: SHA-256(`launchworthy-audit/1` ‖ 0x0A ‖ key), cut to 128 bits."""
    return sha256(FORMAT.encode() + b"\n" + public_key).hexdigest()[:STREAM_ID_CHARACTERS]


def origin_of(stream: str) -> str:
    """The name of the key, the origin of the checkpoints, and the source while there is no identity."""
    return ORIGIN_PREFIX + stream


def first_prev(stream: str) -> str:
    """What stands in `prev` of seq 0."""
    return sha256(f"{FORMAT}\n{stream}".encode()).hexdigest()


def root_text(root: bytes) -> str:
    """A root as it stands in records: base64, as in a checkpoint."""
    return base64.b64encode(root).decode()
