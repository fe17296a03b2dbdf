"""A verifier over real sockets and a clock that only tests move, asked from ordinary code."""

import asyncio
from contextlib import suppress
from dataclasses import replace
from typing import Any

from launchworthy.testing.issuer import SimulatedIssuer
from launchworthy.tokens import DenyEntries, IssuerPolicy, KeyEvent, KeyEventKind, NobodyDenied
from launchworthy.tokens.fetch import Resolve, resolve, system_network
from launchworthy.tokens.verifier import TokenVerifier
from launchworthy.vocabulary import BearerToken, Principal, Reason, Refused

NETWORK = system_network()
NOW = 1_800_000_000
AUDIENCE = "https://orders.acme.example/mcp"
SCOPES = ("orders:read", "orders:write")
GOOD = "good"


class Clock:
    """Seconds since an arbitrary moment; and the wall clock beside it."""

    def __init__(self) -> None:
        self.elapsed = 0.0
        self.broken: Exception | None = None

    def __call__(self) -> float:
        if self.broken is not None:
            raise self.broken
        return 1000.0 + self.elapsed

    def wall(self) -> float:
        return NOW + self.elapsed


def policy(issuer: SimulatedIssuer, /, **changes: Any) -> IssuerPolicy:
    fields: dict[str, Any] = {
        "name": "simulated",
        "issuer": issuer.issuer,
        "algorithms": ("ES256", "RS256"),
        "max_lifetime": 3600,
        "leeway": 30,
        "jwks_uri": None,
        "scope_claim": "scope",
        "person_claim": None,
        "tenant_claim": None,
        "key_fresh": 300,
        "key_stale": 900,
        "key_spacing": 10,
        "allow_loopback_http": True,
        "single_audience": True,
        "exceptions": (),
        "introspection": None,
    }
    return IssuerPolicy(**fields | changes)


class Court:
    """One verifier. Nothing refreshes by itself here: tests move the clock and ask."""

    def __init__(
        self,
        runner: asyncio.Runner,
        clock: Clock,
        *policies: IssuerPolicy,
        deny: DenyEntries | None = None,
        seconds: float = 5.0,
        resolve: Resolve = resolve,
    ) -> None:
        self.runner = runner
        self.clock = clock
        self.events: list[KeyEvent] = []
        network = replace(NETWORK, seconds=seconds, resolve=resolve)
        self.verifier = TokenVerifier(
            policies,
            AUDIENCE,
            {},
            self.events.append,
            clock,
            deny=NobodyDenied() if deny is None else deny,
            network=network,
        )

    def start(self, deadline: float = 5) -> None:
        self.runner.run(self.verifier.start(deadline))

    def close(self) -> None:
        self.runner.run(self.verifier.aclose())

    def outcome(self, token: str) -> str:
        """`good`, or the reason."""
        try:
            self.runner.run(self.verifier.verify(BearerToken(token), int(self.clock.wall())))
        except Refused as refused:
            return refused.reason
        return GOOD

    def refusal(self, token: str) -> Refused:
        try:
            self.runner.run(self.verifier.verify(BearerToken(token), int(self.clock.wall())))
        except Refused as refused:
            return refused
        raise AssertionError("it was accepted")

    def outcomes(self, tokens: list[str]) -> set[str]:
        """The outcomes of tokens that all come at the same time."""

        async def all_at_once() -> list[Principal | BaseException]:
            now = int(self.clock.wall())
            asked = (self.verifier.verify(BearerToken(token), now) for token in tokens)
            return await asyncio.gather(*asked, return_exceptions=True)

        answers = self.runner.run(all_at_once())
        return {answer.reason if isinstance(answer, Refused) else GOOD for answer in answers
                if isinstance(answer, Principal | Refused)}  # fmt: skip

    def failures(self) -> list[str]:
        return [event.detail for event in self.events if event.kind is KeyEventKind.REFRESH_FAILED]

    def settle(self) -> None:
        """Let what was begun in the background come to its end."""

        async def wait() -> None:
            for issuer in self.verifier._issuers.values():
                if (attempt := issuer.keys._attempt) is not None:
                    with suppress(asyncio.CancelledError):
                        await asyncio.wait({attempt}, timeout=10)

        self.runner.run(wait())


UNKNOWN = Reason.TOKEN_KID
UNAVAILABLE = Reason.KEYS_UNAVAILABLE
