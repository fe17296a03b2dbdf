"""Processes that write audit streams into one directory: `fork DIR` shares one, `many DIR N` does not."""

# ruff: noqa: T201 - it answers the test on its standard output

import asyncio
import json
import os
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2] / "unit" / "audit"))

from audit_world import SOURCE, attempt, outcome
from cryptography import x509
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from launchworthy.audit import AuditUnwritable
from launchworthy.audit.stream import AuditStream


def bound(directory, parent):
    """A stream that is bound to the SVID that the test has left for us."""
    from audit_world import Workload

    certificates = x509.load_pem_x509_certificates((parent / "svid.pem").read_bytes())
    key = load_pem_private_key((parent / "svid.key").read_bytes(), None)
    authority = type("Authority", (), {"certificate": certificates[1]})()
    workload = Workload(identity=SOURCE, key=key, certificate=certificates[0], authority=authority)
    stream = AuditStream.open(directory, source=SOURCE, clock=time.time_ns, checkpoint_every=20)
    stream.bind(workload.sign(stream.binding_payload()), SOURCE)
    return stream


def many(stream, count):
    for number in range(count):
        stream.record(attempt(f"{os.getpid()}-{number}"))
        stream.record(outcome(f"{os.getpid()}-{number}"), critical=True)
    stream.close()


def tried(action):
    try:
        action()
    except AuditUnwritable as refused:
        return str(refused)
    return "done"


def fork(stream):
    stream.record(attempt("before"))
    stream.record(outcome("before"), critical=True)
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        said = [
            tried(lambda: stream.record(attempt("child"))),
            tried(lambda: stream.record(outcome("child"), critical=True)),
            tried(stream.checkpoint),
            tried(stream.tick),
            tried(lambda: asyncio.run(stream.record_durable(attempt("child")))),
            tried(lambda: asyncio.run(stream.rotate())),
            str(stream.writable),
            tried(stream.close),
        ]
        os.write(write, json.dumps(said).encode())
        os._exit(0)
    os.waitpid(child, 0)
    said = json.loads(os.read(read, 10_000))
    stream.record(attempt("parent"))
    stream.record(outcome("parent"), critical=True)
    stream.close()
    print(json.dumps(said))


def main():
    parent = Path(sys.argv[2])
    if sys.argv[1] == "fork":
        fork(bound(parent / "audit", parent))
        return
    children = []
    for _ in range(int(sys.argv[3])):
        child = os.fork()
        if child == 0:
            many(bound(parent / "audit", parent), 100)
            os._exit(0)
        children.append(child)
    print(json.dumps([os.waitpid(child, 0)[1] for child in children]))


main()
