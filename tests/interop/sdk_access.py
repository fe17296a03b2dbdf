"""The SDK's client with one of its own ways to a token, and what a token by itself opens."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import httpx2
from mcp.client import Client as SdkClient
from mcp.client.streamable_http import streamable_http_client
from mcp.shared.auth import OAuthClientInformationFull, OAuthToken
from orders_server import records

from launchworthy.testing.client import Client, Refused
from launchworthy.testing.world import World
from launchworthy.vocabulary import Secret


class Storage:
    """What a client remembers."""

    def __init__(self, client: OAuthClientInformationFull | None = None) -> None:
        """Know nothing, or a registration that was made beforehand."""
        self.tokens: OAuthToken | None = None
        self.client = client

    async def get_tokens(self) -> OAuthToken | None:
        return self.tokens

    async def set_tokens(self, tokens: OAuthToken) -> None:
        self.tokens = tokens

    async def get_client_info(self) -> OAuthClientInformationFull | None:
        return self.client

    async def set_client_info(self, client_info: OAuthClientInformationFull) -> None:
        self.client = client_info


@asynccontextmanager
async def connected(world: World, auth: httpx2.Auth, mode: str, **hooks: Any) -> AsyncIterator[SdkClient]:
    """The SDK's client in one of its modes; `hooks` are the HTTP client's."""
    async with (
        httpx2.AsyncClient(auth=auth, trust_env=False, timeout=30, event_hooks=hooks) as http,
        SdkClient(streamable_http_client(world.url, http_client=http), mode=mode) as client,
    ):
        yield client


def calls(world: World, token: str) -> object:
    """What the token opens: the tool's result, or the status and the reason in the audit."""
    with Client(world.url, Secret(token)) as client:
        try:
            return client.call("find_orders", customer="c-17")
        except Refused as refused:
            [record] = [one for one in records(world) if one.get("call") == refused.call]
            return refused.status, record["reason"]


def last_attempt(world: World) -> Mapping[str, Any]:
    """The record of the call that ran last."""
    [*_, attempt] = [one for one in records(world) if one["type"] == "tool.attempt"]
    return attempt
