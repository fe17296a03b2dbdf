"""One provider and one server that trusts it; what turns keys around comes back to good ones."""

from collections.abc import Iterator
from contextlib import ExitStack

import pytest
from foreign_issuer import orders_trusting
from foreign_provider import Provider

from launchworthy.testing.world import World


@pytest.fixture(scope="session")
def place(node, tmp_path_factory) -> Iterator[tuple[World, Provider]]:
    with ExitStack() as stack:
        started: list[Provider] = []

        def issuer(resource: str, scopes: tuple[str, ...]) -> dict[str, object]:
            started.append(stack.enter_context(Provider(node, resource, scopes)))
            times = {"key_fresh": 1, "key_stale": 900, "key_spacing": 1}
            return {"issuer": started[0].issuer, "algorithms": ["ES256"], **times}

        world, _ = stack.enter_context(orders_trusting(tmp_path_factory.mktemp("orders"), issuer))
        yield world, started[0]


@pytest.fixture
def world(place) -> World:
    return place[0]


@pytest.fixture
def provider(place) -> Provider:
    return place[1]
