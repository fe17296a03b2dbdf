"""Every token of the vectors meets the real verifier: what is expected, and nothing else, comes out."""

import asyncio
import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tokens_recipes import ALGORITHMS, AUDIENCE, NOW, RecipeWorld

from launchworthy.tokens import ExceptionRule, IssuerException, IssuerPolicy, NobodyDenied
from launchworthy.tokens.verifier import TokenVerifier
from launchworthy.vocabulary import BearerToken, Principal, Reason, Refused

VECTORS = Path(__file__).parents[2] / "vectors" / "tokens.json"
FAMILIES: list[dict[str, Any]] = json.loads(VECTORS.read_text())["families"]
CASES = [
    pytest.param(case, id=f"{family['family']}: {case['name']}")
    for family in FAMILIES
    for case in family["cases"]
]


class Verifiers:
    """One verifier for each policy that the recipes ask for, all in one event loop."""

    def __init__(self, world: RecipeWorld, runner: asyncio.Runner) -> None:
        self.world = world
        self.runner = runner
        self.made: dict[str, TokenVerifier] = {}

    def outcome(self, token: str, policy: dict[str, Any]) -> Principal | Refused:
        name = json.dumps(policy, sort_keys=True)
        if name not in self.made:
            self.made[name] = self.runner.run(self._start(policy))
        try:
            return self.runner.run(self.made[name].verify(BearerToken(token), NOW))
        except Refused as refused:
            return refused

    async def _start(self, changes: dict[str, Any]) -> TokenVerifier:
        policies = [policy(issuer.issuer, **changes) for issuer in (self.world.issuer, self.world.other)]
        verifier = TokenVerifier(policies, AUDIENCE, {}, lambda _: None, time.monotonic, deny=NobodyDenied())
        await verifier.start(5)
        return verifier

    async def _close(self) -> None:
        for verifier in self.made.values():
            await verifier.aclose()

    def close(self) -> None:
        self.runner.run(self._close())


def policy(issuer: str, **changes: Any) -> IssuerPolicy:
    fields: dict[str, Any] = {
        "name": issuer[-5:],
        "issuer": issuer,
        "algorithms": ALGORITHMS,
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
    exceptions = tuple(
        IssuerException(rule=ExceptionRule(rule), value=value, until=NOW + seconds)
        for rule, value, seconds in changes.get("exceptions", ())
    )
    return IssuerPolicy(**fields | changes | {"exceptions": exceptions})


@pytest.fixture(scope="module")
def verifiers() -> Iterator[Verifiers]:
    world = RecipeWorld()
    world.start()
    try:
        with asyncio.Runner() as runner:
            made = Verifiers(world, runner)
            yield made
            made.close()
    finally:
        world.stop()


@pytest.mark.parametrize("case", CASES)
def test_a_token_has_the_expected_outcome(verifiers: Verifiers, case: dict[str, Any]) -> None:
    outcome = verifiers.outcome(verifiers.world.token(case), case.get("policy", {}))
    if case["expect"] == "accepted":
        assert isinstance(outcome, Principal), outcome
    else:
        assert isinstance(outcome, Refused), "a false accept"
        assert (outcome.reason, outcome.detail.isprintable()) == (Reason(case["expect"]), True), outcome


@pytest.mark.parametrize("family", FAMILIES, ids=[family["family"] for family in FAMILIES])
def test_every_family_has_a_positive_twin(family: dict[str, Any]) -> None:
    assert {"accepted"} < {case["expect"] for case in family["cases"]}


def test_the_vectors_cover_every_reason_of_the_family() -> None:
    expected = {case["expect"] for family in FAMILIES for case in family["cases"]} - {"accepted"}
    assert len(CASES) >= 200
    others = {Reason.TOKEN_DENIED, Reason.TOKEN_INACTIVE}  # of lists, and of issuers that are asked
    assert expected == {reason for reason in Reason if reason.family == "token"} - others
