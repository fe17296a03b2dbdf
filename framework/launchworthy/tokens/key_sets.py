"""Which key of this issuer is good now, and when do we ask again?

A key set is *fresh* for `key_fresh` seconds, renewed ahead of that in the background, and *stale* for
`key_stale` more while the issuer cannot be asked; after that nothing verifies and every answer is 503.

1. One request to the issuer is in flight, and at least `key_spacing` seconds lie between two attempts
   whatever came of the first; failures double that up to a minute. An unknown `kid` only moves the next
   attempt forward to what this allows, so a flood of invented ones costs the issuer nothing.
2. A set replaces the last one as a whole: what is withdrawn stops verifying at once. A set that cannot be
   read, or holds no usable key, is an error, and the last good one stays until it is too old.
3. Past `key_fresh` the issuer is asked before the old keys are used again; only if that fails are they.
4. Where a key is not known *and* the issuer cannot be asked, the answer is 503: a 401 would tell clients
   to throw away tokens that are good.
"""

import asyncio
import math
from collections.abc import Callable, Mapping
from typing import Final

from launchworthy.tokens.discovery import MetadataError
from launchworthy.tokens.endpoint import EndpointError
from launchworthy.tokens.fetch import Fetcher, FetchError
from launchworthy.tokens.issuer_policy import IssuerPolicy
from launchworthy.tokens.key_events import IssuerStatus, KeyEvent, KeyEventKind
from launchworthy.tokens.key_import import KeyRing, KeySetError, VerificationKey, import_keys
from launchworthy.tokens.shown import shown
from launchworthy.tokens.whereabouts import Whereabouts
from launchworthy.vocabulary import Reason, Refused

LONGEST_BACKOFF: Final = 60
_EMPTY: Final = KeyRing(usable={}, ignored={})


class IssuerKeys:
    """The keys of one issuer and of no other; lives in one event loop."""

    def __init__(
        self,
        policy: IssuerPolicy,
        fetcher: Fetcher,
        clock: Callable[[], float],
        events: Callable[[KeyEvent], None],
    ) -> None:
        """Start with no keys; nothing is asked yet.

        Args:
            policy: whose keys, and how long they are good.
            fetcher: reads this issuer's documents.
            clock: seconds that never go back.
            events: told of every change and every failure; it must not raise.
        """
        self._policy = policy
        self._fetcher = fetcher
        self._clock = clock
        self._events = events
        self._ring = _EMPTY
        self._fetched_at = -math.inf
        self._next_attempt_at = -math.inf
        self._failures = 0
        self._failing_since: float | None = None
        self._attempt: asyncio.Task[None] | None = None
        self._place = Whereabouts(policy, fetcher, "jwks_uri", policy.jwks_uri)
        self.generation = 0
        """Counts the sets; a verification is good for the generation it was made under."""
        self.last_error: Exception | None = None
        """What the latest attempt failed with; None while it did not."""

    @property
    def settled(self) -> bool:
        """Whether the keys may be used without asking first: fresh, or stale because asking just failed."""
        return self._is_fresh() or (self._failures > 0 and self._is_usable())

    def status(self) -> IssuerStatus:
        """How the keys stand; asks nobody."""
        detail = "" if self.last_error is None else str(self.last_error)
        return IssuerStatus(
            name=self._policy.name, usable=self._is_usable(), fresh=self._is_fresh(), detail=detail
        )

    async def key_for(self, kid: str) -> VerificationKey:
        """Find the key that a token names; may wait for one request to the issuer.

        Raises:
            Refused: `token.kid` if the issuer has no such key, `token.key` if it has and we do not use it,
                `keys.unavailable` if that cannot be known now.
        """
        if self.settled:
            self._renew_ahead()
            if (key := self._ring.usable.get(kid)) is not None:
                return key
        if kid not in self._ring.ignored or not self.settled:
            await self._ask()
        if not self._is_usable():
            raise self._unavailable("no keys of this issuer are known")
        if (key := self._ring.usable.get(kid)) is not None:
            return key
        if self._failures:
            raise self._unavailable(f"the key {shown(kid)} is not known")
        if (why := self._ring.ignored.get(kid)) is not None:
            raise Refused(Reason.TOKEN_KEY, f"the key {shown(kid)} is not used: {why}")
        raise Refused(Reason.TOKEN_KID, f"{shown(self._policy.issuer)} has no key {shown(kid)}")

    async def refresh_if_due(self) -> None:
        """Ask the issuer if it is time to, and wait for the answer."""
        if self._failures or self._clock() >= self._renewal_at():
            await self._ask()

    def seconds_until_due(self) -> float:
        """How long `refresh_if_due` will have nothing to do."""
        due = self._next_attempt_at if self._failures else max(self._renewal_at(), self._next_attempt_at)
        return max(0.0, due - self._clock())

    async def aclose(self) -> None:
        """Give up a request that is in flight."""
        if self._attempt is not None and not self._attempt.done():
            self._attempt.cancel()
            await asyncio.wait({self._attempt})

    def _is_fresh(self) -> bool:
        return self._clock() < self._fetched_at + self._policy.key_fresh

    def _is_usable(self) -> bool:
        return self._clock() < self._fetched_at + self._policy.key_fresh + self._policy.key_stale

    def _renewal_at(self) -> float:
        """A fifth of the time, but no more than a minute, before the keys would be stale."""
        return self._fetched_at + self._policy.key_fresh - min(60.0, self._policy.key_fresh / 5)

    def _renew_ahead(self) -> None:
        if self._clock() >= self._renewal_at():
            self._begin()

    async def _ask(self) -> None:
        """Wait for the request that is in flight, or for a new one if it is time for one."""
        if (attempt := self._begin()) is not None:
            await asyncio.wait({attempt})  # a caller that leaves does not take the request with it

    def _begin(self) -> "asyncio.Task[None] | None":
        if self._attempt is not None and not self._attempt.done():
            return self._attempt
        now = self._clock()
        if now < self._next_attempt_at:
            return None
        self._next_attempt_at = now + self._policy.key_spacing
        self._attempt = asyncio.create_task(self._refresh())
        return self._attempt

    async def _refresh(self) -> None:
        began = self._clock()
        try:
            async with asyncio.timeout(self._fetcher.seconds):
                uri = await self._place.find(began, doubtful=self._failures > 0)
                ring = await self._read(uri)
        except TimeoutError:
            self._failed(began, FetchError(f"no whole answer within {self._fetcher.seconds:g} s"))
        except (FetchError, EndpointError, MetadataError, KeySetError) as error:
            self._failed(began, error)
        except Exception as error:  # noqa: BLE001 - a renewal loop: whatever it is, the keys grow old and close
            self._failed(began, FetchError(f"the attempt failed with {type(error).__name__}"))
        else:
            self._succeeded(began, uri, ring)

    async def _read(self, uri: str) -> KeyRing:
        document = await self._fetcher.get(self._place.endpoint(uri))
        return import_keys(document, self._policy.algorithms)

    def _succeeded(self, began: float, uri: str, ring: KeyRing) -> None:
        before = self._place.confirmed
        old, moved = self._ring, before if before not in (None, uri) else None
        self._ring, self._place.confirmed, self._fetched_at = ring, uri, began
        self._failures, self.last_error, self._failing_since = 0, None, None
        added, removed = _new_in(ring, old), _new_in(old, ring)
        if added or removed:
            self.generation += 1
        if added or removed or moved is not None or ring.ignored != old.ignored:
            why = [f"{shown(kid)}: {reason}" for kid, reason in ring.ignored.items()]
            if moved is not None:
                why.insert(0, f"the address changed from {shown(moved)} to {shown(uri)}")
            self._events(self._event(KeyEventKind.CHANGED, "; ".join(why), added, removed, ring.ignored))

    def _failed(self, began: float, error: Exception) -> None:
        spacing = min(self._policy.key_spacing * 2**self._failures, LONGEST_BACKOFF)
        self._failures = min(self._failures + 1, 8)
        self._next_attempt_at = began + spacing
        self.last_error = error
        if self._failing_since is None:
            self._failing_since = began
        detail = f"{error}; {self._standing(self._failing_since)}"
        self._events(self._event(KeyEventKind.REFRESH_FAILED, detail, (), (), {}))

    def _standing(self, since: float) -> str:
        """Since when it fails, and how long what we have still counts: what an operator asks first."""
        now = self._clock()
        failing = f"failing for {now - since:.0f} s"
        if not self._ring.usable:
            return f"{failing}, and there are no keys yet"
        left = self._fetched_at + self._policy.key_fresh + self._policy.key_stale - now
        counts = f"count for {left:.0f} s more" if left > 0 else "count no more"
        return f"{failing}, and the last good keys are {now - self._fetched_at:.0f} s old and {counts}"

    def _event(
        self,
        kind: KeyEventKind,
        detail: str,
        added: tuple[str, ...],
        removed: tuple[str, ...],
        ignored: Mapping[str, str],
    ) -> KeyEvent:
        return KeyEvent(
            kind=kind,
            name=self._policy.name,
            issuer=self._policy.issuer,
            jwks_uri=self._place.confirmed or "",
            added=added,
            removed=removed,
            ignored=tuple(ignored),
            detail=detail,
        )

    def _unavailable(self, what: str) -> Refused:
        wait = max(1, math.ceil(self._next_attempt_at - self._clock()))
        why = "" if self.last_error is None else f": {self.last_error}"
        return Refused(Reason.KEYS_UNAVAILABLE, f"{what}{why}", retry_after=wait)


def _new_in(ring: KeyRing, other: KeyRing) -> tuple[str, ...]:
    """Key ids of `ring` that `other` has not, or has for another key or other algorithms."""
    known = {kid: (key.thumbprint, key.algorithms) for kid, key in other.usable.items()}
    return tuple(
        kid for kid, key in ring.usable.items() if known.get(kid) != (key.thumbprint, key.algorithms)
    )
