"""How much work is a request? Sixteen connections that never wait, and the CPU time that the server takes.

What is measured is the server's CPU (`/proc/<pid>/schedstat`), which does not depend on how fast the load is;
latencies are of the load's own clock and only their shape is used.
"""

import asyncio
import time
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import cycle
from pathlib import Path

CONNECTIONS = 16


@dataclass(frozen=True)
class Measured:
    """One round: CPU µs a request, latencies in ms, and what was answered."""

    cpu: float
    p50: float
    p99: float
    statuses: dict[int, int]


def cpu_nanoseconds(pid: int) -> int:
    """CPU time of a process and all its threads."""
    return sum(int(task.read_text().split()[0]) for task in Path(f"/proc/{pid}/task").glob("*/schedstat"))


def http(url: str, headers: dict[str, str], body: bytes) -> bytes:
    """One HTTP/1.1 request, ready to be written."""
    host, _, path = url.removeprefix("http://").partition("/")
    lines = [f"POST /{path} HTTP/1.1", f"host: {host}", f"content-length: {len(body)}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


async def run(port: int, pid: int, requests: list[bytes], count: int) -> Measured:
    """Send `count` requests, taken in turn from `requests`."""
    latencies: list[float] = []
    statuses: dict[int, int] = {}
    supply = iter(_take(requests, count))
    before = cpu_nanoseconds(pid)
    await asyncio.gather(*(_connection(port, supply, latencies, statuses) for _ in range(CONNECTIONS)))
    spent = cpu_nanoseconds(pid) - before
    ordered = sorted(latencies)
    return Measured(
        cpu=spent / 1000 / count,
        p50=ordered[len(ordered) // 2] * 1000,
        p99=ordered[int(len(ordered) * 0.99)] * 1000,
        statuses=statuses,
    )


def _take(requests: list[bytes], count: int) -> Iterator[bytes]:
    supply = cycle(requests)
    for _ in range(count):
        yield next(supply)


async def _connection(
    port: int, supply: Iterator[bytes], latencies: list[float], statuses: dict[int, int]
) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        for request in supply:
            began = time.perf_counter()
            writer.write(request)
            status = await _answer(reader)
            latencies.append(time.perf_counter() - began)
            statuses[status] = statuses.get(status, 0) + 1
    finally:
        writer.close()


async def _answer(reader: asyncio.StreamReader) -> int:
    head = await reader.readuntil(b"\r\n\r\n")
    lowered = head.lower()
    status = int(head[9:12])
    if b"content-length:" in lowered:
        length = int(lowered.split(b"content-length:")[1].split(b"\r\n")[0])
        if length:
            await reader.readexactly(length)
    elif b"transfer-encoding: chunked" in lowered:
        while size := int((await reader.readline()).strip() or b"0", 16):
            await reader.readexactly(size + 2)
        await reader.readline()
    return status
