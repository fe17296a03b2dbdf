"""Audit files as they are written, and as somebody without the key can make them."""

import hashlib
import json

from audit_world import SOURCE, Authority, attempt, bound_stream, outcome, seeded_key

from launchworthy.audit.canonical import canonical
from launchworthy.audit.events import ServerReady
from launchworthy.audit.verification import verify_paths

AUTHORITY = Authority()
WORKLOAD = AUTHORITY.issue()


def filled(directory, clock, calls=5, **more):
    stream = bound_stream(directory, WORKLOAD, clock=clock, **more)
    stream.record(ServerReady(resource="https://orders.acme.example/mcp"))
    for number in range(calls):
        stream.record(attempt(str(number)))
        stream.record(outcome(str(number)), critical=True)
    return stream


def verified(*paths, **more):
    return verify_paths(paths, **{"require_sealed": False, **more})


def lines_of(path):
    return path.read_bytes().splitlines()


def write(path, lines):
    path.write_bytes(b"".join(line + b"\n" for line in lines))


def edited(line, **data):
    record = json.loads(line)
    record["data"].update(data)
    return canonical(record)


def rechained(lines):
    """What an attacker without the key can do: number all lines anew and link them."""
    stream = json.loads(lines[0])["stream"]
    prev = hashlib.sha256(f"launchworthy-audit/1\n{stream}".encode()).hexdigest()
    chained = []
    for seq, line in enumerate(lines):
        record = {**json.loads(line), "seq": seq, "id": f"{stream}/{seq}", "prev": prev}
        chained.append(canonical(record))
        prev = hashlib.sha256(chained[-1]).hexdigest()
    return chained


def made_up(directory, *records, seed=9):
    """A stream that an attacker with a key of their own has made: an opening, and what is given."""
    key = seeded_key(seed)
    opening = {
        "data": {"format": "launchworthy-audit/1", "key": str(key.verifier)},
        "source": key.verifier.name,
        "type": "launchworthy.stream.open.v1",
    }
    known = {
        "specversion": "1.0",
        "time": "2026-11-20T02:00:00.000000Z",
        "stream": key.stream,
        "source": SOURCE,
    }
    lines = [canonical({**known, **record}) for record in (opening, *records)]
    directory.mkdir(exist_ok=True)
    path = directory / "made-up.jsonl"
    write(path, rechained(lines))
    return path, key


def bound(proof, size, root):
    return {
        "type": "launchworthy.stream.bound.v1",
        "data": {
            "kind": proof.kind,
            "size": size,
            "root": root,
            "algorithm": proof.algorithm,
            "signature": proof.signature,
            "chain": list(proof.chain),
            "bundle": list(proof.bundle),
            **({"token": proof.token} if proof.token else {}),
        },
    }
