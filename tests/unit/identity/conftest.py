"""Authorities that sign in memory, at an instant of their own."""

import pytest

from launchworthy.testing.authority import SimulatedAuthority

NOW = 1_800_000_000


@pytest.fixture
def now():
    return NOW


@pytest.fixture(scope="session")
def authority():
    return SimulatedAuthority(clock=lambda: NOW)
