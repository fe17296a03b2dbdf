"""What does security cost? CPU of the server a call, beside the bare SDK and fastmcp in the same run.

Run by `python3 noxfile.py -s bench`. Prints the table and writes docs/benchmarks.md. No bar is held here: a
ratio on one noisy machine is evidence, not a verdict. `-- --rounds 9 --requests 6000` measures longer.
"""

import argparse
import asyncio
import contextlib
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

import httpx2
from load import Measured, http, run
from verification import verification_section

from launchworthy.testing.client import LEGACY, MODERN, Client
from launchworthy.testing.process import ServerProcess
from launchworthy.testing.world import World, free_ports, wait_until
from launchworthy.vocabulary import Environment, Secret

HERE = Path(__file__).resolve().parent
PAGE = HERE.parents[1] / "docs" / "benchmarks.md"
SCOPES = ("bench:add", "bench:check")
REVISIONS = (MODERN, LEGACY)
SERVER_CPU, LOAD_CPU = 0, 1


@dataclass
class Target:
    """One thing to be measured: where, what is sent, what must be answered."""

    name: str
    port: int
    pid: int
    requests: list[bytes]
    status: int
    fresh: bool = False
    rounds: list[Measured] = field(default_factory=list)

    @property
    def cpu(self) -> list[float]:
        return [each.cpu for each in self.rounds]


def main() -> int:
    """Measure, print, write."""
    options = _options()
    _pin(LOAD_CPU)
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="lw-bench-")))
        world = stack.enter_context(_world(folder))
        ours = stack.enter_context(_ours(world))
        sdk_port, fast_port = free_ports(2)
        sdk = stack.enter_context(_peer("peer_sdk.py", sdk_port))
        issuer = world.issuer
        fast = stack.enter_context(
            _peer("peer_fastmcp.py", fast_port, issuer.jwks_uri, issuer.issuer, world.url)
        )
        targets = _targets(world, ours.pid, (sdk_port, sdk), (fast_port, fast), options)
        asyncio.run(_measure(targets, options))
    table = _table(targets, options) + _shares() + _identity() + verification_section()
    sys.stdout.write(table)
    PAGE.write_text(table)
    return 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5, help="interleaved rounds; the median counts")
    parser.add_argument("--requests", type=int, default=2000, help="requests a target and round")
    return parser.parse_args([each for each in sys.argv[1:] if each != "--"])


def _pin(cpu: int, pid: int = 0) -> None:
    with contextlib.suppress(OSError, AttributeError):
        os.sched_setaffinity(pid, {cpu % (os.cpu_count() or 1)})


@contextlib.contextmanager
def _world(folder: Path) -> Iterator[World]:
    with World(
        folder,
        name="bench",
        scopes=SCOPES,
        environment=Environment.REHEARSAL,
        settings=Environment.PRODUCTION,
    ) as world:
        yield world


@contextlib.contextmanager
def _ours(world: World) -> Iterator[ServerProcess]:
    with world.server("bench_server", PYTHONPATH=str(HERE / "project" / "src")) as server:
        for task in Path(f"/proc/{server.pid}/task").iterdir():
            _pin(SERVER_CPU, int(task.name))
        yield server


@contextlib.contextmanager
def _peer(script: str, port: int, *arguments: str) -> Iterator[int]:
    process = subprocess.Popen([sys.executable, str(HERE / script), str(port), *arguments])
    try:
        _pin(SERVER_CPU, process.pid)
        wait_until(lambda: _answers(port), timeout=30, what=script)
        yield process.pid
    finally:
        process.terminate()
        process.wait()


def _answers(port: int) -> bool:
    try:
        httpx2.get(f"http://127.0.0.1:{port}/mcp", timeout=1, trust_env=False)
    except httpx2.TransportError:
        return False
    return True


def _targets(
    world: World, pid: int, sdk: tuple[int, int], fast: tuple[int, int], options: argparse.Namespace
) -> list[Target]:
    port = int(world.url.split(":")[2].split("/")[0])
    cold = options.rounds * options.requests + 64
    sdk_url, fast_url = f"http://127.0.0.1:{sdk[0]}/mcp", f"http://127.0.0.1:{fast[0]}/mcp"
    urls = (world.url, sdk_url, fast_url)

    clients = {
        (url, revision): Client(url, None, revision=revision) for url in urls for revision in REVISIONS
    }

    def call(
        token: Secret | None, *, tool: str = "add", revision: str = MODERN, url: str = world.url
    ) -> bytes:
        client = clients[url, revision]
        params = {"name": tool, "arguments": {"a": 1, "b": 2}}
        headers = client.headers("tools/call", params)
        if token is not None:
            headers["authorization"] = f"Bearer {token.reveal()}"
        return http(url, headers, json.dumps(client.message("tools/call", params)).encode())

    def mint(**changes: object) -> Secret:
        return Secret(world.issuer.mint(world.issuer.grant(scopes=SCOPES, **changes)))

    warm = mint()
    broken = Secret(warm.reveal()[:-8] + "AAAAAAAA")
    weak = Secret(world.issuer.mint(world.issuer.grant(scopes=("bench:check",))))
    return [
        Target("bare SDK, no authentication", *sdk, [call(None, url=sdk_url)], 200),
        Target("fastmcp, its JWT verifier", *fast, [call(warm, url=fast_url)], 200),
        Target("P1 secured, decision kept, 2026-07-28", port, pid, [call(warm)], 200),
        Target("P1 secured, decision kept, 2025-11-25", port, pid, [call(warm, revision=LEGACY)], 200),
        Target(
            "P1 secured, decided anew (rule reads an argument)",
            port,
            pid,
            [call(warm, tool="add_checked")],
            200,
        ),
        Target(
            "P3 new token of a known principal",
            port,
            pid,
            [call(mint()) for _ in range(cold)],
            200,
            fresh=True,
        ),
        Target(
            "P3 new token of a new principal",
            port,
            pid,
            [call(mint(subject=f"caller-{number}")) for number in range(cold)],
            200,
            fresh=True,
        ),
        Target("P4 refused: no token", port, pid, [call(None)], 401),
        Target("P4 refused: no scope", port, pid, [call(weak)], 403),
        Target("P4 refused: bad signature", port, pid, [call(broken)], 401),
    ]


async def _measure(targets: list[Target], options: argparse.Namespace) -> None:
    for target in targets:
        await run(target.port, target.pid, target.requests[:64], 64)
    used = {target.name: 64 for target in targets}
    for number in range(options.rounds):
        turn = targets[number % len(targets) :] + targets[: number % len(targets)]
        for target in turn:
            start = used[target.name] if target.fresh else 0
            requests = target.requests[start : start + options.requests] if target.fresh else target.requests
            used[target.name] += options.requests
            measured = await run(target.port, target.pid, requests, options.requests)
            if set(measured.statuses) != {target.status}:
                raise RuntimeError(f"{target.name}: answered {measured.statuses}, expected {target.status}")
            target.rounds.append(measured)
        sys.stderr.write(f"round {number + 1} of {options.rounds}\n")


BARS = {
    "P1 secured, decision kept, 2026-07-28": "≤ 0.65",
    "P1 secured, decision kept, 2025-11-25": "≤ 0.65",
    "P1 secured, decided anew (rule reads an argument)": "≤ 1.0",
    "P3 new token of a known principal": "≤ 1.0",
    "P3 new token of a new principal": "≤ 1.0",
    "P4 refused: no token": "≤ 0.13",
    "P4 refused: no scope": "≤ 0.18",
    "P4 refused: bad signature": "≤ 0.36",
}


def _shares() -> str:
    inside = [sys.executable, str(HERE / "inside.py"), "--profile", "warm", "--shares", "--rounds", "2"]
    return subprocess.run([*inside, "--requests", "1000"], check=True, capture_output=True, text=True).stdout


def _identity() -> str:
    inside = [sys.executable, str(HERE / "identity.py")]
    return subprocess.run(inside, check=True, capture_output=True, text=True).stdout


def _table(targets: list[Target], options: argparse.Namespace) -> str:
    bare, fast = targets[0], targets[1]
    lines = [
        "# Benchmarks",
        "",
        "CPU time of the server process a request, 16 connections, one process,",
        "as a ratio to the bare SDK in the same run.",
        f"{options.rounds} interleaved rounds of {options.requests} requests; the median of all ratios.",
        f"Measured {time.strftime('%Y-%m-%d')}, Python {platform.python_version()}, {os.cpu_count()} cores.",
        f"The machine's load meanwhile: {os.getloadavg()[1]:.1f}; above its cores, others worked on it too.",
        "The bars are those of the design; they are shown, not held.",
        "",
        "| what | µs | × bare SDK | × fastmcp | bar | p99 / p50 |",
        "|---|---|---|---|---|---|",
    ]
    for target in targets:
        ratios = [mine / theirs for mine, theirs in zip(target.cpu, bare.cpu, strict=True)]
        to_fast = [mine / theirs for mine, theirs in zip(target.cpu, fast.cpu, strict=True)]
        tail = median(each.p99 / each.p50 for each in target.rounds)
        lines.append(
            f"| {target.name} | {median(target.cpu):.0f} | {median(ratios):.2f} | {median(to_fast):.2f} "
            f"| {BARS.get(target.name, '')} | {tail:.1f} |"
        )
    lines += [
        "",
        "P2 is the third column of P1 (bar ≤ 0.20), P5 the last column (bar ≤ 3).",
        "Every secured call is verified, scoped and decided by Cedar,",
        "and has its attempt and outcome in the audit file.",
        "",
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
