"""Stopping a tool, denying a caller: a line in a mounted file, no restart, within two seconds."""

import json
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from server_orders import Orders, records
from typer.testing import CliRunner

from launchworthy.cli.main import app
from launchworthy.testing.client import Client, Refused
from launchworthy.testing.world import World, wait_until
from launchworthy.vocabulary import Secret, ToolError

pytestmark = pytest.mark.servers


def entry(kind: str, **fields: str) -> str:
    now = datetime.now(UTC)
    lines = {
        "id": '"e-1"',
        "who": '"@acme/on-call"',
        "why": '"INC-77"',
        "since": f"{now:%Y-%m-%dT%H:%M:%SZ}",
        "until": f"{now + timedelta(hours=1):%Y-%m-%dT%H:%M:%SZ}",
        **fields,
    }
    return f"[[{kind}]]\n" + "".join(f"{name} = {value}\n" for name, value in lines.items())


def replace(world: World, text: str) -> float:
    """Write the list as it should be written: beside it, then in its place."""
    beside = world.control_file.with_suffix(".new")
    beside.write_text(text)
    beside.rename(world.control_file)
    return time.monotonic()


def refusal(act: Any) -> tuple[int, str] | None:
    try:
        act()
    except Refused as refused:
        return refused.status, refused.reason
    except ToolError as failed:  # it was let in, and what counts changed before its body began
        return 200, str(failed)
    return None


def changes(world: World) -> list[tuple[str, str | None]]:
    return [
        (each["data"]["change"], each["data"].get("entry"))
        for each in records(world)
        if each["type"] == "launchworthy.control.changed.v1"
    ]


def test_a_stopped_tool_is_refused_and_not_listed_within_two_seconds_and_comes_back(orders: Orders) -> None:
    with (
        orders.running() as (world, server),
        world.client("orders:read", "orders:write") as caller,
    ):

        def find() -> tuple[int, str] | None:
            return refusal(lambda: caller.call("find_orders", customer="c-17"))

        assert find() is None
        replace(world, entry("stop", targets='["find_orders"]'))
        assert wait_until(lambda: find() == (403, "stopped"), timeout=2, what="the stop") < 2
        assert "find_orders" not in {each["name"] for each in caller.tools()}
        assert refusal(lambda: caller.call("place_order", customer="c-17", item="teapot")) is None
        assert server.readiness()[0] == 200
        replace(world, "")
        assert wait_until(lambda: find() is None, timeout=2.5, what="the end of the stop") < 2.5
        assert "find_orders" in {each["name"] for each in caller.tools()}
    assert changes(world) == [("added", "e-1"), ("removed", "e-1")]
    denied = [each["data"] for each in records(world) if each["type"] == "launchworthy.tool.denied.v1"]
    assert {(each["reason"], each["target"]) for each in denied} == {("tool.stopped", "find_orders")}


@pytest.mark.parametrize("name", ["subject", "client", "token"])
def test_a_denied_caller_is_refused_with_a_token_that_was_good(orders: Orders, name: str) -> None:
    claim = {"subject": "sub", "client": "client_id", "token": "jti"}[name]
    with orders.running() as (world, _):
        claims = {"sub": "ada", "client_id": "agent-7", "jti": "t-1"}
        mine = world.issuer.mint(world.issuer.grant(scopes=("orders:read",)), claims=claims)
        with Client(world.url, Secret(mine)) as denied, world.client("orders:read") as other:

            def ask(caller: Any) -> tuple[int, str] | None:
                return refusal(lambda: caller.call("find_orders", customer="c-17"))

            assert ask(denied) is None
            named = {"issuer": f'"{world.issuer.issuer}"', name: f'"{claims[claim]}"'}
            replace(world, entry("deny", **named))
            wait_until(lambda: ask(denied) == (401, "invalid_token"), timeout=2, what="the denial")
            assert ask(other) is None


def test_an_issuer_that_is_none_of_ours_denies_nobody_and_is_told(orders: Orders) -> None:
    with orders.running() as (world, _):
        slashed = f"{world.issuer.issuer}/"
        replace(world, entry("deny", issuer=f'"{slashed}"', subject='"ada"'))
        wait_until(lambda: bool(changes(world)), timeout=2, what="the record of it")
        right = {"id": '"e-2"', "issuer": f'"{world.issuer.issuer}"', "subject": '"ada"'}
        replace(world, entry("deny", issuer=f'"{slashed}"', subject='"ada"') + entry("deny", **right))
        wait_until(lambda: len(changes(world)) > 1, timeout=2, what="the record of the other")
    told = {
        each["data"]["entry"]: each["data"].get("detail")
        for each in records(world)
        if each["type"] == "launchworthy.control.changed.v1"
    }
    assert told == {"e-1": f"not known here: {slashed}", "e-2": None}


def test_a_list_that_breaks_closes_the_server_until_it_is_mended(orders: Orders) -> None:
    with orders.running() as (world, server), world.client("orders:read") as caller:

        def ask() -> tuple[int, str] | None:
            return refusal(lambda: caller.call("find_orders", customer="c-17"))

        for break_it in (
            lambda: replace(world, "[[stop]]\n"),
            world.control_file.unlink,
            lambda: replace(world, entry("grant", incident='"INC-1"')),  # of which nobody says for whom
        ):
            assert ask() is None
            break_it()
            wait_until(lambda: ask() == (503, "unavailable"), timeout=2, what="the refusal")
            status, body = server.readiness()
            assert (status, body["reasons"]) == (503, ["control.stale"])
            replace(world, "")
            wait_until(lambda: ask() is None, timeout=2.5, what="the mended list")
    assert changes(world) == [("stale", None), ("fresh", None)] * 3


def test_a_start_without_the_list_that_the_settings_name_is_refused(orders: Orders) -> None:
    with orders.world() as world:
        world.control_file.unlink()
        code, message = orders.refusal(world)
        assert (code, message["reason"], message["stage"]) == (78, "control-file-missing", "state")


def test_status_tells_what_an_operator_asks_first(orders: Orders) -> None:
    def status(world: World, *more: str) -> Any:
        file = world.directory / "data" / "status.json"
        return CliRunner().invoke(app, ["status", "--file", str(file), *more])

    with orders.running() as (world, server):
        file = world.directory / "data" / "status.json"
        wait_until(file.exists, what="the status")
        assert (file.stat().st_mode & 0o777, file.parent.stat().st_mode & 0o777) == (0o600, 0o700)
        shown = status(world)
        assert shown.exit_code == 0, shown.output
        assert world.subject in shown.output
        assert "@acme/orders" in shown.output
        assert "stopped   nothing" in shown.output
        replace(world, entry("stop", targets='["find_orders"]'))
        wait_until(lambda: "find_orders" in status(world).output, timeout=5, what="the stop in the status")
        replace(world, "[[stop]]\n")
        wait_until(lambda: status(world).exit_code == 1, timeout=5, what="not ready")
        said = json.loads(status(world, "--format", "json").output)
        assert said["reasons"] == ["control.stale"]
        assert [each["id"] for each in said["control"]["entries"]] == ["e-1"]
        server.stop()
        assert status(world).exit_code == 2
