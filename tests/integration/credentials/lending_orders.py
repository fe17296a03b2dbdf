"""The example with tools that borrow in every way, and the worlds in which they do."""

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from launchworthy.testing.process import ServerProcess
from launchworthy.testing.project import TestedProject
from launchworthy.testing.world import World

EXAMPLE = Path(__file__).resolve().parents[3] / "examples" / "orders"

TOOLS = '''

import asyncio
import gc
import time
from launchworthy import ToolError
from launchworthy.credentials import CredentialNotAllowed


@tool
async def pay(call: Call[OrderStore], way: str = "plain") -> dict[str, str]:
    """Pay, and end in the way that is asked for."""
    async with call.upstream("payments") as payments:
        answer = await payments.post("/payments", json={"way": way})
        if way == "fail":
            raise RuntimeError("after the upstream was called")
        if way == "tell":
            raise ToolError("the shop is closed")
        if way == "hang":
            await asyncio.sleep(60)
        if way == "leave":
            return {"status": str(answer.status_code)}
    if way == "late":
        try:
            await payments.get("/late")
        except RuntimeError as error:
            return {"late": str(error)}
    return {"status": str(answer.status_code)}


@tool
def pay_plainly(call: Call[OrderStore]) -> dict[str, str]:
    """Pay in a plain function."""
    with call.upstream("payments") as payments:
        return {"status": str(payments.post("/payments", json={}).status_code)}


@tool
async def pay_wrongly(call: Call[OrderStore]) -> dict[str, str]:
    """Mix up the two ways."""
    with call.upstream("payments") as payments:
        return {"status": str(payments)}


@tool
async def wander(call: Call[OrderStore], url: str) -> dict[str, str]:
    """Ask for a URL with the credential of payments."""
    async with call.upstream("payments") as payments:
        try:
            return {"status": str((await payments.get(url)).status_code)}
        except Exception as error:
            return {"refused": type(error).__name__}


@tool
async def borrow(call: Call[OrderStore], name: str) -> dict[str, str]:
    """Borrow by name, and show what is shown of it."""
    try:
        async with call.credential(name) as lease:
            shown = {"shown": repr(lease) + repr(lease.secret), "parts": " ".join(sorted(lease.parts))}
            length = str(len(lease.secret.reveal()))
    except CredentialNotAllowed as error:
        return {"not allowed": str(error)}
    try:
        lease.secret
    except RuntimeError as error:
        return {**shown, "length": length, "after": str(error)}
    return {"after": "still there"}


@tool
async def snoop(call: Call[OrderStore], wanted: str) -> dict[str, bool]:
    """Look for a text, given backwards, in all that the call leads to."""
    import contextvars
    wanted = wanted[::-1]
    async with call.upstream("payments") as payments:
        mine = {"Authorization": "Bearer mine", "Host": "evil.example"}
        await payments.post("/payments", json={}, headers=mine)
        seen, todo, found = set(), [call, payments, *(v for v in contextvars.copy_context().values())], False
        while todo:
            each = todo.pop()
            if id(each) in seen or isinstance(each, type) or type(each).__name__ in SKIPPED:
                continue
            seen.add(id(each))
            if isinstance(each, (str, bytes)):
                text = each if isinstance(each, str) else each.decode("latin-1")
                found = found or wanted in text
            elif isinstance(each, dict):
                todo += [*each.keys(), *each.values()]
            elif isinstance(each, (list, tuple, set, frozenset)):
                todo += list(each)
            else:
                names = [n for kind in type(each).__mro__ for n in getattr(kind, "__slots__", ()) or ()]
                for name in {*names, *getattr(each, "__dict__", {})}:
                    try:
                        todo.append(getattr(each, name))
                    except Exception:
                        pass
        return {"found": found, "looked": len(seen) > 100}


SKIPPED = {"module", "function", "frame", "coroutine", "Task", "builtin_function_or_method", "method", "Loop"}
'''

MANIFEST = """
[tools.{name}]
effect    = "write"
scopes    = ["orders:write"]
timeout   = "{timeout}"
{credentials}
"""
PAYMENTS = 'credentials.payments = { scopes = ["refunds:create"], ttl = "2m" }'
VAULT = 'credentials.vault = { ttl = "2m" }'
CLOUD = 'credentials.cloud = { ttl = "15m" }'
MOUNTED = 'credentials.mounted = { ttl = "1m" }'
OURS = 'credentials.ours = { scopes = ["ledger:read"], ttl = "2m" }'
ALL = f"{PAYMENTS}\n{VAULT}\n{CLOUD}\n{MOUNTED}\n{OURS}"

SETTINGS = """
[credentials.payments]
broker = "{broker}"
issuer = "https://login.acme.example"
url    = "https://payments.acme.example"
{more}

[credentials.ours]
broker = "client-credentials"
issuer = "https://login.acme.example"
url    = "https://ledger.acme.example"

[credentials.vault]
broker  = "openbao"
address = "https://bao.acme.example"
role    = "orders"
path    = "payments/creds/refunds"
url     = "https://legacy.acme.example"

[credentials.cloud]
broker   = "aws-sts"
address  = "https://sts.eu-west-1.amazonaws.com"
role_arn = "arn:aws:iam::123456789012:role/orders"

[credentials.mounted]
broker    = "file"
reference = "file:/run/secrets/legacy"
"""


@dataclass(frozen=True)
class Borrowing:
    """A running server whose tools borrow."""

    world: World
    process: ServerProcess

    def call(self, tool: str, /, **arguments: Any) -> Any:
        with self.world.client("orders:write", "orders:read") as caller:
            return caller.call(tool, **arguments)

    def records(self, prefix: str = "credential.") -> list[dict[str, Any]]:
        """The records so far, of all streams, in order."""
        found = []
        for path in sorted(self.world.audit_directory.rglob("*.jsonl")):
            for line in path.read_text().splitlines():
                record = json.loads(line)
                kind = record["type"].removeprefix("launchworthy.").removesuffix(".v1")
                if kind.startswith(prefix):
                    found.append({"is": kind, **record["data"]})
        return found

    def kinds(self, prefix: str = "credential.") -> list[str]:
        return [record["is"] for record in self.records(prefix)]

    @property
    def written(self) -> str:
        """Everything that the server wrote anywhere."""
        texts = [path.read_text(errors="replace") for path in self.world.audit_directory.rglob("*.jsonl")]
        return "".join((*texts, self.process.stdout, self.process.stderr))


def project(root: Path, *, broker: str = "token-exchange", more: str = "") -> TestedProject:
    """A copy of the example whose tools borrow."""
    shutil.copytree(EXAMPLE, root, ignore=shutil.ignore_patterns(".venv", ".launchworthy", "__pycache__"))
    with (root / "src/orders/tools.py").open("a") as file:
        file.write(TOOLS)
    with (root / "manifests/tools.toml").open("a") as file:
        for name in ("pay", "pay_plainly", "pay_wrongly", "wander", "snoop"):
            timeout = "2s" if name == "pay" else "20s"
            file.write(MANIFEST.format(name=name, timeout=timeout, credentials=PAYMENTS))
        file.write(MANIFEST.format(name="borrow", timeout="20s", credentials=ALL))
    for environment in ("staging", "production"):
        path = root / f"config/{environment}.toml"
        text = path.read_text().split("[credentials.payments]")
        kept = text[0] + ("\n[" + text[1].partition("\n[")[2] if len(text) > 1 else "")
        path.write_text(kept + SETTINGS.format(broker=broker, more=more))
    return TestedProject.read(root)


@contextmanager
def borrowing(
    folder: Path, tested: TestedProject, *, grace: str = "20s", **options: Any
) -> Iterator[Borrowing]:
    """The server, running."""
    folder.mkdir()
    with (
        tested.world(folder, **options) as world,
        world.server(
            "orders", PYTHONPATH=str(tested.root / "src"), LAUNCHWORTHY_SERVER__GRACE=grace
        ) as process,
    ):
        yield Borrowing(world, process)
