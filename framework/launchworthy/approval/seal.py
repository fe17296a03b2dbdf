"""How is a question carried by a client that must neither read nor change it?

The same for a cookie that a browser carries, and for what waits in the shared store. AES-256-GCM under the
newest key of a ring; every key of the ring opens. The ring is asked each time, so keys rotate without a
restart. The text names its key, and what it is for is bound under the tag: a seal of another server, another
kind or another form does not open.
"""

import base64
import binascii
from collections.abc import Callable
from enum import StrEnum
from typing import Protocol

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from launchworthy.approval.refusals import NotAnswered
from launchworthy.settings.key_ring import RingKey

PURPOSE = "approval-state"
"""Names the keys; another purpose gets other keys from the same file."""


class Sealed(StrEnum):
    """What a seal is about; what was sealed as one thing opens as no other."""

    QUESTION = PURPOSE
    WAITING = "approval-waiting"
    SIGN_IN = "approval-sign-in"
    VISIT = "approval-visit"


_FORM = "lw1."
_KID_BYTES = 4
_NONCE_BYTES = 12
_TAG_BYTES = 16
MAX_SEALED = 8192
"""Of what comes from outside; what waits in the store may be longer."""
MAX_KEPT = 192 * 1024
_KEY_BITS = 256


class SealingKeys(Protocol):
    """The keys that are in force now; a `KeyRing` is one."""

    @property
    def newest(self) -> RingKey:
        """What seals."""

    @property
    def keys(self) -> tuple[RingKey, ...]:
        """What opens."""


class EphemeralKeys:
    """One key that ends with the process: for a server of one process, where none is configured."""

    __slots__ = ("newest",)

    def __init__(self, random_bits: Callable[[int], int]) -> None:
        """Make the key."""
        material = random_bits(_KEY_BITS).to_bytes(_KEY_BITS // 8, "big")
        self.newest = RingKey(kid=f"{random_bits(_KID_BYTES * 8):08x}", material=material)

    @property
    def keys(self) -> tuple[RingKey, ...]:
        """The one."""
        return (self.newest,)


class StateSeal:
    """Seals and opens for one server."""

    __slots__ = ("_keys", "_kind", "_random_bits", "_resource")

    def __init__(
        self, keys: SealingKeys, resource: str, kind: Sealed, random_bits: Callable[[int], int]
    ) -> None:
        """Hold the ring.

        Args:
            keys: asked each time.
            resource: of this server.
            kind: what is sealed.
            random_bits: as many random bits as asked for.
        """
        self._keys = keys
        self._kind = kind
        self._resource = resource
        self._random_bits = random_bits

    def seal(self, content: bytes) -> str:
        """Seal."""
        key = self._keys.newest
        nonce = self._random_bits(_NONCE_BYTES * 8).to_bytes(_NONCE_BYTES, "big")
        sealed = AESGCM(key.material).encrypt(nonce, content, self._about(key.kid))
        raw = bytes.fromhex(key.kid) + nonce + sealed
        return _FORM + base64.urlsafe_b64encode(raw).decode("ascii").rstrip("=")

    def open(self, text: str) -> bytes:
        """Open what was sealed here.

        Raises:
            NotAnswered: it was not sealed here, or was changed, or its key is gone.
        """
        raw = _decoded(text, MAX_KEPT if self._kind is Sealed.WAITING else MAX_SEALED)
        kid, nonce = raw[:_KID_BYTES].hex(), raw[_KID_BYTES : _KID_BYTES + _NONCE_BYTES]
        key = next((key for key in self._keys.keys if key.kid == kid), None)
        if key is None:
            raise NotAnswered("the answer is sealed with a key that is not ours")
        try:
            return AESGCM(key.material).decrypt(nonce, raw[_KID_BYTES + _NONCE_BYTES :], self._about(kid))
        except InvalidTag:
            raise NotAnswered("the seal of the answer does not hold") from None

    def _about(self, kid: str) -> bytes:
        return f"{_FORM}\n{self._kind}\n{kid}\n{self._resource}".encode()


def _decoded(text: str, longest: int) -> bytes:
    if not text.startswith(_FORM) or len(text) > longest or not text.isascii():
        raise NotAnswered("the answer is to no question of ours")
    encoded = text.removeprefix(_FORM)
    try:
        raw = base64.b64decode(encoded + "=" * (-len(encoded) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        raise NotAnswered("the answer is to no question of ours") from None
    canonical = base64.urlsafe_b64encode(raw).decode("ascii").rstrip("=")
    if canonical != encoded or len(raw) < _KID_BYTES + _NONCE_BYTES + _TAG_BYTES:
        raise NotAnswered("the answer is to no question of ours")
    return raw
