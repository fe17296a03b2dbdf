"""The SDK's own client, unmodified, in both of its eras."""

import asyncio
from contextlib import asynccontextmanager

import httpx2
import pytest
from house import eventually
from mcp.client import Client
from mcp.client.streamable_http import streamable_http_client
from mcp.shared.exceptions import MCPError


@asynccontextmanager
async def connected(house, mode, *scopes):
    headers = {"authorization": f"Bearer {house.token(*scopes)}"}
    async with (
        httpx2.AsyncClient(headers=headers, trust_env=False, timeout=10) as http,
        Client(streamable_http_client(house.resource, http_client=http), mode=mode) as client,
    ):
        yield client


@pytest.fixture(params=["2026-07-28", "legacy", "auto"])
def mode(request):
    return request.param


def test_it_lists_calls_reads_and_prompts(house, mode):
    async def use() -> None:
        async with connected(house, mode, "shop:read", "shop:write") as client:
            assert {"add", "find_orders"} <= {tool.name for tool in (await client.list_tools()).tools}
            assert (await client.call_tool("add", {"a": 20, "b": 22})).structured_content == {"result": 42}
            [content] = (await client.read_resource("shop://order/7")).contents
            assert content.text == '{"order_id":7,"item":"teapot"}'
            assert [one.name for one in (await client.list_resources()).resources] == ["logo", "broken"]
            assert len((await client.list_resource_templates()).resource_templates) == 3
            [message] = (await client.get_prompt("greet", {"name": "ada"})).messages
            assert message.content.text == "hello ada"
            assert {one.name for one in (await client.list_prompts()).prompts} == {
                "greet",
                "talk",
                "refuse_to_talk",
            }

    asyncio.run(use())


def test_it_sees_what_a_tool_says_and_what_was_wrong_with_arguments(house, mode):
    async def use() -> None:
        async with connected(house, mode, "shop:read") as client:
            failed = await client.call_tool("say_no", {"order_id": 3})
            assert (failed.is_error, failed.content[0].text) == (True, "order 3 is not yours")
            unfit = await client.call_tool("add", {"a": "1", "b": 2})
            assert unfit.is_error
            assert "`a` (int_type)" in unfit.content[0].text

    asyncio.run(use())


def test_it_is_told_of_progress(house, mode):
    async def use() -> list[float]:
        seen: list[float] = []

        async def note(progress: float, *_: object) -> None:
            seen.append(progress)

        async with connected(house, mode, "shop:read") as client:
            result = await client.call_tool("count", {"steps": 3}, progress_callback=note)
            assert result.structured_content == {"result": 3}
        return seen

    assert asyncio.run(use()) == [1, 2, 3]


def test_it_gets_an_error_it_can_read_where_a_call_does_not_go_through(house, mode):
    async def use() -> list[tuple[int, str]]:
        codes = []
        async with connected(house, mode, "shop:read") as client:
            for name, arguments in (("wipe", {"order_id": 1}), ("nothing", {}), ("add", {"a": 1000, "b": 1})):
                with pytest.raises(MCPError) as refused:
                    await client.call_tool(name, arguments)
                codes.append((refused.value.error.code, refused.value.error.data["reason"]))
        return codes

    assert asyncio.run(use()) == [(403, "insufficient_scope"), (-32602, "unknown"), (403, "denied")]


def test_a_call_that_it_gives_up_is_cancelled(build):
    house = build()

    async def use() -> None:
        async with connected(house, "2026-07-28", "shop:read") as client:
            with pytest.raises((MCPError, TimeoutError)):
                await client.call_tool("wait", {}, read_timeout_seconds=0.3)

    asyncio.run(use())
    assert house.shop.cancelled.wait(5)
    assert eventually(lambda: [one for one in house.records() if one.get("outcome") == "cancelled"])
