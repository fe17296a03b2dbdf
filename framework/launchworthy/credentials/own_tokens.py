"""Which of our own tokens are still good? The only ones that are kept, and never one got with a caller's.

By issuer, resource, scopes and time, and by the generation of the identity that asked for them: when the
identity changes or is withdrawn, all of them are dropped. One request is under way for each; a token is used
to half of its life at most, so that no call gets one that is about to end.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from launchworthy.credentials.token_answer import IssuedToken
from launchworthy.identity import IdentityChange
from launchworthy.identity.status import ChangeKind

MAX_TOKENS = 256
_CHANGES = frozenset({ChangeKind.ACQUIRED, ChangeKind.ROTATED, ChangeKind.EXPIRED, ChangeKind.REVOKED})


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenKey:
    """What one token is for."""

    issuer: str
    resource: str
    scopes: tuple[str, ...]
    ttl: int


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnToken:
    """A token of this workload.

    Attributes:
        token: as it was issued.
        asked_at: seconds since the epoch.
    """

    token: IssuedToken
    asked_at: int

    @property
    def not_after(self) -> int:
        """When it ends, in seconds since the epoch."""
        return self.asked_at + self.token.expires_in


class OwnTokens:
    """The tokens of this workload; used from one event loop."""

    def __init__(self, clock: Callable[[], float]) -> None:
        """Begin with none; `clock` is seconds since the epoch."""
        self._clock = clock
        self._kept: dict[TokenKey, OwnToken] = {}
        self._flights: dict[TokenKey, asyncio.Task[OwnToken]] = {}
        self._generation = 0

    def __len__(self) -> int:
        """How many are kept."""
        return len(self._kept)

    async def get(self, key: TokenKey, ask: Callable[[], Awaitable[IssuedToken]]) -> OwnToken:
        """A token for this; `ask` is called where none is kept, once for all who wait.

        Raises:
            BrokerError: as `ask`.
        """
        kept = self._kept.get(key)
        if kept is not None and self._clock() < kept.asked_at + kept.token.expires_in / 2:
            return kept
        flight = self._flights.get(key)
        if flight is None:
            flight = asyncio.get_running_loop().create_task(self._fly(key, ask))
            self._flights[key] = flight
            flight.add_done_callback(lambda _: self._flights.pop(key, None))
        return await asyncio.shield(flight)

    def changed(self, change: IdentityChange) -> None:
        """Drop everything that another identity asked for; what is on its way is not kept."""
        if change.kind in _CHANGES:
            self._generation += 1
            self._kept.clear()
            self._flights.clear()

    async def _fly(self, key: TokenKey, ask: Callable[[], Awaitable[IssuedToken]]) -> OwnToken:
        generation, asked_at = self._generation, int(self._clock())
        found = OwnToken(token=await ask(), asked_at=asked_at)
        if generation == self._generation and found.token.expires_in <= key.ttl:
            self._kept.pop(key, None)
            if len(self._kept) >= MAX_TOKENS:
                del self._kept[next(iter(self._kept))]
            self._kept[key] = found
        return found
