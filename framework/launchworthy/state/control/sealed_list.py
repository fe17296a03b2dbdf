"""How is one control list kept in a store that is not trusted? Sealed whole, with a number that only grows.

Whoever may write the store and has no key can neither add an entry nor take one out: every change is a change
of the whole, and what is not sealed is no list. A list that is gone, or is older than one seen before, is
refused as well, and then nobody is served: to delete can close, and never lift.

What remains: a server that has just started has seen no list before, so an older one of ours counts there.
"""

import os
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final, NoReturn

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from launchworthy.settings import KeyRing
from launchworthy.state.control.entries import Entry, parse_control
from launchworthy.state.control.writing import render_entries
from launchworthy.state.keys import KeyPurpose, state_key
from launchworthy.state.refusals import Changed, NotKept
from launchworthy.state.store import Values
from launchworthy.vocabulary import Problem, ProblemError, Refused

SEAL_PURPOSE: Final = "control-list"
MAX_LIST: Final = 192 * 1024
_KEPT_SECONDS: Final = 10 * 365 * 86400.0
_FORMAT = b"launchworthy-control/1"
_NONCE = 12
_PARTS = 4
_WHERE = "the control list in the store"


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptList:
    """A list as it was found.

    Attributes:
        version: grows with every change: milliseconds since the epoch, or one more than the last.
        entries: what it says.
        sealed: as it stands in the store.
    """

    version: int
    entries: tuple[Entry, ...]
    sealed: bytes = field(repr=False)


class SealedList:
    """The control list of one server in the store that its replicas share."""

    def __init__(
        self, values: Values, ring: KeyRing, *, resource: str, random: Callable[[int], bytes] = os.urandom
    ) -> None:
        """Say where and under which key; nothing is asked yet.

        Args:
            values: the store.
            ring: of `SEAL_PURPOSE`.
            resource: of the server: the list of another one does not open.
            random: bytes that nobody can guess.
        """
        self._values = values
        self._ring = ring
        self._resource = resource.encode()
        self._random = random
        self._key = state_key(KeyPurpose.CONTROL, "list")

    async def read(self) -> KeptList:
        """Read the list.

        Raises:
            ProblemError: it is not there, cannot be had, or is not ours.
        """
        try:
            sealed = await self._values.get(self._key)
        except NotKept:
            _refuse(
                "control-store-missing",
                "is not there, and the settings say that it counts",
                "launchworthy control create",
                "write again what was in force: launchworthy status, or the audit's control.changed",
            )
        except Refused as refused:
            _refuse_store(refused)
        version, content = self._opened(sealed)
        entries = parse_control(_WHERE, content, source="state")
        return KeptList(version=version, entries=entries, sealed=sealed)

    async def create(self, *, now: float) -> None:
        """Keep an empty list.

        Raises:
            ProblemError: there is one already, or the store cannot be asked.
        """
        sealed = self._closed(int(now * 1000), ())
        try:
            await self._values.put(self._key, sealed, _KEPT_SECONDS)
        except Changed:
            _refuse("control-store-changed", "is there already", "launchworthy control list")
        except Refused as refused:
            _refuse_store(refused)

    async def replace(self, before: KeptList, entries: tuple[Entry, ...], *, now: float) -> None:
        """Put these entries in place of a list that is still the one that was read.

        Raises:
            ProblemError: somebody else was quicker, they are no list, or the store cannot be asked.
        """
        sealed = self._closed(max(before.version + 1, int(now * 1000)), entries)
        try:
            await self._values.compare_and_set(self._key, before.sealed, sealed)
        except Changed:
            _refuse("control-store-changed", "was changed by somebody else in this moment", "say it again")
        except Refused as refused:
            _refuse_store(refused)

    def _closed(self, version: int, entries: tuple[Entry, ...]) -> bytes:
        content = render_entries(entries).encode()
        parse_control(_WHERE, content, source="state")
        if len(content) > MAX_LIST:
            what = f"would be larger than {MAX_LIST // 1024} KiB"
            _refuse("bad-value", what, "take out what has ended; deny a client, not each token")
        key = self._ring.newest
        head = b"%s %s %d" % (_FORMAT, key.kid.encode(), version)
        nonce = self._random(_NONCE)
        return head + b" " + nonce + AESGCM(key.material).encrypt(nonce, content, self._about(head))

    def _opened(self, sealed: bytes) -> tuple[int, bytes]:
        parts = sealed.split(b" ", _PARTS - 1)
        if len(parts) != _PARTS or parts[0] != _FORMAT or not parts[2].isdigit():
            _refuse_forged("is nothing that a key of ours has sealed")
        kid, version, body = parts[1].decode("ascii", "replace"), parts[2], parts[3]
        if kid not in {each.kid for each in self._ring.keys}:
            self._ring.reread()
        try:
            key = next(each for each in self._ring.keys if each.kid == kid)
            about = self._about(b" ".join(parts[:3]))
            return int(version), AESGCM(key.material).decrypt(body[:_NONCE], body[_NONCE:], about)
        except (InvalidTag, StopIteration, ValueError):
            _refuse_forged("was not sealed by a key of ours, for this server")

    def _about(self, head: bytes) -> bytes:
        """What is sealed with the list: its number, and whose it is."""
        return head + b"\n" + self._resource


class StoreSource:
    """The list in the store as one of the places where entries are written."""

    name = "store"

    def __init__(self, kept: SealedList) -> None:
        """Read from here; nothing was seen yet."""
        self._kept = kept
        self._newest = 0

    async def read(self) -> tuple[Entry, ...]:
        """Every entry that stands there now.

        Raises:
            ProblemError: it cannot be had, is not ours, or is older than one that was seen.
        """
        found = await self._kept.read()
        if found.version < self._newest:
            _refuse(
                "control-store-older",
                "is an older one than was there before: somebody has put it back",
                "see who may write the store; then write the list again: launchworthy control …",
            )
        self._newest = found.version
        return found.entries


def _refuse_store(refused: Refused) -> NoReturn:
    _refuse("store-unfit", f"cannot be had: {refused.detail}", "see to the store that [state] names")


def _refuse_forged(what: str) -> NoReturn:
    _refuse(
        "control-store-forged",
        what,
        "see who may write the store; take the value out, then: launchworthy control create",
    )


def _refuse(reason: str, what: str, *fix: str) -> NoReturn:
    raise ProblemError(Problem(reason=reason, where=_WHERE, what=what, fix=fix, field="control.key"))
