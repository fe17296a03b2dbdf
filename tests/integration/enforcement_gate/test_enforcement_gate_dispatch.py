"""No way to a body but through the gate: not in memory, not on stdio, not nested, not later, not twice."""

import asyncio
import io
import json
import time
from dataclasses import replace
from typing import Any

import anyio
import pytest
import shop_tools
import structlog
from house import MODERN, eventually
from house_manifests import manifest_files
from mcp.client import Client
from mcp.server.stdio import stdio_server
from mcp.shared.exceptions import MCPError

from launchworthy.credentials.tellers import Tellers
from launchworthy.enforcement.authorized import Authorized, Passage, passing, take
from launchworthy.enforcement.dispatch import showing
from launchworthy.enforcement.exchange import build_exchange
from launchworthy.enforcement.rehearsing import NOT_REHEARSED
from launchworthy.manifest import Server, TargetKind, load_manifests, match
from launchworthy.vocabulary import (
    CallId,
    Decision,
    Environment,
    Principal,
    PrincipalKind,
    Reason,
    Refused,
)

PRINCIPAL = Principal(
    issuer="https://login.acme.example", subject="s", client="c", kind=PrincipalKind.MACHINE,
    scopes=frozenset({"shop:read"}), actors=(), token_id="j", issued_at=1, expires_at=2,
)  # fmt: skip
DECISION = Decision(rule="manifest:add", policy_digest="p", manifest_digest="m")


@pytest.fixture
def exchange() -> Any:
    manifests = load_manifests(manifest_files())
    server = Server(shop_tools)
    served = match(manifests, server.marks())
    return build_exchange(
        server,
        manifests,
        served,
        Environment.STAGING,
        shop_tools.Shop(),
        NOT_REHEARSED,
        structlog.get_logger(),
        Tellers({}, {}, audit=None, clock=time.time),
    )


def authorised(exchange, name, unvalidated, **values) -> Passage:
    target = exchange.functions[(TargetKind.TOOL, name)].manifest
    return Passage(
        Authorized(
            call=CallId("4T7K-9QX2-M0DV"),
            principal=PRINCIPAL,
            target=target,
            decision=DECISION,
            lifted=frozenset(),
            named=name,
            unvalidated=unvalidated,
            arguments=values,
            callers_token=None,
            completing=None,
            approval=None,
        )
    )


async def nobody(done: float, of: float | None) -> None:
    """Progress goes nowhere."""


def test_an_in_memory_client_lists_nothing_and_runs_nothing(exchange):
    async def attempt() -> None:
        async with Client(exchange._server) as client:
            assert (await client.list_tools()).tools == []
            for attempt in (
                client.call_tool("add", {"a": 1, "b": 2}),
                client.read_resource("shop://logo"),
                client.get_prompt("greet", {"name": "x"}),
            ):
                with pytest.raises(MCPError) as refused:
                    await attempt
                assert refused.value.error.code == 403

    anyio.run(attempt)


def test_stdio_runs_nothing(exchange):
    """What the SDK's stdio transport does with a request, over a pipe."""
    meta = {
        "io.modelcontextprotocol/protocolVersion": MODERN,
        "io.modelcontextprotocol/clientCapabilities": {},
    }
    params = {"name": "add", "arguments": {"a": 1, "b": 2}, "_meta": meta}
    request = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params})
    written = io.StringIO()

    async def serve() -> None:
        near = anyio.wrap_file(io.StringIO(request + "\n"))
        async with stdio_server(near, anyio.wrap_file(written)) as (receive, send):
            await exchange._server.run(receive, send, exchange._server.create_initialization_options())

    anyio.run(serve)
    assert json.loads(written.getvalue())["error"]["code"] == 403


def test_lists_are_empty_where_nobody_said_what_is_visible(exchange):
    async def listed() -> tuple[int, int]:
        handler = exchange._server.get_request_handler("tools/list").handler
        without = await handler(None, None)
        with showing(frozenset({(TargetKind.TOOL, "add")})):
            with_one = await handler(None, None)
        return len(without.tools), len(with_one.tools)

    assert anyio.run(listed) == (0, 1)


def test_a_body_cannot_call_another_tool(house):
    house.executions.taken()
    wiped = house.shop.given.count(("wipe", 1))
    for target in ("wipe", "nest"):
        answer = house.call("nest", target=target)
        assert answer.json()["result"]["structuredContent"] == {"result": "MCPError"}
        attempt, ended = house.story(answer)
        assert (attempt["target"], ended["outcome"]) == ("nest", "ok")
    assert house.executions.taken() == 2
    assert house.shop.given.count(("wipe", 1)) == wiped


def test_a_task_that_is_left_behind_cannot_call_a_tool(house):
    house.executions.taken()
    assert house.call("leave_a_task").json()["result"]["structuredContent"] == {"result": "left"}
    task = house.shop.later[-1]
    eventually(task.done)
    assert isinstance(task.exception(), MCPError)
    assert house.executions.taken() == 1


def test_what_was_authorised_runs_once(exchange):
    passage = authorised(exchange, "add", {"a": 1, "b": 2}, a=1, b=2)
    with passing(passage, nobody):
        assert take(TargetKind.TOOL, "add", {"a": 1, "b": 2}) is passage
        with pytest.raises(Refused) as again:
            take(TargetKind.TOOL, "add", {"a": 1, "b": 2})
    assert again.value.reason is Reason.TOOL_DISPATCH_MISMATCH
    assert passage.mismatch is None, "the first run keeps its own outcome"


@pytest.mark.parametrize(
    "other",
    [
        {"a": 1, "b": True},
        {"a": 1, "b": 1.0},
        {"a": 1},
        {"a": 1, "b": 1, "c": 1},
        {"a": 1, "b": "1"},
        {"a": 1, "b": None},
    ],
)
def test_other_arguments_than_were_authorised_do_not_run(exchange, other):
    passage = authorised(exchange, "add", {"a": 1, "b": 1}, a=1, b=1)
    with passing(passage, nobody), pytest.raises(Refused):
        take(TargetKind.TOOL, "add", other)
    assert passage.mismatch == "other arguments were authorised"
    assert passage.outcome == "not_dispatched"


def test_another_target_than_was_authorised_does_not_run(exchange):
    for kind, name in ((TargetKind.TOOL, "wipe"), (TargetKind.PROMPT, "add"), (TargetKind.RESOURCE, "add")):
        passage = authorised(exchange, "add", {}, a=1, b=1)
        with passing(passage, nobody), pytest.raises(Refused):
            take(kind, name, {})
        assert passage.mismatch == "something else was authorised"


def test_what_may_complete_an_argument_runs_nothing_else(exchange):
    unvalidated = {"typed": "a", "given": {}}
    of_tool = authorised(exchange, "add", unvalidated, typed="a", given={}).authorized
    greet = exchange.functions[(TargetKind.PROMPT, "greet")].manifest
    completing = replace(of_tool, target=greet, named="greet", completing="name")
    for wanted in (None, "times"):
        passage = Passage(completing)
        with passing(passage, nobody), pytest.raises(Refused):
            take(TargetKind.PROMPT, "greet", unvalidated, completing=wanted)
        assert passage.mismatch == "something else was authorised"
    with passing(Passage(replace(completing, completing=None)), nobody), pytest.raises(Refused):
        take(TargetKind.PROMPT, "greet", unvalidated, completing="name")
    with passing(Passage(completing), nobody):
        take(TargetKind.PROMPT, "greet", unvalidated, completing="name")


def test_the_body_gets_the_authorised_values_whatever_the_sdk_was_asked_for(exchange):
    async def run() -> Any:
        from mcp_types import CallToolRequestParams

        handler = exchange._server.get_request_handler("tools/call").handler
        context = type("Context", (), {"protocol_version": MODERN})()
        passage = authorised(exchange, "add", {"a": 1, "b": 2}, a=40, b=2)
        with passing(passage, nobody):
            return await handler(context, CallToolRequestParams(name="add", arguments={"a": 1, "b": 2}))

    assert anyio.run(run)["structuredContent"] == {"result": 42}


def test_a_mismatch_within_the_exchange_is_a_403_and_an_outcome(house, monkeypatch):
    import launchworthy.enforcement.exchange as exchange_module

    house.executions.taken()
    honest = exchange_module.without_trace_context

    def lying(params):
        changed = honest(params)
        if changed.get("arguments") == {"a": 1, "b": 2}:
            return {**changed, "arguments": {"a": 1, "b": 3}}
        return changed

    monkeypatch.setattr(exchange_module, "without_trace_context", lying)
    answer = house.call("add", a=1, b=2)
    assert (answer.status_code, answer.json()["error"]["data"]["reason"]) == (403, "denied")
    attempt, ended = house.story(answer)
    assert (attempt["type"], ended["outcome"], ended["reason"]) == (
        "tool.attempt",
        "not_dispatched",
        "tool.dispatch_mismatch",
    )
    assert house.executions.taken() == 0
    assert house.call("add", a=2, b=2).status_code == 200
    house.executions.taken()


def test_what_the_sdk_refuses_in_between_is_said_to_have_reached_no_body(house, revision):
    house.executions.taken()
    params = {"name": "add", "arguments": {"a": 1, "b": 2}, "_meta": {"progressToken": {"not": "a token"}}}
    answer = house.post("tools/call", params, revision=revision)
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, -32602)
    attempt, ended = house.story(answer)
    assert (attempt["type"], ended["outcome"]) == ("tool.attempt", "not_dispatched")
    assert house.executions.taken() == 0


def test_a_state_that_a_client_brings_is_refused(house):
    params = {"name": "add", "arguments": {"a": 1, "b": 2}, "requestState": "v1.forged"}
    answer = house.post("tools/call", params)
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, -32602)
    assert house.story(answer)[-1]["outcome"] == "not_dispatched"


def test_contexts_of_two_calls_do_not_mix(house):
    async def both() -> list[int]:
        import httpx2
        from house import headers_of, message_of

        async with httpx2.AsyncClient(trust_env=False) as client:

            async def one(number: int) -> int:
                params = {"name": "add", "arguments": {"a": number, "b": 0}}
                headers = headers_of("tools/call", params, MODERN) | {
                    "authorization": f"Bearer {house.token()}"
                }
                answer = await client.post(
                    house.resource, json=message_of("tools/call", params, MODERN), headers=headers
                )
                return answer.json()["result"]["structuredContent"]["result"]

            return list(await asyncio.gather(*(one(number) for number in range(1, 40))))

    assert asyncio.run(both()) == list(range(1, 40))
