"""What must all replicas agree on, and what is asked of whoever keeps it?

One Protocol for each use, and `Store` for all of them. Every method either does what it says or raises;
`Refused(limit.store)` is raised by all of them where the store cannot be asked. Nothing here is trusted with
more than it needs: keys are digests, and what must not be forged is sealed before it comes here (`sealed`).
"""

from dataclasses import dataclass
from typing import Protocol

from launchworthy.manifest import Rate
from launchworthy.state.keys import StateKey
from launchworthy.vocabulary import Reason

MAX_VALUE_BYTES = 256 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Charge:
    """One use of what is limited in time.

    Attributes:
        key: whose use of what.
        rate: how much is allowed.
        reason: `limit.rate` or `limit.budget`.
        limit: what the refusal calls it.
    """

    key: StateKey
    rate: Rate
    reason: Reason
    limit: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Slot:
    """One place among those who may be busy at once.

    Attributes:
        key: whose use of what.
        places: how many there are.
        seconds: after which a place is free again even if nobody frees it: its holder has died.
        limit: what the refusal calls it.
    """

    key: StateKey
    places: int
    seconds: float
    limit: str


class Claims(Protocol):
    """What happens at most once?"""

    async def claim(self, key: StateKey, ttl: float) -> None:
        """Claim something for the first and last time.

        Args:
            key: what is claimed.
            ttl: seconds for which the claim is remembered: at least as long as what it is for can be used.

        Raises:
            Refused: `limit.claim`, it was claimed before; `limit.store`, nobody can tell.
        """


class Counters(Protocol):
    """Is there room for one more?"""

    async def take(self, charges: tuple[Charge, ...], slots: tuple[Slot, ...], holder: str) -> None:
        """Use up one of each charge and take one place of each slot: all of them, or none.

        Args:
            charges: what is limited in time.
            slots: what is limited at once.
            holder: who takes the places; unique for each call.

        Raises:
            LimitReached: the first that has no room; nothing was used up.
            Refused: `limit.store`.
        """

    async def free(self, slots: tuple[Slot, ...], holder: str) -> None:
        """Give the places back; those that were not held stay as they are.

        Raises:
            Refused: `limit.store`; the places free themselves after their time.
        """


class Values(Protocol):
    """What was written down, for a while, and is changed by one at a time?"""

    async def put(self, key: StateKey, value: bytes, ttl: float) -> None:
        """Keep a value that is not there yet.

        Raises:
            Changed: there is one already.
            ValueError: it is larger than 256 KiB.
            Refused: `limit.store`.
        """

    async def get(self, key: StateKey) -> bytes:
        """Read a value.

        Raises:
            NotKept: there is none, or its time has ended.
            Refused: `limit.store`.
        """

    async def compare_and_set(self, key: StateKey, expected: bytes, value: bytes) -> None:
        """Replace a value that is still the one that was read; its time goes on.

        Raises:
            Changed: it is another one by now, or its time has ended.
            ValueError: it is larger than 256 KiB.
            Refused: `limit.store`.
        """

    async def remove(self, key: StateKey) -> None:
        """Forget a value; one that is not there is forgotten already.

        Raises:
            Refused: `limit.store`.
        """


class Store(Claims, Counters, Values, Protocol):
    """All of it, kept by one."""

    @property
    def shared(self) -> bool:
        """Whether other replicas see the same."""

    async def generation(self) -> str:
        """What changes when the store may have forgotten something: a restart, a failover.

        Raises:
            Refused: `limit.store`.
        """

    async def aclose(self) -> None:
        """Let go of connections."""
