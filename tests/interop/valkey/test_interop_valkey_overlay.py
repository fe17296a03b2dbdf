"""The user and the settings of `deploy-replicas` are enough for the store, and for nothing else."""

import asyncio
import hashlib
import re
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
from store_contract import StoreContract, Wait

from launchworthy.state import Store
from launchworthy.vocabulary import Secret

valkey = pytest.importorskip(
    "launchworthy.state.valkey", reason="the extra `valkey` is not installed", exc_type=ModuleNotFoundError
)
OVERLAY = Path(__file__).parents[3] / "examples" / "orders" / "deploy-replicas"
WORD = "a word of this test"
pytestmark = [pytest.mark.foreign, pytest.mark.anyio]


def options(tmp_path: Path) -> list[str]:
    """What the overlay sets, but for TLS and the paths in the container; its users in a file."""
    commands = "\n".join(line.removeprefix("#").strip() for line in said("kustomization.yaml").splitlines())
    user = re.search(
        r"(user default off)\n(user orders on #).*?\)( ~.*?)\"$", commands, re.MULTILINE | re.DOTALL
    )
    assert user is not None
    digest = hashlib.sha256(WORD.encode()).hexdigest()
    rights = user[3].replace("\\\n", "")
    (tmp_path / "users.acl").write_text(f"{user[1]}\n{user[2]}{digest}{rights}\n")
    settings = re.findall(
        r"^(maxmemory|maxmemory-policy|save|appendonly) (.*)$", said("valkey.conf"), re.MULTILINE
    )
    assert len(settings) == 4
    given = [part for name, value in settings for part in (f"--{name}", value.strip('"'))]
    return [*given, "--aclfile", str(tmp_path / "users.acl")]


def said(name: str) -> str:
    return (OVERLAY / name).read_text(encoding="utf-8")


class TestOverlay(StoreContract):
    @pytest.fixture
    def wait(self) -> Wait:
        return asyncio.sleep

    @pytest.fixture
    async def store(self, run: Callable[..., Any], tmp_path: Path) -> AsyncIterator[Store]:
        made = place(run(*options(tmp_path)).port)
        await made.start()
        yield made
        await made.aclose()


def place(port: int) -> Any:
    known = {"host": "127.0.0.1", "port": port, "tls": None, "resource": "https://orders.acme.example/mcp"}
    return valkey.ValkeyStore(valkey.ValkeyPlace(**known, user="orders", word=lambda: Secret(WORD)))


async def test_that_user_may_do_nothing_else_and_nobody_else_anything(
    run: Callable[..., Any], tmp_path: Path
) -> None:
    server = run(*options(tmp_path))
    assert server.ask("GET", "launchworthy:x").startswith(b"-NOAUTH")
    store = place(server.port)
    redis = store._redis
    assert await redis.set("launchworthy:x", b"1", px=1000)
    for command in (
        ("SET", "other:x", "1"),
        ("KEYS", "*"),
        ("FLUSHALL",),
        ("CONFIG", "GET", "*"),
        ("ACL", "LIST"),
    ):
        with pytest.raises(Exception, match="permissions"):
            await redis.execute_command(*command)
    await store.aclose()
