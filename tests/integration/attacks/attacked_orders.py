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
def label(call: Call[OrderStore], labels: dict[str, int]) -> int:
    """Take labels whose names are nobody's business."""
    return len(labels)
'''
MANIFESTS = """
[tools.misbehave]
effect = "read"
scopes = ["orders:read"]

[tools.misbehave_in_a_thread]
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

    def send(self, data: bytes) -> tuple[int, dict[str, str], bytes]:
        """One connection, one answer: status, header fields, body."""
        address = urlsplit(self.world.url)
        with socket.create_connection((address.hostname, address.port), timeout=10) as connection:
            connection.sendall(data)
            received = b""
            while b"\r\n\r\n" not in received:
                received += connection.recv(65536) or b"\r\n\r\n"
            head, _, body = received.partition(b"\r\n\r\n")
            first, *rest = head.decode("latin-1").split("\r\n")
            fields = {name.lower(): value.strip() for name, _, value in (one.partition(":") for one in rest)}
            while len(body) < int(fields["content-length"]):
                body += connection.recv(65536)
        return int(first.split()[1]), fields, body

    def call(self, tool: str, /, **arguments: object) -> tuple[int, dict[str, str], bytes]:
        body = self.body(tool, **arguments)
        return self.send(self.head(("Content-Length", len(body)), token=self.token(), tool=tool) + body)


@contextmanager
def attacked(scratch: Path) -> Iterator[Attacked]:
    """Start it in a rehearsal of production."""
    root = scratch / "orders"
    shutil.copytree(EXAMPLE, root, ignore=shutil.ignore_patterns(".venv", ".launchworthy", "__pycache__"))
    for path, text in (("src/orders/tools.py", TOOLS), ("manifests/tools.toml", MANIFESTS)):
        with (root / path).open("a") as file:
            file.write(text)
    tested = TestedProject.read(root)
    world = World(
        scratch,
        name=tested.name,
        scopes=tested.scopes,
        environment=Environment.REHEARSAL,
        settings=Environment.PRODUCTION,
    )
    with world, world.server("orders", PYTHONPATH=str(root / "src")) as server:
        yield Attacked(world, server)
