"""One issuer and one clock for each test."""

import asyncio
from collections.abc import Iterator

import pytest
from tokens_court import AUDIENCE, SCOPES, Clock, Court, policy

from launchworthy.testing.issuer import SimulatedIssuer


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def issuer(clock: Clock) -> Iterator[SimulatedIssuer]:
    with SimulatedIssuer({AUDIENCE: SCOPES}, clock=clock.wall) as running:
        yield running


@pytest.fixture
def runner() -> Iterator[asyncio.Runner]:
    with asyncio.Runner() as made:
        yield made


@pytest.fixture
def cold(issuer: SimulatedIssuer, clock: Clock, runner: asyncio.Runner) -> Iterator[Court]:
    """A verifier that was not started and has asked nobody."""
    made = Court(runner, clock, policy(issuer))
    yield made
    made.close()


@pytest.fixture
def court(issuer: SimulatedIssuer, clock: Clock, runner: asyncio.Runner) -> Iterator[Court]:
    made = Court(runner, clock, policy(issuer))
    made.start()
    yield made
    made.close()
