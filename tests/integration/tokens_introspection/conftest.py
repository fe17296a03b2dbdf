"""An issuer of opaque tokens beside one of JWTs, and a verifier that asks the first about them."""

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest
from introspection_court import AUDIENCE, Clock, Court

from launchworthy.testing.issuer import SimulatedIssuer


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def issuer(clock: Clock) -> Iterator[SimulatedIssuer]:
    with SimulatedIssuer({AUDIENCE: ("orders:read",)}, clock=clock.wall) as running:
        yield running


@pytest.fixture
def other(clock: Clock) -> Iterator[SimulatedIssuer]:
    with SimulatedIssuer({AUDIENCE: ("orders:read",)}, clock=clock.wall) as running:
        yield running


@pytest.fixture
def make(issuer: SimulatedIssuer, other: SimulatedIssuer, clock: Clock) -> Iterator[Any]:
    with asyncio.Runner() as runner:
        made: list[Court] = []

        def court(**changes: Any) -> Court:
            made.append(Court(runner, clock, issuer, other, **changes))
            return made[-1]

        yield court
        for each in made:
            each.close()


@pytest.fixture
def court(make: Any) -> Court:
    started: Court = make()
    started.start()
    return started
