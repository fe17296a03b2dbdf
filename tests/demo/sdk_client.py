"""How does somebody else's client get in? The MCP SDK's own, from a bare URL to a called tool."""

from collections.abc import Callable
from typing import Any

import anyio
import httpx2
from mcp.client import Client
from mcp.client.auth.extensions.client_credentials import PrivateKeyJWTOAuthProvider
from mcp.client.streamable_http import streamable_http_client

from launchworthy.testing.world import World


class _MemoryStorage:
    """Tokens and registration, for one run."""

    def __init__(self) -> None:
        self._tokens: Any = None
        self._client: Any = None

    async def get_tokens(self) -> Any:
        return self._tokens

    async def set_tokens(self, tokens: Any) -> None:
        self._tokens = tokens

    async def get_client_info(self) -> Any:
        return self._client

    async def set_client_info(self, client_info: Any) -> None:
        self._client = client_info


def call_tool(world: World, tool: str, arguments: dict[str, Any], *, now: Callable[[], float]) -> Any:
    """Find the issuer, get a token by a signed assertion, step up if told to, call; the structured result."""

    async def assertion(audience: str) -> str:
        return world.issuer.client.assertion(audience, int(now()))

    async def run() -> Any:
        provider = PrivateKeyJWTOAuthProvider(
            server_url=world.url,
            storage=_MemoryStorage(),
            client_id=world.issuer.client.client_id,
            assertion_provider=assertion,
            issuer=world.issuer.issuer,
        )
        async with (
            httpx2.AsyncClient(auth=provider, trust_env=False, timeout=10) as http,
            Client(streamable_http_client(world.url, http_client=http)) as client,
        ):
            result = await client.call_tool(tool, arguments)
            if result.is_error:
                raise RuntimeError(str(result.content))
            return result.structured_content

    return anyio.run(run)
