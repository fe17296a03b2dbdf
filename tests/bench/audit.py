"""What the audit costs: appends, the wait for the disk, verification, showing, and its share of a call.

    python tests/bench/audit.py [--megabytes N]

Ratios of one run, interleaved; writes `docs/benchmarks-audit.md`. `nox -s bench` runs it.
"""

import argparse
import asyncio
import contextlib
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "unit" / "audit"))

from audit_world import Authority, Clock, attempt, bound_stream, outcome

from launchworthy.audit.stream import AuditStream
from launchworthy.audit.verification import State, verify_paths

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "benchmarks-audit.md"
AUTHORITY = Authority()
WORKLOAD = AUTHORITY.issue()
ROUNDS = 7
RECORDS = 5000
RATE = 1000
encode = json.JSONEncoder(
    sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False, check_circular=False
).encode


@contextlib.contextmanager
def stream_in(directory: Path, **options: object) -> Iterator[AuditStream]:
    """An open, bound stream that is closed at the end."""
    stream = bound_stream(directory, WORKLOAD, clock=Clock(step=1000), **options)
    try:
        yield stream
    finally:
        stream.close()


def cost(work: Callable[[], object]) -> float:
    """Processor seconds of one go."""
    before = time.process_time()
    work()
    return time.process_time() - before


def append(directory: Path) -> tuple[float, float]:
    """An append, in microseconds, and as a ratio to encoding, two digests and a write."""
    with stream_in(directory / "append") as stream:
        event = attempt()
        stream.record(event)
        record = json.loads(stream.path.read_bytes().splitlines()[-1])
        descriptor = os.open(directory / "floor", os.O_WRONLY | os.O_CREAT | os.O_APPEND)

        def ours() -> None:
            for _ in range(RECORDS):
                stream.record(event)

        def floor() -> None:
            for _ in range(RECORDS):
                line = encode(record).encode()
                sha256(line).hexdigest()
                sha256(b"\x00" + line).digest()
                os.write(descriptor, line + b"\n")

        pairs = [(cost(ours), cost(floor)) for _ in range(ROUNDS)]
        os.close(descriptor)
    least = min(ours for ours, _ in pairs)
    return least / RECORDS * 1e6, statistics.median(ours / floor for ours, floor in pairs)


def per_call(directory: Path) -> float:
    """Microseconds of processor time that the two records of a call cost: made, redacted, written."""
    with stream_in(directory / "call") as stream:

        def calls() -> None:
            for number in range(RECORDS):
                name = str(number)
                stream.record(attempt(name), subject="order/1042")
                stream.record(outcome(name), critical=True)

        return min(cost(calls) for _ in range(ROUNDS)) / RECORDS * 1e6


def waits(directory: Path) -> tuple[list[float], float, float]:
    """Seconds that a durable record waits at a thousand a second; p50 and p99 as ratios to a bare sync.

    Disks are shared and moody: bare writes and syncs are timed before and after each second of load, and the
    median of the rounds counts.
    """
    every: list[float] = []
    ratios: list[tuple[float, float]] = []
    descriptor = os.open(directory / "raw", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    with stream_in(directory / "waits") as stream:
        event = attempt()
        stream.record(event)
        line = stream.path.read_bytes().splitlines()[-1] + b"\n"

        def bare() -> list[float]:
            taken = []
            for _ in range(RATE // 5):
                began = time.perf_counter()
                os.write(descriptor, line)
                os.fdatasync(descriptor)
                taken.append(time.perf_counter() - began)
            return taken

        async def one(waited: list[float]) -> None:
            began = time.perf_counter()
            await stream.record_durable(event)
            waited.append(time.perf_counter() - began)

        async def load(waited: list[float]) -> None:
            begin, tasks = time.perf_counter(), set()
            for number in range(RATE):
                await asyncio.sleep(max(0.0, begin + number / RATE - time.perf_counter()))
                task = asyncio.create_task(one(waited))
                tasks.add(task)
                task.add_done_callback(tasks.discard)
            await asyncio.gather(*tasks)

        for _ in range(ROUNDS):
            waited: list[float] = []
            raw = bare()
            asyncio.run(load(waited))
            raw += bare()
            ratios.append((at(waited, 0.5) / at(raw, 0.5), at(waited, 0.99) / at(raw, 0.99)))
            every += waited
    os.close(descriptor)
    return every, statistics.median(each for each, _ in ratios), statistics.median(each for _, each in ratios)


def large(directory: Path, megabytes: int) -> Path:
    """A closed file of that size."""
    with stream_in(directory / "large", rotate_at=1 << 60, rotate_after=1 << 40) as stream:
        number = 0
        while stream.path.stat().st_size < megabytes << 20:
            for _ in range(5000):
                name = f"{number:012d}"
                stream.record(attempt(name), subject="order/1042")
                stream.record(outcome(name), critical=True)
                number += 1
        return stream.path


def verified(path: Path, directory: Path) -> float:
    """Records a second of processor time."""
    trust = AUTHORITY.write_bundle(directory / "trust")
    began = time.process_time()
    found = verify_paths([path], require_sealed=True, trust_directory=trust)
    if found.state is not State.INTACT_SEALED:
        raise SystemExit(f"the file does not verify: {found.lines()}")
    return found.streams[0].records / (time.process_time() - began)


def first_line(path: Path) -> tuple[float, float]:
    """Seconds from the command to its first line, and those of a processor; the least of five."""
    command = [sys.executable, "-m", "launchworthy.cli", "audit", "show", str(path)]
    taken = []
    for _ in range(5):
        began, before = time.perf_counter(), os.times()
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
            line = process.stdout.readline() if process.stdout is not None else b""
            seconds = time.perf_counter() - began
            process.kill()
        after = os.times()
        children = (after.children_user, after.children_system, before.children_user, before.children_system)
        taken.append((seconds, children[0] + children[1] - children[2] - children[3]))
        if b"refund_order" not in line:
            raise SystemExit("nothing was shown")
    return min(taken)


def at(values: list[float], part: float) -> float:
    """A quantile."""
    return sorted(values)[min(len(values) - 1, int(len(values) * part))]


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--megabytes", type=int, default=1024)
    wanted = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="audit-bench-") as place:
        directory = Path(place)
        microseconds, ratio = append(directory)
        both = per_call(directory)
        waited, middle, tail = waits(directory)
        path = large(directory, wanted.megabytes)
        size = path.stat().st_size
        rate, shown = verified(path, directory), first_line(path)
    rows = (
        ("append of an attempt, µs of processor time", f"{microseconds:.1f}", ""),
        ("… as a ratio to encode, two SHA-256 and a write", f"{ratio:.2f}", "≤ 2.5"),
        ("both records of a call, made and written, µs", f"{both:.1f}", ""),
        ("wait for the disk at 1,000 a second, p50, ms", f"{at(waited, 0.5) * 1e3:.2f}", ""),
        ("… × a bare write and fdatasync", f"{middle:.1f}", "≤ 4"),
        ("wait for the disk, p99, ms", f"{at(waited, 0.99) * 1e3:.2f}", ""),
        ("… × a bare write and fdatasync", f"{tail:.1f}", "≤ 6"),
        ("`audit verify`, records a second", f"{rate:,.0f}", "≥ 50,000"),
        (f"`audit show` of {size >> 20} MiB, seconds to the first line", f"{shown[0]:.2f}", "< 1"),
        ("… of which of a processor", f"{shown[1]:.2f}", ""),
    )
    text = [
        "# Benchmarks of the audit",
        "",
        "One run of `nox -s bench`; ratios are of the same run.",
        f"Measured {datetime.now(UTC):%Y-%m-%d}, Python {platform.python_version()}, {os.cpu_count()} cores.",
        "What the audit adds to a call over HTTP is part of P1 in [benchmarks](benchmarks.md).",
        "",
        "| what | | bar |",
        "|---|---|---|",
        *(f"| {what} | {value} | {bar} |" for what, value, bar in rows),
    ]
    PAGE.write_text("\n".join(text) + "\n")
    print("\n".join(text))  # noqa: T201 - the report


if __name__ == "__main__":
    main()
