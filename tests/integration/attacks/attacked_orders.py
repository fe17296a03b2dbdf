"""The example with a few tools that misbehave, as a real server, and raw bytes to send it."""

import json
import shutil
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from launchworthy.testing.process import ServerProcess
from launchworthy.testing.project import TestedProject
from launchworthy.testing.world import World
from launchworthy.vocabulary import Environment

EXAMPLE = Path(__file__).resolve().parents[3] / "examples" / "orders"
REVISION = "2026-07-28"
TOOLS = '''

import asyncio
import time


class NoOrdinaryException(BaseException):
    """As some libraries have them."""


@tool
async def misbehave(call: Call[OrderStore], how: str) -> str:
    """End in an unusual way."""
    try:
        if how != "well":
            raise ValueError("text-of-a-context")
    except ValueError:
        if how == "cancelled":
            raise asyncio.CancelledError("text-of-a-cancellation")
        raise NoOrdinaryException("text-of-no-exception")
    return how


@tool
def misbehave_in_a_thread(call: Call[OrderStore]) -> str:
    """End in an unusual way, elsewhere."""
    raise asyncio.CancelledError("text-of-a-cancellation")


@tool
async def fail(call: Call[OrderStore], how: str, note: str) -> str:
    """Fail with secrets at hand: in a variable, in the text, in a cause, in the log."""
    import os

    import structlog

    kept = {"password": os.environ.get("ORDERS_CANARY", ""), "note": note}
    try:
        raise KeyError(kept["password"])
    except KeyError as error:
        call.log.info("about to fail")
        structlog.get_logger().exception("failed")
        if how == "tool error":
            from launchworthy import ToolError as Told

            raise Told("this cannot be done") from error
        raise RuntimeError("text-of-a-failure", kept) from error


@tool
async def wait(call: Call[OrderStore]) -> str:
    """Wait for longer than anybody does."""
    await asyncio.sleep(60)
    return "done"


@tool
def wait_in_a_thread(call: Call[OrderStore]) -> str:
    """Wait where nothing can be stopped."""
    time.sleep(60)
    return "done"


@tool
def label(call: Call[OrderStore], labels: dict[str, int]) -> int:
    """Take labels whose names are nobody's business."""
    return len(labels)
'''
MANIFESTS = """
[tools.misbehave]
effect = "read"
scopes = ["orders:read"]

[tools.fail]
effect = "read"
scopes = ["orders:read"]

[tools.misbehave_in_a_thread]
effect = "read"
scopes = ["orders:read"]

[tools.wait]
effect = "read"
scopes = ["orders:read"]

[tools.wait_in_a_thread]
effect = "read"
scopes = ["orders:read"]

[tools.label]
effect = "read"
scopes = ["orders:read"]
arguments = { labels = "drop" }
"""


@dataclass(frozen=True)
class Attacked:
    """A running server."""

    world: World
    server: ServerProcess

    def token(self) -> str:
        return self.world.token("orders:read").reveal()

    def records(self) -> list[dict[str, Any]]:
        files = sorted(self.world.audit_directory.glob("*.jsonl"))
        return [json.loads(line) for file in files for line in file.read_text().splitlines()]

    def audited(self) -> str:
        return "".join(file.read_text() for file in sorted(self.world.audit_directory.glob("*.jsonl")))

    def head(
        self,
        *fields: tuple[str, object],
        token: str | None,
        line: str = "POST /mcp HTTP/1.1",
        tool: str = "find_orders",
    ) -> bytes:
        """A header section that is right but for what is asked for."""
        own: list[tuple[str, object]] = [
            ("Host", urlsplit(self.world.url).netloc),
            ("Content-Type", "application/json"),
            ("Accept", "application/json, text/event-stream"),
            ("MCP-Protocol-Version", REVISION),
            ("Mcp-Method", "tools/call"),
            ("Mcp-Name", tool),
        ]
        if token is not None:
            own.append(("Authorization", f"Bearer {token}"))
        lines = [line, *(f"{name}: {value}" for name, value in [*own, *fields])]
        return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n"

    def body(self, tool: str = "find_orders", /, **arguments: object) -> bytes:
        meta = {
            "io.modelcontextprotocol/protocolVersion": REVISION,
            "io.modelcontextprotocol/clientCapabilities": {},
        }
        params = {"name": tool, "arguments": arguments, "_meta": meta}
        return json.dumps({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params}).encode()

    def request(self, tool: str, /, **arguments: object) -> bytes:
        body = self.body(tool, **arguments)
        return self.head(("Content-Length", len(body)), token=self.token(), tool=tool) + body

    def connect(self) -> socket.socket:
        address = urlsplit(self.world.url)
        return socket.create_connection((address.hostname, address.port), timeout=10)

    def send(self, data: bytes) -> tuple[int, dict[str, str], bytes]:
        """One connection, one answer: status, header fields, body."""
        with self.connect() as connection:
            connection.sendall(data)
            return read_answer(connection)

    def call(self, tool: str, /, **arguments: object) -> tuple[int, dict[str, str], bytes]:
        return self.send(self.request(tool, **arguments))


def read_answer(connection: socket.socket) -> tuple[int, dict[str, str], bytes]:
    received = b""
    while b"\r\n\r\n" not in received:
        received += connection.recv(65536) or b"\r\n\r\n"
    head, _, body = received.partition(b"\r\n\r\n")
    first, *rest = head.decode("latin-1").split("\r\n")
    fields = {name.lower(): value.strip() for name, _, value in (one.partition(":") for one in rest)}
    while len(body) < int(fields["content-length"]):
        body += connection.recv(65536)
    return int(first.split()[1]), fields, body


@contextmanager
def attacked(scratch: Path, **environ: str) -> Iterator[Attacked]:
    """Start it in a rehearsal of production; `environ` adds variables."""
    root = scratch / "orders"
    shutil.copytree(EXAMPLE, root, ignore=shutil.ignore_patterns(".venv", ".launchworthy", "__pycache__"))
    config = root / "config" / "production.toml"
    config.write_text(config.read_text().replace("[server]\n", '[server]\ngrace = "1s"\n', 1))
    for path, text in (("src/orders/tools.py", TOOLS), ("manifests/tools.toml", MANIFESTS)):
        with (root / path).open("a") as file:
            file.write(text)
    tested = TestedProject.read(root)
    world = tested.world(
        scratch,
        environment=Environment.REHEARSAL,
        settings=Environment.PRODUCTION,
    )
    with world, world.server("orders", PYTHONPATH=str(root / "src"), **environ) as server:
        yield Attacked(world, server)
