"""The client of fastmcp against our server: with a token, and with each of its own ways to one."""

import asyncio
import threading
import webbrowser
from collections.abc import Iterator

import pytest
from browser import sign_in
from orders_server import records, running_orders

from launchworthy.testing.issuer import PERSON
from launchworthy.testing.issuer_clients import RegisteredClient
from launchworthy.testing.world import World

fastmcp = pytest.importorskip("fastmcp")
pytestmark = [
    pytest.mark.foreign,
    pytest.mark.filterwarnings("ignore:Using in-memory token storage"),
]
SECRET = "of-nobody-else"


@pytest.fixture(scope="session")
def world(tmp_path_factory) -> Iterator[World]:
    with running_orders(tmp_path_factory.mktemp("orders")) as (standing, _):
        standing.issuer.clients.add(
            RegisteredClient(client_id="fastmcp-agent", keys=None, redirect_uris=(), secret=SECRET)
        )
        yield standing


def used(world: World, auth, *calls):
    """What came of each call; whatever goes wrong is raised."""

    async def scenario():
        async with fastmcp.Client(world.url, auth=auth) as client:
            return [await client.call_tool(name, arguments) for name, arguments in calls]

    return asyncio.run(scenario())


def last_caller(world: World) -> tuple[str, str, list[str]]:
    [*_, attempt] = [one for one in records(world) if one["type"] == "tool.attempt"]
    return attempt["subject"], attempt["client"], attempt["scopes"]


FIND = ("find_orders", {"customer": "c-17"})
PLACE = ("place_order", {"customer": "c-17", "item": "teapot"})


def test_with_a_token_it_calls_and_reads(world):
    [placed, found] = used(world, world.token("orders:read", "orders:write").reveal(), PLACE, FIND)
    assert placed.data.item == "teapot"
    assert placed.data.order_id in {order["order_id"] for order in found.structured_content["result"]}


def test_a_call_beyond_the_scopes_is_an_error_that_says_what_is_missing(world):
    world.executions.taken()
    with pytest.raises(Exception, match="orders:write"):
        used(world, world.token("orders:read").reveal(), PLACE)
    assert world.executions.taken() == 0


def test_what_is_wrong_with_arguments_is_a_tools_error(world):
    with pytest.raises(fastmcp.exceptions.ToolError, match="`customer`"):
        used(world, world.token("orders:read").reveal(), ("find_orders", {"customer": "17"}))


def test_a_token_for_another_audience_opens_nothing(world):
    other = world.token("orders:read", claims={"aud": "https://probe.invalid/mcp"}).reveal()
    with pytest.raises(Exception, match="not accepted"):
        used(world, other, FIND)


def test_with_a_secret_it_finds_its_way_and_steps_up(world):
    from fastmcp.client.auth import ClientCredentialsOAuthProvider

    auth = ClientCredentialsOAuthProvider(
        client_id="fastmcp-agent", client_secret=SECRET, issuer=world.issuer.issuer
    )
    used(world, auth, FIND, PLACE)
    assert last_caller(world) == ("fastmcp-agent", "fastmcp-agent", ["orders:read", "orders:write"])


def test_with_a_key_it_finds_its_way_and_steps_up(world):
    import time

    from fastmcp.client.auth import PrivateKeyJWTOAuthProvider

    client = world.issuer.client

    async def assertion(audience: str) -> str:
        return client.assertion(audience, int(time.time()))

    auth = PrivateKeyJWTOAuthProvider(
        client_id=client.client_id, assertion_provider=assertion, issuer=world.issuer.issuer
    )
    used(world, auth, FIND, PLACE)
    assert last_caller(world) == (client.client_id, client.client_id, ["orders:read", "orders:write"])


def test_through_a_browser_it_finds_its_way_and_steps_up(world, monkeypatch):
    """Its own listener for the way back is real; only who clicks is not a person."""
    opened: list[str] = []

    def open_browser(url: str) -> bool:
        opened.append(url)
        threading.Thread(target=_click, args=(url,), daemon=True).start()
        return True

    monkeypatch.setattr(webbrowser, "open", open_browser)
    used(world, fastmcp.client.auth.OAuth(), FIND, PLACE)
    subject, client, scopes = last_caller(world)
    assert (subject, scopes) == (PERSON, ["orders:read", "orders:write"])
    assert client.startswith("registered-")
    assert len(opened) == 2


def _click(url: str) -> None:
    """Its listener opens only after the browser was asked to, so the way back is tried again."""
    import httpx2

    for _ in range(100):
        try:
            return sign_in(url)
        except httpx2.ConnectError:
            threading.Event().wait(0.05)
    raise TimeoutError("nobody listened for the way back")
