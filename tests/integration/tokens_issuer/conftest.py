"""One simulated issuer and one HTTP client for all of these tests."""

from collections.abc import Iterator

import httpx2
import pytest
from tokens_issuer_world import ALGORITHMS, CALLBACK, CLOCK, ORDERS, PAYMENTS, metadata_of

from launchworthy.testing.issuer import SimulatedIssuer
from launchworthy.testing.issuer_clients import RegisteredClient


@pytest.fixture(scope="module")
def issuer() -> Iterator[SimulatedIssuer]:
    resources = {ORDERS: ("orders:read", "orders:write"), PAYMENTS: ("refunds:create", "orders:read")}
    running = SimulatedIssuer(
        resources, algorithms=ALGORITHMS, clock=CLOCK, fetch_client_metadata=metadata_of
    )
    running.clients.add(RegisteredClient(client_id="browser", keys=None, redirect_uris=(CALLBACK,)))
    with running:
        yield running


@pytest.fixture(scope="module")
def http() -> Iterator[httpx2.Client]:
    with httpx2.Client(trust_env=False) as client:
        yield client
