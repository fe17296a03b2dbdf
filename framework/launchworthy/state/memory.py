"""What if there is one replica only? Then its own memory is what all of them agree on.

Nothing here waits, so everything between two awaits of the caller is one step: of fifty that claim the same,
one does. What a process remembers ends with it; where that would matter (several replicas, and a tool that
needs single use) promotion holds.
"""

from collections import deque
from collections.abc import Callable

from launchworthy.state.expiring import Expiring
from launchworthy.state.keys import StateKey
from launchworthy.state.refusals import Changed, LimitReached, NotKept, already_claimed
from launchworthy.state.store import MAX_VALUE_BYTES, Charge, Slot
from launchworthy.vocabulary import Reason

MAX_KEYS = 200_000
SLOT_RETRY_SECONDS = 1.0


class MemoryStore:
    """The store of a single process; lives in one event loop."""

    def __init__(self, clock: Callable[[], float], generation: str) -> None:
        """Remember nothing yet.

        Args:
            clock: seconds that never go back.
            generation: what tells this process' memory from another's: random.
        """
        self._clock = clock
        self._generation = generation
        self._claims: Expiring[None] = Expiring(clock, MAX_KEYS)
        self._uses: Expiring[deque[float]] = Expiring(clock, MAX_KEYS)
        self._places: Expiring[dict[str, float]] = Expiring(clock, MAX_KEYS)
        self._values: Expiring[bytes] = Expiring(clock, MAX_KEYS)
        self._entries: Expiring[bytes] = Expiring(clock, MAX_KEYS)

    @property
    def shared(self) -> bool:
        """Nobody else sees it."""
        return False

    async def generation(self) -> str:
        """The same until the process ends."""
        return self._generation

    async def claim(self, key: StateKey, ttl: float) -> None:
        """Claim something for the first and last time."""
        if key in self._claims:
            raise already_claimed()
        self._claims.put(key, None, ttl)

    async def take(self, charges: tuple[Charge, ...], slots: tuple[Slot, ...], holder: str) -> None:
        """Use up one of each charge and take one place of each slot: all of them, or none."""
        now = self._clock()
        uses = [self._room_in_time(charge, now) for charge in charges]
        places = [self._room_at_once(slot, now) for slot in slots]
        for charge, used in zip(charges, uses, strict=True):
            used.append(now)
            self._uses.put_until(charge.key, used, now + charge.rate.seconds)
        for slot, held in zip(slots, places, strict=True):
            held[holder] = now + slot.seconds
            self._places.put_until(slot.key, held, max(held.values()))

    async def free(self, slots: tuple[Slot, ...], holder: str) -> None:
        """Give the places back."""
        for slot in slots:
            held = self._places.get(slot.key, {})
            held.pop(holder, None)
            if not held:
                self._places.pop(slot.key)

    async def put(self, key: StateKey, value: bytes, ttl: float) -> None:
        """Keep a value that is not there yet."""
        _check_size(value)
        if key in self._values:
            raise Changed("there is a value already")
        self._values.put(key, value, ttl)

    async def get(self, key: StateKey) -> bytes:
        """Read a value."""
        if key not in self._values:
            raise NotKept("no such value is kept")
        return self._values[key]

    async def compare_and_set(self, key: StateKey, expected: bytes, value: bytes) -> None:
        """Replace a value that is still the one that was read; its time goes on."""
        _check_size(value)
        if key not in self._values or self._values[key] != expected:
            raise Changed("it is another value by now")
        self._values.replace(key, value)

    async def remove(self, key: StateKey) -> None:
        """Forget a value."""
        self._values.pop(key)

    async def aclose(self) -> None:
        """Nothing is open."""

    def _room_in_time(self, charge: Charge, now: float) -> deque[float]:
        """The last uses, as many as are allowed; the oldest of them must have left the stretch."""
        used = self._uses.find(charge.key, now)
        if used is None or used.maxlen != charge.rate.amount:
            used = deque(used or (), maxlen=charge.rate.amount)
        if len(used) == charge.rate.amount:
            seconds = used[0] + charge.rate.seconds - now
            if seconds > 0:
                raise LimitReached(
                    charge.reason, limit=charge.limit, allowed=str(charge.rate), seconds=seconds
                )
        return used

    def _room_at_once(self, slot: Slot, now: float) -> dict[str, float]:
        held = self._places.find(slot.key, now)
        if held is None:
            held = {}
        for gone in [holder for holder, until in held.items() if now >= until]:
            del held[gone]
        if len(held) >= slot.places:
            raise LimitReached(
                Reason.LIMIT_RATE,
                limit=slot.limit,
                allowed=f"{slot.places} at once",
                seconds=SLOT_RETRY_SECONDS,
            )
        return held


def _check_size(value: bytes) -> None:
    if len(value) > MAX_VALUE_BYTES:
        raise ValueError(f"a value of the shared state has at most {MAX_VALUE_BYTES} bytes")
