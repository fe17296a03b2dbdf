"""What an issuer can say of a token, and what comes of each."""

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from introspection_court import AUDIENCE, GOOD, NOW, Clock, Court

from launchworthy.testing.issuer import ABSENT, SimulatedIssuer
from launchworthy.vocabulary import Reason

VECTORS = Path(__file__).parents[2] / "vectors" / "tokens_introspection.json"
CASES: list[dict[str, Any]] = json.loads(VECTORS.read_text())["cases"]


@pytest.fixture(scope="module")
def world() -> Iterator[tuple[Court, SimulatedIssuer, SimulatedIssuer]]:
    clock = Clock()
    resources = {AUDIENCE: ("orders:read",)}
    with (
        SimulatedIssuer(resources, clock=clock.wall) as issuer,
        SimulatedIssuer(resources, clock=clock.wall) as other,
        asyncio.Runner() as runner,
    ):
        court = Court(runner, clock, issuer, other)
        court.start()
        yield court, issuer, other
        court.close()


@pytest.mark.parametrize("case", CASES, ids=[case["name"] for case in CASES])
def test_an_answer_has_the_expected_outcome(
    world: tuple[Court, SimulatedIssuer, SimulatedIssuer], case: dict[str, Any]
) -> None:
    court, issuer, other = world
    names = {"<other issuer>": other.issuer}

    def value(given: Any) -> Any:
        match given:
            case {"$absent": True}:
                return ABSENT
            case {"$now": offset}:
                return NOW + offset
            case str():
                return names.get(given, given)
        return given

    issuer.faults.clear()
    if "document" in case:
        issuer.faults.introspection_document = case["document"]
    asked = issuer.counts["introspect"]
    token = issuer.mint_opaque(**{name: value(given) for name, given in case.get("members", {}).items()})
    expected = GOOD if case["expect"] == "accepted" else Reason(case["expect"])
    assert court.outcome(token) == expected
    assert issuer.counts["introspect"] == asked + 1


def test_the_vectors_have_both_outcomes_and_every_reason_that_an_answer_can_have() -> None:
    expected = {case["expect"] for case in CASES}
    assert {"accepted", "token.inactive", "token.bound", "token.audience", "token.issuer", "token.claims",
            "token.expired", "token.not_yet", "token.lifetime", "keys.unavailable"} == expected  # fmt: skip
