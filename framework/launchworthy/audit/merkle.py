"""What one hash stands for all records so far? The Merkle tree hash of RFC 6962 §2.1, kept incrementally.

A leaf is hashed as SHA-256(0x00 ‖ data) and a node as SHA-256(0x01 ‖ left ‖ right). Only the roots of the
complete subtrees are kept: one for each bit that is set in the size.
"""

from collections.abc import Iterable
from hashlib import sha256
from typing import Self

EMPTY_ROOT = sha256(b"").digest()
"""RFC 6962 §2.1: the hash of an empty list is the hash of an empty string."""


class MerkleTree:
    """A tree that only grows; an append costs one leaf hash and, on average, one node hash."""

    __slots__ = ("_peaks", "size")

    def __init__(self, size: int = 0, peaks: Iterable[bytes] = ()) -> None:
        """Begin with no leaf, or where another tree stands."""
        self.size = size
        self._peaks = list(peaks)

    def copy(self) -> Self:
        """A tree that grows by itself from here on."""
        return type(self)(self.size, self._peaks)

    def append(self, data: bytes) -> None:
        """Add one leaf."""
        node = sha256(b"\x00" + data).digest()
        carry = self.size
        while carry & 1:
            node = sha256(b"\x01" + self._peaks.pop() + node).digest()
            carry >>= 1
        self._peaks.append(node)
        self.size += 1

    def root(self) -> bytes:
        """The tree hash over all leaves so far: 32 bytes."""
        if not self._peaks:
            return EMPTY_ROOT
        node = self._peaks[-1]
        for peak in reversed(self._peaks[:-1]):
            node = sha256(b"\x01" + peak + node).digest()
        return node
