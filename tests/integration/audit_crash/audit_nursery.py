"""Brings up one writing child after the other; each is killed from outside while it writes.

Started with a directory. For each line on stdin (a name and `process` or `durable`) a child is forked that
opens a stream in `<directory>/<name>` and, after each record that was acknowledged, appends its number to
`<directory>/<name>.acknowledged`. The child's pid is printed; the next line is read when the child is gone.
"""

# ruff: noqa: T201 - it answers the test on its standard output

import asyncio
import os
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2] / "unit" / "audit"))

from audit_world import Authority, attempt, bound_stream

DIRECTORY = Path(sys.argv[1])
AUTHORITY = Authority(at=time.time_ns())
AUTHORITY.write_bundle(DIRECTORY / "trust")
WORKLOAD = AUTHORITY.issue()
LONG = "x" * 200


def write(name, durable):
    acknowledged = os.open(DIRECTORY / f"{name}.acknowledged", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    stream = bound_stream(DIRECTORY / name, WORKLOAD, clock=time.time_ns, checkpoint_every=50)

    def event(number):
        return attempt(str(number), client=LONG * (1 + number % 3))

    async def caller(first):
        for number in range(first, 1_000_000, 8):
            await stream.record_durable(event(number))
            os.write(acknowledged, number.to_bytes(8))

    async def callers():
        await asyncio.gather(*(caller(first) for first in range(8)))

    if durable:
        asyncio.run(callers())
    for number in range(1_000_000):
        stream.record(event(number))
        os.write(acknowledged, number.to_bytes(8))


print("up", flush=True)
for line in sys.stdin:
    name, kind = line.split()
    pid = os.fork()
    if pid == 0:
        write(name, kind == "durable")
        os._exit(0)
    print(pid, flush=True)
    os.waitpid(pid, 0)
    print("gone", flush=True)
