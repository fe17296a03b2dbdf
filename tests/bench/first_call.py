"""How long until the first authenticated tool call? From nothing, and from a project that is there.

Ours: `copier copy`, `python3 noxfile.py -s dev`, `launchworthy dev call`. fastmcp's shortest way in its own
pages: `uv init`, `uv add fastmcp`, a server with `StaticTokenVerifier`, `fastmcp run`, its client with that
token. Both wait until something listens; caches of packages are warm after a round that does not count.
Beside seconds, processor seconds of all that was started: they say the same on a machine that others use.
"""

import argparse
import os
import platform
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from statistics import median

from launchworthy.testing.world import free_port

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "benchmarks-first-call.md"
PATIENCE = 300.0
SERVER = '''
from fastmcp import FastMCP
from fastmcp.server.auth.providers.jwt import StaticTokenVerifier

verifier = StaticTokenVerifier(
    tokens={{"dev-token": {{"client_id": "dev", "scopes": ["orders:read"]}}}}, required_scopes=["orders:read"]
)
mcp = FastMCP("orders", auth=verifier)


@mcp.tool
def find_orders(customer: str) -> list[str]:
    """Find a customer's orders."""
    return []
'''
CALL = """
import asyncio
from fastmcp import Client

async def main():
    async with Client("http://127.0.0.1:{port}/mcp", auth="dev-token") as client:
        print(await client.call_tool("find_orders", {{"customer": "c-17"}}))

asyncio.run(main())
"""
HEAD = """\
# Until the first authenticated call

Seconds, the median of the interleaved rounds (here {rounds}) of one run of `nox -s bench -- first-call`, and
the median ratio of the rounds; the caches of packages are warm.
Measured {told}, {waiting} waiting for them.
`cpu` is the processor time of everything that was started: what others do on the machine changes it less.

Ours is `copier copy`, `python3 noxfile.py -s dev` and `launchworthy dev call find_orders`: a server with an
identity, a policy, an audit, an issuer of tokens and a sign-in page.
fastmcp's is the shortest that its documentation has: `uv init`, `uv add fastmcp`, a server whose
`StaticTokenVerifier` knows one token, `fastmcp run`, and its client with that token.

| | launchworthy | fastmcp | ratio | bar |
|---|---|---|---|---|
"""
CPU = "cpu"
Parts = dict[str, float]
"""Seconds by part, and under `CPU` the processor seconds of all of them."""


def ours(folder: Path, wheel: Path) -> tuple[Parts, Parts]:
    """The parts from nothing, and those of a project that is there."""
    project = folder / "orders"
    parts: Parts = {}
    with _timed(parts, "project"):
        _run(folder, "copier", "copy", "--quiet", "--defaults", "--vcs-ref=HEAD", str(ROOT), str(project))
        _lend(wheel, project)
    dev = ("python3", "noxfile.py", "-s", "dev")
    command = project / ".nox" / "dev" / "bin" / "launchworthy"
    arguments = (str(command), "dev", "call", "find_orders")
    return _twice(parts, project, dev, "serving at", arguments)


def fastmcp(folder: Path) -> tuple[Parts, Parts]:
    """The same of fastmcp."""
    project = folder / "theirs"
    parts: Parts = {}
    port = free_port()
    with _timed(parts, "project"):
        _run(folder, "uv", "init", "--quiet", "--bare", "theirs")
        (project / "server.py").write_text(SERVER.format())
        (project / "call.py").write_text(CALL.format(port=port))
        _run(project, "uv", "add", "--quiet", "fastmcp")
    serve = ("uv", "run", "fastmcp", "run", "server.py", "--transport=http", f"--port={port}", "--no-banner")
    arguments = ("uv", "run", "call.py")
    return _twice(parts, project, serve, "Uvicorn running", arguments)


def _twice(
    parts: Parts, project: Path, serve: tuple[str, ...], ready: str, call: tuple[str, ...]
) -> tuple[Parts, Parts]:
    """The parts from nothing, of which `parts` are the first, and those of a project that is there."""
    first, second = (_serve_and_call(project, serve, ready, call) for _ in range(2))
    return parts | first | {CPU: parts[CPU] + first[CPU]}, second


def main() -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    rounds = parser.parse_args().rounds
    measured: dict[str, list[tuple[Parts, Parts]]] = {"launchworthy": [], "fastmcp": []}
    with tempfile.TemporaryDirectory(prefix="lw-first-") as place:
        wheel = _wheel(Path(place))
        ways: list[tuple[str, Callable[[Path], tuple[Parts, Parts]]]] = [
            ("launchworthy", lambda folder: ours(folder, wheel)),
            ("fastmcp", fastmcp),
        ]
        for number in range(rounds + 1):
            for name, way in ways if number % 2 else reversed(ways):
                folder = Path(place, f"{number}-{name}")
                folder.mkdir()
                result = way(folder)
                shutil.rmtree(folder)
                if number:  # the first round warms the caches
                    measured[name].append(result)
                sys.stderr.write(f"{number} {name} {result}\n")
    text = _page(measured, rounds)
    PAGE.write_text(text, encoding="utf-8")
    sys.stdout.write(text)


def _page(measured: dict[str, list[tuple[Parts, Parts]]], rounds: int) -> str:
    rows: list[str] = []
    names = ("launchworthy", "fastmcp")
    for title, which, bar in (("from an empty directory", 0, 1.5), ("from a project that is there", 1, 1.0)):
        runs = {name: [each[which] for each in measured[name]] for name in names}
        for part in runs["launchworthy"][0]:
            if part != CPU:
                ours, theirs = (median(each[part] for each in runs[name]) for name in names)
                rows.append(f"| {title}: {part} | {ours:.1f} | {theirs:.1f} | | |")
        for said, total, limit in ((title, _seconds, f" ≤ {bar} "), (f"{title}: {CPU}", _cpu, " ")):
            ours, theirs = (median(map(total, runs[name])) for name in names)
            pairs = zip(*runs.values(), strict=True)
            ratio = median(total(one) / total(other) for one, other in pairs)
            rows.append(f"| **{said}** | **{ours:.1f}** | **{theirs:.1f}** | **{ratio:.2f}** |{limit}|")
    told = f"{datetime.now(UTC):%Y-%m-%d}, Python {platform.python_version()}, {os.cpu_count()} cores"
    head = HEAD.format(rounds=rounds, told=told, waiting=round(os.getloadavg()[0]))
    return head + "\n".join(rows) + "\n"


def _seconds(parts: Parts) -> float:
    return sum(value for part, value in parts.items() if part != CPU)


def _cpu(parts: Parts) -> float:
    return parts[CPU]


def _serve_and_call(project: Path, serve: tuple[str, ...], ready: str, call: tuple[str, ...]) -> Parts:
    parts: Parts = {}
    before = _processor_seconds()
    with tempfile.TemporaryFile() as log:
        began = time.perf_counter()
        process = subprocess.Popen(
            serve,
            cwd=project,
            env=_environ(),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
        try:
            while ready.encode() not in _all(log):
                if process.poll() is not None or time.perf_counter() - began > PATIENCE:
                    raise RuntimeError(_all(log).decode())
                time.sleep(0.02)
            parts["install and serve"] = time.perf_counter() - began
            with _timed(parts, "call"):
                _run(project, *call)
        finally:
            os.killpg(process.pid, signal.SIGINT)
            process.wait(90)
    parts[CPU] = _processor_seconds() - before
    return parts


def _processor_seconds() -> float:
    """Of everything that was started here and has ended, and of what that has started."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _all(log: object) -> bytes:
    return os.pread(log.fileno(), 1 << 20, 0)  # type: ignore[attr-defined]


@contextmanager
def _timed(parts: Parts, part: str) -> Iterator[None]:
    began, before = time.perf_counter(), _processor_seconds()
    yield
    parts[part] = time.perf_counter() - began
    parts[CPU] = parts.get(CPU, 0.0) + _processor_seconds() - before


def _run(where: Path, *command: str) -> None:
    options = {"cwd": where, "env": _environ(), "stdin": subprocess.DEVNULL, "text": True}
    done = subprocess.run(command, check=False, capture_output=True, **options)
    if done.returncode != 0:
        raise RuntimeError(f"{command} ended with {done.returncode}: {done.stdout}{done.stderr}")


def _environ() -> dict[str, str]:
    """Tools of this session, but a Python that has nothing installed: as on a desk."""
    kept = ("HOME", "LANG", "PIP_", "SSL_", "UV_INDEX", "UV_DEFAULT", "UV_CACHE")
    passed = {name: value for name, value in os.environ.items() if name.startswith(kept)}
    plain = Path(sys.base_prefix, "bin")
    return passed | {"PATH": f"{plain}:{Path(sys.executable).parent}:/usr/bin:/bin"}


def _wheel(place: Path) -> Path:
    """The framework as it would come from an index."""
    _run(place, "uv", "build", "--quiet", "--wheel", f"--out-dir={place / 'wheels'}", str(ROOT))
    [wheel] = (place / "wheels").glob("*.whl")
    return wheel


def _lend(wheel: Path, project: Path) -> None:
    wheels = project / ".launchworthy" / "wheels"
    wheels.mkdir(parents=True)
    shutil.copy(wheel, wheels)
    with (project / "pyproject.toml").open("a") as end:
        end.write(f'\n[tool.uv.sources]\nlaunchworthy = {{ path = ".launchworthy/wheels/{wheel.name}" }}\n')


if __name__ == "__main__":
    main()
