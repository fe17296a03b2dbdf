"""A real server whose tools connect by themselves: what runs, what fails, and what is recorded."""

import json
import shutil
import socket
import threading
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from launchworthy.testing.process import ServerProcess
from launchworthy.testing.project import TestedProject
from launchworthy.testing.world import World
from launchworthy.vocabulary import ToolError

EXAMPLE = Path(__file__).resolve().parents[3] / "examples" / "orders"

TOOLS = '''

import asyncio
import socket
import urllib.request


@tool
def reach(call: Call[OrderStore], host: str, port: int) -> str:
    """Connect in a plain function."""
    socket.create_connection((host, port), timeout=5).close()
    return "reached"


@tool
async def reach_quietly(call: Call[OrderStore], host: str, port: int) -> str:
    """Connect in a coroutine, and make nothing of a failure."""
    try:
        _, writer = await asyncio.open_connection(host, port)
        writer.close()
    except OSError:
        return "never mind"
    return "reached"


@tool
async def reach_nothing(call: Call[OrderStore], host: str, port: int) -> str:
    """Connect, with nothing declared."""
    _, writer = await asyncio.open_connection(host, port)
    writer.close()
    return "reached"


@tool
async def reach_upstream(call: Call[OrderStore], host: str, port: int) -> str:
    """Use the upstream, and nothing is declared."""
    async with call.upstream("payments") as payments:
        return str((await payments.post("/payments", json={})).status_code)


@tool
async def reach_while_sending(call: Call[OrderStore], host: str, port: int) -> str:
    """Make what is sent to the upstream while it is sent, out of what somebody else says."""

    async def body():
        if port:
            _, writer = await asyncio.open_connection(host, port)
            writer.close()
        yield b"{}"

    async with call.upstream("payments") as payments:
        return str((await payments.post("/payments", content=body())).status_code)


class Far:
    """A file that comes from far away."""

    def __init__(self, host: str, port: int) -> None:
        self.at, self.left = (host, port), [b"{}"]

    def read(self, size: int = -1) -> bytes:
        if self.at[1]:
            socket.create_connection(self.at, timeout=5).close()
        return self.left.pop() if self.left else b""


@tool
def reach_while_uploading(call: Call[OrderStore], host: str, port: int) -> str:
    """Upload what is read while it is sent."""
    with call.upstream("payments") as payments:
        return str(payments.post("/payments", files={"file": Far(host, port)}).status_code)


@resource
async def far_order(order_id: int) -> str:
    """Read an order from far away."""
    await asyncio.open_connection("evil.example", 443)
    return "read"
'''
TABLE = """
[{section}.{name}]
scopes = ["orders:write"]
{more}
"""
ARGUMENTS = 'effect = "write"\narguments = { host = "clear", port = "clear" }'
DECLARED = f'{ARGUMENTS}\negress = ["api.acme.example:443"]'
PAYMENTS = 'credentials.payments = { scopes = ["refunds:create"], ttl = "2m" }'
MADE_WHILE_SENT = ("reach_while_sending", "reach_while_uploading")


@dataclass(frozen=True)
class Reaching:
    """The server, and how to ask it."""

    world: World
    process: ServerProcess

    def call(self, tool: str, host: str, port: int) -> Any:
        with self.world.client("orders:write", "orders:read") as caller:
            return caller.call(tool, host=host, port=port)

    def outcome(self) -> dict[str, Any]:
        """Of the last call."""
        lines = []
        for path in sorted(self.world.audit_directory.rglob("*.jsonl")):
            lines += [json.loads(line) for line in path.read_text().splitlines()]
        return [one for one in lines if one["type"].endswith(".outcome.v1")][-1]["data"]


@contextmanager
def somebody():
    """Who takes connections on this machine."""
    with socket.create_server(("127.0.0.1", 0), backlog=64) as server:
        yield server.getsockname()[1]


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    folder = tmp_path_factory.mktemp("egress")
    root = folder / "orders"
    shutil.copytree(EXAMPLE, root, ignore=shutil.ignore_patterns(".venv", ".launchworthy", "__pycache__"))
    source = root / "src/orders/tools.py"
    source.write_text(source.read_text() + TOOLS)
    with (root / "manifests/tools.toml").open("a") as file:
        for name in ("reach", "reach_quietly"):
            file.write(TABLE.format(section="tools", name=name, more=DECLARED))
        file.write(TABLE.format(section="tools", name="reach_nothing", more=ARGUMENTS))
        for name in ("reach_upstream", *MADE_WHILE_SENT):
            file.write(TABLE.format(section="tools", name=name, more=f"{ARGUMENTS}\n{PAYMENTS}"))
        file.write(TABLE.format(section="resources", name="far_order", more='uri = "far://order/{order_id}"'))
    (folder / "world").mkdir()
    tested = TestedProject.read(root)
    with (
        tested.world(folder / "world") as world,
        world.server("orders", PYTHONPATH=str(root / "src")) as process,
    ):
        yield Reaching(world, process)


@pytest.mark.parametrize("tool", ["reach", "reach_quietly"])
def test_who_declares_what_it_reaches_finds_its_stand_in_on_this_machine(server, tool):
    with somebody() as port:
        assert server.call(tool, "127.0.0.1", port) == "reached"
    assert server.outcome()["outcome"] == "ok"
    assert "reason" not in server.outcome()


@pytest.mark.parametrize("host", ["evil.example", "192.0.2.1", "169.254.169.254"])
@pytest.mark.parametrize("tool", ["reach", "reach_quietly", "reach_nothing"])
def test_what_is_not_declared_fails_the_call_and_only_the_audit_says_what_it_was(server, tool, host):
    with pytest.raises(ToolError, match=r"^this call failed; its id is \S+$"):
        server.call(tool, host, 443)
    outcome = server.outcome()
    assert (outcome["outcome"], outcome["reason"]) == ("error", "tool.egress")
    assert f"`{host}`" in outcome["detail"]


def test_a_call_that_declares_nothing_reaches_nothing_on_this_machine_either(server):
    with somebody() as port, pytest.raises(ToolError):
        server.call("reach_nothing", "127.0.0.1", port)
    assert server.outcome()["reason"] == "tool.egress"


def test_what_goes_through_the_upstream_needs_no_declaration(server):
    assert server.call("reach_upstream", "x", 1) == "200"
    assert server.outcome()["outcome"] == "ok"


@pytest.mark.parametrize("tool", MADE_WHILE_SENT)
def test_what_makes_a_body_while_it_is_sent_reaches_no_further_than_its_call(server, tool):
    assert server.call(tool, "x", 0) == "200"
    with somebody() as port, pytest.raises(ToolError):
        server.call(tool, "127.0.0.1", port)
    assert (server.outcome()["outcome"], server.outcome().get("reason")) == ("error", "tool.egress")


def test_a_resource_is_held_to_its_manifest_as_a_tool_is(server):
    with (
        server.world.client("orders:write", "orders:read") as caller,
        pytest.raises(Exception, match="failed"),
    ):
        caller.read("far://order/1")
    assert server.outcome()["reason"] == "tool.egress"


def test_calls_side_by_side_are_judged_each_by_its_own_manifest(server):
    with somebody() as port:
        answers = {}

        def ask(n, tool):
            try:
                answers[n] = server.call(tool, "127.0.0.1", port)
            except ToolError:
                answers[n] = "refused"

        threads = [
            threading.Thread(target=ask, args=(n, ("reach", "reach_nothing")[n % 2])) for n in range(12)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert answers == {n: ("reached", "refused")[n % 2] for n in range(12)}
