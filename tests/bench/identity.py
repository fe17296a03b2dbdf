"""What does an identity cost a call? The same gate with it, while it rotates, and with none that is asked.

Run by `python tests/bench/identity.py`; `bench.py` puts the table into docs/benchmarks.md. One process,
without sockets; what counts is the CPU time of the event loop's thread, in rounds that take turns.
"""

import asyncio
import gc
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import AsyncExitStack, ExitStack
from pathlib import Path
from statistics import median
from typing import Any

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE / "project" / "src"))

from bench_server.server import server  # noqa: E402
from inside import Driver, kinds  # noqa: E402

from bench import SCOPES  # noqa: E402
from launchworthy.identity import WorkloadIdentity  # noqa: E402
from launchworthy.server.parts import Parts, Surroundings  # noqa: E402
from launchworthy.server.startup import start  # noqa: E402
from launchworthy.testing.world import World  # noqa: E402
from launchworthy.vocabulary import Environment  # noqa: E402

ROUNDS, REQUESTS = 15, 1000
ROTATIONS_A_SECOND = 20
"""Thirty-six thousand times as often as an SVID of an hour, which is renewed at half of it."""


class NobodyAsks:
    """The same identity, and `require` does nothing: what a server would be that does not look."""

    def __init__(self, identity: WorkloadIdentity) -> None:
        self._identity = identity

    def __getattr__(self, name: str) -> Any:
        return getattr(self._identity, name)

    def require(self) -> None:
        """Nothing."""


def identity_section() -> str:
    """The table, for `docs/benchmarks.md`."""
    rows = [row for kind in ("spiffe", "file") for row in _rows(kind)]
    return "\n".join(
        (
            "",
            "## What an identity costs a call",
            "",
            "The same gate, in one process and without sockets: with an identity that is fresh,",
            f"with one that is renewed {ROTATIONS_A_SECOND} times a second, and with one that nobody asks.",
            f"CPU time of the event loop's thread, {ROUNDS} rounds of {REQUESTS} calls that take turns;",
            "the median of the rounds' ratios, and how far the middle half of them lies apart:",
            "what lies within that is nothing that can be measured.",
            "",
            "| identity | µs | × not asked | middle half |",
            "|---|---|---|---|",
            *rows,
            "",
        )
    )


def _rows(kind: str) -> list[str]:
    figures = _measured(kind)
    without = figures.pop("not asked")
    found = []
    for name, each in figures.items():
        ratios = sorted(one / other for one, other in zip(each, without, strict=True))
        low, high = ratios[len(ratios) // 4], ratios[-len(ratios) // 4]
        said = f"{median(ratios):.2f} | {low:.2f} to {high:.2f}"
        found.append(f"| `{kind}`, {name} | {median(each):.0f} | {said} |")
    return found


def _measured(kind: str) -> dict[str, list[float]]:
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="lw-identity-")))
        world = stack.enter_context(
            World(
                folder, name="bench", scopes=SCOPES, environment=Environment.REHEARSAL,
                settings=Environment.PRODUCTION, identity=kind,
            )
        )  # fmt: skip
        import uvloop

        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            return runner.run(_measure(world, _renewing(world)))


def _renewing(world: World) -> Callable[[], None]:
    if world.workload_api is not None:
        return world.workload_api.rotate
    if world.token_file is None:
        raise RuntimeError("there is an agent or a file")
    return world.token_file.renew


async def _measure(world: World, renew: Callable[[], None]) -> dict[str, list[float]]:
    requests, expected = kinds(world, 1)["warm"]
    async with AsyncExitStack() as stack:
        parts = Parts(definition=server, surroundings=Surroundings(environ=dict(world.environ)), stack=stack)
        await start(parts)
        asked, unasked = parts.identity, NobodyAsks(parts.identity)
        gc.collect()
        gc.freeze()
        driver = Driver(parts.gate)
        await driver.measure(requests, 200, expected)
        figures: dict[str, list[float]] = {"fresh": [], "renewed all the time": [], "not asked": []}
        for _ in range(ROUNDS):
            for name, found in figures.items():
                parts.identity = unasked if name == "not asked" else asked  # type: ignore[assignment]
                renewals = asyncio.create_task(_renewals(renew if name.startswith("renewed") else None))
                found.append(await _round(driver, requests, expected))
                renewals.cancel()
                await asyncio.wait({renewals})
        parts.identity = asked
        return figures


async def _renewals(renew: Callable[[], None] | None) -> None:
    while renew is not None:
        await asyncio.to_thread(renew)
        await asyncio.sleep(1 / ROTATIONS_A_SECOND)


async def _round(driver: Driver, requests: list[Any], expected: int) -> float:
    """µs a call; between two calls the loop does what else there is."""
    began = time.thread_time()
    for _ in range(REQUESTS):
        status = await driver.send(*requests[0])
        assert status == expected, status
        await asyncio.sleep(0)
    return (time.thread_time() - began) / REQUESTS * 1e6


if __name__ == "__main__":
    sys.stdout.write(identity_section())
