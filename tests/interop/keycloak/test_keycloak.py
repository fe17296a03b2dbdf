"""Tokens of Keycloak, as its clients get them, at our server: which are good, and which are not."""

import asyncio
import time

import httpx2
import pytest
from keycloak_realm import BROWSER, CALLBACK, TYPED, Realm
from mcp.client.auth import OAuthClientProvider
from mcp.client.auth.extensions.client_credentials import PrivateKeyJWTOAuthProvider
from mcp.shared.auth import OAuthClientInformationFull, OAuthClientMetadata
from sdk_access import Storage, calls, connected, last_attempt

from launchworthy.testing.client import Client, Refused
from launchworthy.testing.world import World, wait_until
from launchworthy.vocabulary import Secret

pytestmark = pytest.mark.foreign
MODES = pytest.mark.parametrize("mode", ["2026-07-28", "legacy"])


def with_a_key(world: World, realm: Realm) -> httpx2.Auth:
    async def assertion(audience: str) -> str:
        return realm.agent.assertion(audience, int(time.time()))

    return PrivateKeyJWTOAuthProvider(
        world.url, Storage(), realm.agent.client_id, assertion, issuer=realm.issuer
    )


def with_a_browser(world: World, realm: Realm) -> httpx2.Auth:
    """A client that was registered beforehand.

    It says that it wants no refresh tokens: the SDK's client asks for `offline_access` too where the issuer
    offers it, and Keycloak refuses that to a client that was not given it.
    """
    person = realm.person()
    metadata = {
        "redirect_uris": [CALLBACK],
        "grant_types": ["authorization_code"],
        "token_endpoint_auth_method": "none",
    }
    known = OAuthClientInformationFull.model_validate(
        metadata | {"client_id": BROWSER, "issuer": realm.issuer}
    )
    return OAuthClientProvider(
        world.url,
        OAuthClientMetadata.model_validate(metadata),
        Storage(known),
        person.open,
        person.come_back,
    )


@MODES
@pytest.mark.parametrize(("auth", "client"), [(with_a_key, "agent-with-a-key"), (with_a_browser, BROWSER)])
def test_the_sdks_client_finds_its_way_and_steps_up(world, realm, mode, auth, client):
    async def scenario():
        async with connected(world, auth(world, realm), mode) as caller:
            found = await caller.call_tool("find_orders", {"customer": "c-17"})
            placed = await caller.call_tool("place_order", {"customer": "c-17", "item": "teapot"})
        assert not found.is_error
        assert placed.structured_content["item"] == "teapot"

    asyncio.run(scenario())
    attempt = last_attempt(world)
    assert (attempt["client"], attempt["issuer"]) == (client, realm.issuer)
    assert set(attempt["scopes"]) == {"orders:read", "orders:write"}


def test_a_token_for_another_server_opens_nothing(world, realm):
    other = realm.token("payments:read", realm.elsewhere)
    assert calls(world, other) == (401, "token.audience")
    assert isinstance(calls(world, realm.token()), list)


def test_a_token_without_a_scope_of_ours_has_no_audience_and_opens_nothing(world, realm):
    assert calls(world, realm.token("")) == (401, "token.audience")


def test_a_token_beyond_whose_scopes_a_call_is_gets_a_403(world, realm):
    token = Secret(realm.token("orders:read"))
    with Client(world.url, token) as client, pytest.raises(Refused) as refused:
        client.call("place_order", customer="c-17", item="teapot")
    assert (refused.value.status, refused.value.scopes) == (403, ("orders:write",))


def test_what_it_issues_unless_it_is_told_to_say_what_it_is_opens_nothing(world, realm):
    """Out of the box an access token says `typ: JWT`, as an ID token does; a client's switch changes that."""
    realm.switch("agent", TYPED, on=False)
    try:
        assert calls(world, realm.token()) == (401, "token.type")
    finally:
        realm.switch("agent", TYPED, on=True)
    assert isinstance(calls(world, realm.token()), list)


def test_a_named_exception_lets_them_in_and_id_tokens_not(lenient):
    world, realm = lenient
    assert isinstance(calls(world, realm.token()), list)
    status, reason = calls(world, realm.identity_token())
    assert (status, reason.partition(".")[0]) == (401, "token")


def test_an_id_token_opens_nothing(world, realm):
    assert calls(world, realm.identity_token()) == (401, "token.type")


def test_a_new_key_is_good_soon_and_a_withdrawn_one_is_not(world, realm):
    before = realm.token()
    key = realm.add_key(500)
    token = realm.token()
    assert token.split(".")[0] != before.split(".")[0]
    wait_until(lambda: isinstance(calls(world, token), list), timeout=10, what="the new key")
    assert isinstance(calls(world, before), list)
    realm.drop_key(key)
    wait_until(lambda: calls(world, token) == (401, "token.kid"), timeout=20, what="its end")
    assert isinstance(calls(world, before), list)
