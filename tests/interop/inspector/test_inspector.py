"""The Inspector's command line against our server, in both eras."""

from collections.abc import Iterator
from urllib.parse import parse_qs, urlsplit

import pytest
from inspector_cli import AUTH_REQUIRED, ERROR, OK, TOOL_ERROR, Inspector
from orders_server import records, running_orders

from launchworthy.testing.issuer import PERSON
from launchworthy.testing.world import World

pytestmark = pytest.mark.foreign
FIND = ("--method", "tools/call", "--tool-name", "find_orders", "--tool-arg", "customer=c-17")
PLACE = ("--method", "tools/call", "--tool-name", "place_order", "--tool-args-json")


@pytest.fixture(scope="session")
def world(tmp_path_factory) -> Iterator[World]:
    with running_orders(tmp_path_factory.mktemp("orders")) as (standing, _):
        yield standing


@pytest.fixture(params=["modern", "legacy", "auto"])
def inspector(request, node, world, tmp_path) -> Inspector:
    return Inspector(node=node, world=world, home=tmp_path, era=request.param)


def test_it_lists_what_the_token_may_call_and_finds_nothing_wrong_with_the_schemas(inspector):
    """2025-11-25 has no way back to the caller, so what must ask first is not offered there."""
    asks = set() if inspector.era == "legacy" else {"refund_order"}
    for scopes, names in (
        (("orders:read",), {"find_orders"}),
        (("orders:read", "orders:write"), {"find_orders", "place_order"}),
        (inspector.world.scopes, {"find_orders", "place_order"} | asks),
    ):
        answer = inspector.run("--method", "tools/list", "--strict", scopes=scopes)
        assert answer.code == OK, answer
        assert {tool["name"] for tool in answer.result["tools"]} == names


def test_it_calls_a_tool_and_reads_what_came_of_it(inspector):
    placed = inspector.run(
        *PLACE, '{"customer": "c-17", "item": "teapot", "quantity": 2}', scopes=("orders:write",)
    )
    assert placed.code == OK, placed
    order = placed.result["structuredContent"]
    assert (order["item"], order["quantity"]) == ("teapot", 2)
    uri = f"orders://order/{order['order_id']}"
    read = inspector.run("--method", "resources/read", "--uri", uri, scopes=("orders:read",))
    assert read.code == OK
    assert '"item":"teapot"' in read.result["contents"][0]["text"]


def test_what_is_wrong_with_arguments_reaches_whoever_called(inspector):
    answer = inspector.run(*PLACE, '{"customer": "17", "item": "teapot"}', scopes=("orders:write",))
    assert answer.code == TOOL_ERROR
    assert "`customer` (string_pattern_mismatch)" in answer.result["content"][0]["text"]


def test_what_is_not_there_is_an_error_that_can_be_read(inspector):
    uri = ("--method", "resources/read", "--uri", "orders://order/999999")
    answer = inspector.run(*uri, scopes=("orders:read",))
    assert (answer.code, answer.error["message"]) == (ERROR, "there is no order 999999")


def test_a_tool_beyond_the_scopes_is_not_listed_and_so_not_called(inspector):
    inspector.world.executions.taken()
    answer = inspector.run(*PLACE, '{"customer": "c-17", "item": "teapot"}', scopes=("orders:read",))
    assert (answer.code, answer.error["code"]) == (TOOL_ERROR, "tool_not_found")
    assert inspector.world.executions.taken() == 0


def test_without_a_token_it_says_that_one_is_required(inspector):
    answer = inspector.run(*FIND, scopes=None)
    assert (answer.code, answer.error["code"]) == (AUTH_REQUIRED, "auth_required")


def test_it_finds_its_own_way_to_a_token_while_somebody_signs_in(inspector):
    answer, opened = inspector.run_signing_in(*FIND)
    assert answer.code == OK, answer
    [address] = opened
    asked = {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}
    assert (asked["resource"], asked["scope"]) == (inspector.world.url, "orders:read")
    assert asked["code_challenge_method"] == "S256"
    [*_, attempt] = [one for one in records(inspector.world) if one["type"] == "tool.attempt"]
    assert (attempt["subject"], attempt["client"]) == (PERSON, asked["client_id"])
