"""Fills a real disk (or a real limit) with audit records, and says what became of them, in JSON.

`limit DIR`   the limit is RLIMIT_FSIZE, lifted later
`small DIR`   DIR lies on a small file system, which a file fills that is removed later
`readonly DIR`
"""

# ruff: noqa: T201 - it answers the test on its standard output

import json
import resource
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2] / "unit" / "audit"))

from audit_world import Authority, attempt, bound_stream, outcome

from launchworthy.audit import AuditUnwritable
from launchworthy.audit.verification import verify_paths


def fill(stream):
    written = 0
    while True:
        try:
            stream.record(attempt(str(written), client="x" * 250))
        except AuditUnwritable as refused:
            return written, str(refused)
        written += 1


def end_calls(stream, count):
    ended = 0
    for number in range(count):
        try:
            stream.record(outcome(str(number)), critical=True)
        except AuditUnwritable:
            break
        ended += 1
    return ended


def scenario(directory, give_room):
    authority = Authority(at=time.time_ns())
    stream = bound_stream(directory, authority.issue(), clock=time.time_ns, reserve_bytes=256 * 1024)
    written, refused = fill(stream)
    whole = stream.path.read_bytes().endswith(b"\n")
    ready = stream.writable
    ended = end_calls(stream, 50)
    give_room()
    deadline = time.monotonic() + 20
    while not stream.writable and time.monotonic() < deadline:
        time.sleep(0.05)
        stream.tick()
    recovered = stream.writable
    stream.record(attempt("after"))
    stream.close()
    found = verify_paths([stream.path], require_sealed=True, pinned_keys=[stream.verifier_key])
    calls = [json.loads(line)["data"].get("call") for line in stream.path.read_bytes().splitlines()]
    lost = [number for number in range(written) if str(number) not in calls]
    return {
        "written": written,
        "refused": refused,
        "whole": whole,
        "ready": ready,
        "ended": ended,
        "recovered": recovered,
        "lost": lost,
        "state": found.state.value,
        "after": "after" in calls,
    }


def main():
    kind, directory = sys.argv[1], Path(sys.argv[2])
    if kind == "limit":
        resource.setrlimit(resource.RLIMIT_FSIZE, (900_000, resource.RLIM_INFINITY))
        lift = lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY,) * 2)  # noqa: E731
        print(json.dumps(scenario(directory / "audit", lift)))
    elif kind == "small":
        ballast = directory / "ballast"
        ballast.write_bytes(bytes(1024 * 1024))
        print(json.dumps(scenario(directory / "audit", ballast.unlink)))
    else:
        try:
            bound_stream(directory / "audit", Authority().issue())
        except AuditUnwritable as refused:
            print(json.dumps({"refused": str(refused)}))


main()
