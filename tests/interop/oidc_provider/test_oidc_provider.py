"""Tokens of oidc-provider, as its clients get them, at our server: which are good, and which are not."""

import asyncio
import time

import httpx2
import pytest
from foreign_provider import CALLBACK, DOCUMENT, OTHER, Person, Provider, SentBack
from mcp.client.auth import OAuthClientProvider
from mcp.client.auth.extensions.client_credentials import PrivateKeyJWTOAuthProvider
from mcp.shared.auth import OAuthClientMetadata
from sdk_access import Storage, calls, connected, last_attempt

from launchworthy.testing.client import Client, Refused
from launchworthy.testing.world import World, wait_until
from launchworthy.vocabulary import Secret

pytestmark = pytest.mark.foreign


def with_a_key(world: World, provider: Provider) -> httpx2.Auth:
    async def assertion(audience: str) -> str:
        return provider.agent.assertion(audience, int(time.time()))

    return PrivateKeyJWTOAuthProvider(
        world.url, Storage(), provider.agent.client_id, assertion, issuer=provider.issuer
    )


def with_a_browser(document: str | None):
    def auth(world: World, provider: Provider) -> httpx2.Auth:
        person = Person(provider)
        metadata = {
            "redirect_uris": [CALLBACK],
            "grant_types": ["authorization_code"],
            "client_name": "Agent",
        }
        return OAuthClientProvider(
            world.url,
            OAuthClientMetadata.model_validate(metadata),
            Storage(),
            person.open,
            person.come_back,
            client_metadata_url=document,
        )

    return auth


@pytest.mark.parametrize("mode", ["2026-07-28", "legacy"])
@pytest.mark.parametrize(
    "way",
    [
        pytest.param((with_a_key, "agent-with-a-key", "agent-with-a-key"), id="private_key_jwt"),
        pytest.param((with_a_browser(DOCUMENT), "alice", DOCUMENT), id="metadata_document"),
    ],
)
def test_the_sdks_client_finds_its_way_and_steps_up(world, provider, mode, way):
    auth, subject, client_id = way

    async def scenario():
        async with connected(world, auth(world, provider), mode) as client:
            found = await client.call_tool("find_orders", {"customer": "c-17"})
            placed = await client.call_tool("place_order", {"customer": "c-17", "item": "teapot"})
        assert not found.is_error
        assert placed.structured_content["item"] == "teapot"

    asyncio.run(scenario())
    attempt = last_attempt(world)
    assert (attempt["subject"], attempt["client"], attempt["issuer"]) == (subject, client_id, provider.issuer)
    assert attempt["scopes"] == ["orders:read", "orders:write"]


@pytest.mark.parametrize("mode", ["2026-07-28", "legacy"])
def test_a_client_that_registers_itself_is_held_to_the_scopes_of_its_first_call(world, provider, mode):
    """The SDK's client registers with the scopes of the 401, and this provider gives it no others later."""

    async def scenario():
        async with connected(world, with_a_browser(None)(world, provider), mode) as client:
            found = await client.call_tool("find_orders", {"customer": "c-17"})
            assert not found.is_error
            world.executions.taken()
            await client.call_tool("place_order", {"customer": "c-17", "item": "teapot"})

    with pytest.raises(BaseException) as raised:  # noqa: PT011 - a group, narrowed below
        asyncio.run(scenario())
    error = raised.value
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    assert isinstance(error, SentBack)
    assert str(error) == "invalid_scope"
    assert world.executions.taken() == 0


def test_a_token_for_another_resource_opens_nothing(world, provider):
    assert calls(world, provider.token(resource=OTHER)) == (401, "token.audience")
    assert isinstance(calls(world, provider.token()), list)


def test_an_opaque_token_opens_nothing(world, provider):
    assert calls(world, provider.token(resource="", scope="openid")) == (401, "token.malformed")


def test_a_token_that_is_bound_to_a_key_is_no_bearer_token(world, provider):
    bound = provider.token(proof=provider.proof_of_possession())
    assert calls(world, bound) == (401, "token.bound")


def test_a_token_beyond_whose_scopes_a_call_is_gets_a_403(world, provider):
    with (
        Client(world.url, Secret(provider.token("orders:read"))) as client,
        pytest.raises(Refused) as refused,
    ):
        client.call("place_order", customer="c-17", item="teapot")
    assert (refused.value.status, refused.value.scopes) == (403, ("orders:write",))


def test_a_new_key_is_good_soon_and_a_withdrawn_one_is_not(world, provider):
    old = provider.token()
    assert isinstance(calls(world, old), list)
    provider.turn("rotate")
    new = provider.token()
    wait_until(lambda: isinstance(calls(world, new), list), timeout=5, what="the new key")
    assert isinstance(calls(world, old), list)
    provider.turn("withdraw")
    wait_until(lambda: calls(world, old) == (401, "token.kid"), timeout=10, what="the end of the old key")
    assert isinstance(calls(world, new), list)


def test_while_its_keys_cannot_be_had_known_ones_stay_good_and_unknown_ones_are_no_verdict(world, provider):
    known = provider.token()
    assert isinstance(calls(world, known), list)
    provider.turn("jwks-down")
    before = provider.turn("asked")["asked"]["/jwks"]
    wait_until(lambda: provider.turn("asked")["asked"]["/jwks"] > before, timeout=10, what="a refresh")
    assert isinstance(calls(world, known), list)
    provider.turn("rotate")
    unknown = provider.token()
    assert calls(world, unknown) == (503, "keys.unavailable")
    assert isinstance(calls(world, known), list)
    provider.turn("jwks-up")
    wait_until(lambda: isinstance(calls(world, unknown), list), timeout=10, what="recovery")
