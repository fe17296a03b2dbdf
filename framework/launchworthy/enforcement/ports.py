"""What does the gate need of others? One small Protocol for each, filled in by `server`."""

from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager
from typing import Protocol

from launchworthy.audit import Recorder
from launchworthy.audit.canary import Shown
from launchworthy.manifest import TargetKey, TargetManifest
from launchworthy.policy import Query
from launchworthy.vocabulary import BearerToken, CallId, Decision, Granted, Principal

__all__ = [
    "Limits",
    "PolicyDecisionPoint",
    "Readiness",
    "Recorder",
    "Redactor",
    "Stops",
    "Verifier",
    "Witness",
]


class Verifier(Protocol):
    """Who is calling?"""

    def knows(self, token: BearerToken, now: int) -> bool:
        """Whether this token was verified a moment ago, and `verify` will not do it again."""

    async def verify(self, token: BearerToken, now: int) -> Principal:
        """Turn an unverified token into a caller.

        Raises:
            Refused: `token.*` or `keys.unavailable`.
        """

    async def verify_again(self, token: BearerToken, principal: Principal, now: int) -> Principal:
        """Find out whether a token that was good still is, for a stream that goes on with it.

        Raises:
            Refused: as `verify`; `token.expired` without leeway.
        """

    def refuse_denied(self, principal: Principal) -> None:
        """Return if a caller that was verified is not denied now; asking waits for nothing.

        Raises:
            Refused: `token.denied` or `control.stale`.
        """


class PolicyDecisionPoint(Protocol):
    """May they, here, now?"""

    def decide(self, query: Query) -> Decision:
        """Allow a call.

        Raises:
            Refused: `tool.policy`, `tool.environment`, `policy.entity_missing`.
        """


class Stops(Protocol):
    """What is stopped or lifted now? Asked for every call and every list; asking waits for nothing."""

    def refuse_stopped(self, target: str) -> None:
        """Return if calls of this target are not stopped.

        Raises:
            Refused: `tool.stopped`.
        """

    def granted(self, principal: Principal, target: str, now: int) -> tuple[Granted, ...]:
        """The grants that count for this caller's calls of this target at this moment."""

    def without_stopped(self, targets: frozenset[TargetKey]) -> frozenset[TargetKey]:
        """What is left of a list."""


class Limits(Protocol):
    """Is there room for one more call?"""

    def call(
        self, target: TargetManifest, principal: Principal, call: CallId
    ) -> AbstractAsyncContextManager[None]:
        """Room for one call of a target, until it is left.

        Raises:
            Refused: `limit.*` on entering it; nothing was used up then.
        """

    def request(self, principal: Principal, call: CallId) -> AbstractAsyncContextManager[None]:
        """Room for one request that calls nothing: a list, a discovery.

        Raises:
            Refused: `limit.rate` on entering it.
        """


class Witness(Protocol):
    """Who says what was seen of a request? Asked only by verified callers, for requests that call nothing."""

    async def sighting(self, nonce: str, shown: Shown, call: CallId) -> bytes:
        """The value of the answer's `Launchworthy-Canary` header.

        Raises:
            Refused: `identity.*`: nobody can say it now.
        """


class Redactor(Protocol):
    """What of a call may stand in a record?"""

    def redact(
        self, target: str, classes: Mapping[str, str], arguments: Mapping[str, object]
    ) -> dict[str, dict[str, str | int | bool | None]]:
        """What the record says of the arguments."""

    def result_digest(self, target: str, body: bytes) -> str:
        """A keyed digest of a result."""

    def token_id(self, issuer: str, jti: str) -> str:
        """A keyed digest of a token's id."""


Readiness = Callable[[], None]
"""Returns if calls may go through; raises `Refused` (`identity.*`, `control.stale`, `audit.unwritable`)."""
