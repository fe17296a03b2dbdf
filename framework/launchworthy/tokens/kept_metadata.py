"""How long does what an issuer's metadata said count? An hour; what could not be had is asked for again."""

from collections.abc import Awaitable, Callable
from typing import Final, Generic, TypeVar

METADATA_SECONDS: Final = 3600.0
T = TypeVar("T")


class KeptMetadata(Generic[T]):
    """One thing that an issuer's metadata say, found when it is needed first."""

    def __init__(self, find: Callable[[], Awaitable[T]], *, monotonic: Callable[[], float]) -> None:
        """Find nothing yet.

        Args:
            find: asks the issuer; what it raises, `get` raises.
            monotonic: seconds that never go back.
        """
        self._find = find
        self._monotonic = monotonic
        self._found: tuple[float, T] | None = None

    async def get(self) -> T:
        """What they say."""
        now = self._monotonic()
        if self._found is None or now - self._found[0] >= METADATA_SECONDS:
            self._found = (now, await self._find())
        return self._found[1]
