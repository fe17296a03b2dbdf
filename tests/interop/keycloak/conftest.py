"""One Keycloak, one realm in it, and one server that trusts it."""

import os
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from foreign_issuer import orders_trusting
from keycloak_realm import Keycloak, Realm

from launchworthy.testing.world import World


@pytest.fixture(scope="session")
def place(tmp_path_factory) -> Iterator[tuple[World, Realm]]:
    home = os.environ.get("INTEROP_KEYCLOAK", "")
    if not home:
        pytest.skip("INTEROP_KEYCLOAK does not say where Keycloak is; the session `interop-keycloak` does")
    with ExitStack() as stack:
        keycloak = stack.enter_context(Keycloak(Path(home), tmp_path_factory.mktemp("keycloak")))
        made: list[Realm] = []

        def issuer(resource: str, scopes: tuple[str, ...]) -> dict[str, object]:
            made.append(Realm(keycloak, resource, scopes))
            times = {"key_fresh": 1, "key_stale": 900, "key_spacing": 1}
            return {"issuer": made[0].issuer, "algorithms": ["ES256"], **times}

        world, _ = stack.enter_context(orders_trusting(tmp_path_factory.mktemp("orders"), issuer))
        yield world, made[0]


@pytest.fixture
def world(place) -> World:
    return place[0]


@pytest.fixture
def realm(place) -> Realm:
    return place[1]
