"""Where does a call's time go? The real gate, in this process and without sockets, under a profiler.

Run by `python tests/bench/inside.py [--profile]`. Prints µs a request for each kind of request, and with
`--profile` the functions that cost most.
"""

import argparse
import asyncio
import cProfile
import gc
import json
import pstats
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import AsyncExitStack, ExitStack
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE / "project" / "src"))

from bench_server.server import server  # noqa: E402
from shares import as_table, shares  # noqa: E402

from bench import MODERN, SCOPES  # noqa: E402
from launchworthy.server.parts import Parts, Surroundings  # noqa: E402
from launchworthy.server.startup import start  # noqa: E402
from launchworthy.testing.client import LEGACY, Client  # noqa: E402
from launchworthy.testing.world import World  # noqa: E402
from launchworthy.vocabulary import Environment, Secret  # noqa: E402


class Driver:
    """Sends one request after another to an ASGI application."""

    def __init__(self, app: Callable[..., Any]) -> None:
        self.app = app

    async def send(self, scope: dict[str, Any], body: bytes) -> int:
        messages = [{"type": "http.request", "body": body, "more_body": False}]
        status = 0

        async def receive() -> dict[str, Any]:
            return messages.pop() if messages else await asyncio.Event().wait()  # type: ignore[return-value]

        async def answer(message: dict[str, Any]) -> None:
            nonlocal status
            status = message.get("status", status)

        await self.app(scope, receive, answer)
        return status

    async def measure(self, requests: list[tuple[dict[str, Any], bytes]], count: int, expected: int) -> float:
        size = len(requests)
        began = time.process_time()
        for number in range(count):
            status = await self.send(*requests[number % size])
            assert status == expected, status
        return (time.process_time() - began) / count * 1e6


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--profile", default=None, help="the name of one kind of request")
    parser.add_argument("--requests", type=int, default=3000)
    parser.add_argument("--shares", action="store_true", help="with --profile: whose time it is, as a table")
    parser.add_argument("--sort", default="tottime")
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="lw-inside-")))
        world = stack.enter_context(
            World(
                folder, name="bench", scopes=SCOPES, environment=Environment.REHEARSAL,
                settings=Environment.PRODUCTION,
            )
        )  # fmt: skip
        import uvloop

        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(_measure(world, options))


async def _measure(world: World, options: argparse.Namespace) -> None:
    wanted = options.profile or "cold"
    requests_of = kinds(world, (options.rounds + 1) * options.requests if wanted == "cold" else 1)
    async with AsyncExitStack() as stack:  # only now: thousands of tokens take longer than keys stay fresh
        parts = Parts(definition=server, surroundings=Surroundings(environ=dict(world.environ)), stack=stack)
        await start(parts)
        gc.collect()
        gc.freeze()
        driver = Driver(parts.gate)
        chosen = [options.profile] if options.profile else list(requests_of)
        best: dict[str, list[float]] = {name: [] for name in chosen}
        used = dict.fromkeys(chosen, 0)
        profiler = cProfile.Profile() if options.profile else None
        for name in chosen:
            await driver.measure(requests_of[name][0][:64], 64, requests_of[name][1])
        for _ in range(options.rounds):
            for name in chosen:
                requests, expected = requests_of[name]
                if len(requests) > 1:
                    start_at = used[name]
                    requests = requests[start_at : start_at + options.requests]
                    used[name] += options.requests
                if profiler:
                    profiler.enable()
                best[name].append(await driver.measure(requests, options.requests, expected))
                if profiler:
                    profiler.disable()
        if profiler and options.shares:
            sys.stdout.write("\n".join(as_table(shares(pstats.Stats(profiler)))) + "\n")
            return
        for name, figures in best.items():
            sys.stdout.write(f"{name:40} {min(figures):7.1f}  {sorted(figures)[len(figures) // 2]:7.1f}\n")
        if profiler:
            pstats.Stats(profiler).sort_stats(options.sort).print_stats(55)


def kinds(world: World, cold: int) -> dict[str, tuple[list[tuple[dict[str, Any], bytes]], int]]:
    """Each kind of request, and the status that answers it."""

    def mint(**changes: object) -> Secret:
        return Secret(world.issuer.mint(world.issuer.grant(scopes=SCOPES, **changes)))

    def call(token: Secret | None, *, tool: str = "add", revision: str = MODERN) -> Any:
        client = Client(world.url, None, revision=revision)
        params = {"name": tool, "arguments": {"a": 1, "b": 2}}
        headers = client.headers("tools/call", params)
        if token is not None:
            headers["authorization"] = f"Bearer {token.reveal()}"
        body = json.dumps(client.message("tools/call", params)).encode()
        headers |= {"host": world.url.split("/")[2], "content-length": str(len(body))}
        scope = {
            "type": "http", "method": "POST", "path": "/mcp", "raw_path": b"/mcp", "query_string": b"",
            "client": ("127.0.0.1", 1234),
            "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
        }  # fmt: skip
        return scope, body

    warm = mint()
    weak = Secret(world.issuer.mint(world.issuer.grant(scopes=("bench:check",))))
    broken = Secret(warm.reveal()[:-8] + "AAAAAAAA")
    return {
        "warm": ([call(warm)], 200),
        "legacy": ([call(warm, revision=LEGACY)], 200),
        "anew": ([call(warm, tool="add_checked")], 200),
        "cold": ([call(mint()) for _ in range(min(cold, 2000))], 200),
        "no token": ([call(None)], 401),
        "no scope": ([call(weak)], 403),
        "bad signature": ([call(broken)], 401),
    }


if __name__ == "__main__":
    main()
