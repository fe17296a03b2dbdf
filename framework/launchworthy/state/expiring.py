"""What is remembered for a while? A bounded dictionary whose entries end; a full one refuses."""

from collections.abc import Callable, Iterator
from typing import Generic, TypeVar

from launchworthy.state.refusals import store_unusable

T = TypeVar("T")
_FIRST_SWEEP = 1024


class Expiring(Generic[T]):
    """Values by key, each until an instant of its own."""

    __slots__ = ("_clock", "_kept", "_limit", "_sweep_at")

    def __init__(self, clock: Callable[[], float], limit: int) -> None:
        """Keep nothing yet.

        Args:
            clock: seconds that never go back.
            limit: how many there may be; one more is refused, since forgetting one could be used twice.
        """
        self._clock = clock
        self._limit = limit
        self._kept: dict[str, tuple[float, T]] = {}
        self._sweep_at = _FIRST_SWEEP

    def __len__(self) -> int:
        """How many are in memory, those whose time has ended and that nobody asked for included."""
        return len(self._kept)

    def __contains__(self, key: str) -> bool:
        """Whether there is one whose time has not ended."""
        return self._live(key) is not None

    def __getitem__(self, key: str) -> T:
        """The value.

        Raises:
            KeyError: there is none, or its time has ended.
        """
        live = self._live(key)
        if live is None:
            raise KeyError(key)
        return live[1]

    def get(self, key: str, default: T) -> T:
        """The value, or another where there is none or its time has ended."""
        live = self._live(key)
        return default if live is None else live[1]

    def find(self, key: str, now: float) -> T | None:
        """The value, or None where there is none or its time has ended by now; reads no clock."""
        entry = self._kept.get(key)
        return None if entry is None or now >= entry[0] else entry[1]

    def put(self, key: str, value: T, seconds: float) -> None:
        """Keep a value for so long from now.

        Raises:
            Refused: `limit.store`, there is no room.
        """
        self.put_until(key, value, self._clock() + seconds)

    def put_until(self, key: str, value: T, until: float) -> None:
        """Keep a value until an instant of this clock.

        Raises:
            Refused: `limit.store`, there is no room.
        """
        if key not in self._kept:
            self._make_room()
        self._kept[key] = (until, value)

    def replace(self, key: str, value: T) -> None:
        """Another value in place of one that is there; its time goes on."""
        until, _ = self._kept[key]
        self._kept[key] = (until, value)

    def pop(self, key: str) -> None:
        """Forget a value, if it is there."""
        self._kept.pop(key, None)

    def items(self) -> Iterator[tuple[str, T]]:
        """All whose time has not ended."""
        now = self._clock()
        for key, (until, value) in tuple(self._kept.items()):
            if now < until:
                yield key, value

    def _live(self, key: str) -> tuple[float, T] | None:
        entry = self._kept.get(key)
        if entry is not None and self._clock() >= entry[0]:
            del self._kept[key]
            return None
        return entry

    def _make_room(self) -> None:
        if len(self._kept) < self._sweep_at:
            return
        now = self._clock()
        for key in [key for key, (until, _) in self._kept.items() if now >= until]:
            del self._kept[key]
        if len(self._kept) >= self._limit:
            raise store_unusable("its memory is full")
        self._sweep_at = min(self._limit, max(_FIRST_SWEEP, 2 * len(self._kept)))
