"""One Keycloak, realms in it, and servers that trust them."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from foreign_issuer import orders_trusting
from keycloak_realm import TYPED, Keycloak, Realm

from launchworthy.testing.world import World

EXCEPTION = """
[issuers.callers.exceptions.typ]
value  = "JWT"
reason = "the clients of this realm are switched to the right type one by one until then"
owner  = "@acme/sign-in"
until  = {until}
"""


@pytest.fixture(scope="session")
def keycloak(tmp_path_factory) -> Iterator[Keycloak]:
    home = os.environ.get("INTEROP_KEYCLOAK", "")
    if not home:
        pytest.skip("INTEROP_KEYCLOAK does not say where Keycloak is; the session `interop-keycloak` does")
    with Keycloak(Path(home), tmp_path_factory.mktemp("keycloak")) as running:
        yield running


@contextmanager
def trusting(keycloak: Keycloak, name: str, scratch: Path, more: str = "") -> Iterator[tuple[World, Realm]]:
    made: list[Realm] = []

    def issuer(resource: str, scopes: tuple[str, ...]) -> dict[str, object]:
        made.append(Realm(keycloak, name, resource, scopes))
        times = {"key_fresh": 1, "key_stale": 900, "key_spacing": 1}
        return {"issuer": made[0].issuer, "algorithms": ["ES256"], **times}

    with orders_trusting(scratch, issuer, more) as (world, _):
        yield world, made[0]


@pytest.fixture(scope="session")
def place(keycloak, tmp_path_factory) -> Iterator[tuple[World, Realm]]:
    with trusting(keycloak, "acme", tmp_path_factory.mktemp("orders")) as standing:
        yield standing


@pytest.fixture
def lenient(keycloak, tmp_path) -> Iterator[tuple[World, Realm]]:
    """A server that overlooks the type, for a while, and a realm that needs that."""
    until = (datetime.now(UTC) + timedelta(days=30)).date().isoformat()
    with trusting(keycloak, "old", tmp_path, EXCEPTION.format(until=until)) as standing:
        standing[1].switch("agent", TYPED, on=False)
        yield standing


@pytest.fixture
def world(place) -> World:
    return place[0]


@pytest.fixture
def realm(place) -> Realm:
    return place[1]
