"""A verifier over real sockets that asks one of its two issuers about opaque tokens."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

from launchworthy.testing.issuer import SimulatedIssuer
from launchworthy.tokens import IntrospectionPolicy, IssuerPolicy, NobodyDenied
from launchworthy.tokens.fetch import system_network
from launchworthy.tokens.introspection import JWT_BEARER
from launchworthy.tokens.verifier import TokenVerifier
from launchworthy.vocabulary import BearerToken, Principal, Refused, Secret

AUDIENCE = "https://orders.acme.example/mcp"
NOW = 1_800_000_000
GOOD = "good"


class Clock:
    """Seconds that only tests move."""

    def __init__(self) -> None:
        self.elapsed = 0.0

    def __call__(self) -> float:
        return 1000.0 + self.elapsed

    def wall(self) -> float:
        return NOW + self.elapsed


class Assertions:
    """The proofs of a registered client, and for whom they were asked."""

    def __init__(self, issuer: SimulatedIssuer, clock: Clock) -> None:
        self._issuer = issuer
        self._clock = clock
        self.audiences: list[str] = []
        self.failure: Exception | None = None

    async def assertion(self, audience: str) -> Secret:
        self.audiences.append(audience)
        if self.failure is not None:
            raise self.failure
        return Secret(self._issuer.client.assertion(audience, int(self._clock.wall())))


class Court:
    """One verifier, asked from ordinary code."""

    def __init__(
        self,
        runner: asyncio.Runner,
        clock: Clock,
        issuer: SimulatedIssuer,
        other: SimulatedIssuer,
        *,
        seconds: float = 5.0,
        deny: Any = None,
        **changes: Any,
    ) -> None:
        self.runner = runner
        self.clock = clock
        self.assertions = Assertions(issuer, clock)
        self.events: list[Any] = []
        how = IntrospectionPolicy(
            endpoint=changes.pop("endpoint", None), client=issuer.client.client_id, assertion_type=JWT_BEARER
        )
        policies = (policy(issuer.issuer, introspection=how, **changes), policy(other.issuer))
        self.verifier = TokenVerifier(
            policies, AUDIENCE, {}, self.events.append, clock,
            deny=NobodyDenied() if deny is None else deny,
            assertions=self.assertions, network=replace(system_network(), seconds=seconds),
        )  # fmt: skip

    def start(self) -> None:
        self.runner.run(self.verifier.start(5))

    def close(self) -> None:
        self.runner.run(self.verifier.aclose())

    def answer(self, token: str) -> Principal | Refused:
        return self.runner.run(self._verified(token))

    def outcome(self, token: str) -> str:
        answer = self.answer(token)
        return answer.reason if isinstance(answer, Refused) else GOOD

    def at_once(self, tokens: list[str]) -> list[str]:
        answers = self.runner.run(_gather([self._verified(token) for token in tokens]))
        return [answer.reason if isinstance(answer, Refused) else GOOD for answer in answers]

    def run(self, what: Callable[[], Awaitable[Any]]) -> Any:
        return self.runner.run(what())  # type: ignore[arg-type]

    async def _verified(self, token: str) -> Principal | Refused:
        try:
            return await self.verifier.verify(BearerToken(token), int(self.clock.wall()))
        except Refused as refused:
            return refused


async def _gather(asked: list[Any]) -> list[Any]:
    return list(await asyncio.gather(*asked))


def policy(issuer: str, **changes: Any) -> IssuerPolicy:
    fields: dict[str, Any] = {
        "name": f"simulated-{issuer[-5:]}",
        "issuer": issuer,
        "algorithms": ("ES256",),
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
