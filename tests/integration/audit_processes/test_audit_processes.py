"""Several processes, forks and event loops: no two ever share a stream, and everything verifies together."""

import asyncio
import json
import subprocess
import sys
import time
from pathlib import Path

import pytest
import uvloop
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

sys.path.insert(0, str(Path(__file__).parents[2] / "unit" / "audit"))

from audit_world import SOURCE, Authority, attempt, outcome

from launchworthy.audit.heartbeat import keep
from launchworthy.audit.stream import AuditStream
from launchworthy.audit.verification import State, verify_paths

CHILD = Path(__file__).with_name("audit_process_child.py")


@pytest.fixture
def authority(tmp_path):
    """An authority, and the SVID that it gives to the children."""
    made = Authority(at=time.time_ns())
    workload = made.issue()
    pem = [certificate.public_bytes(Encoding.PEM) for certificate in (workload.certificate, made.certificate)]
    (tmp_path / "svid.pem").write_bytes(b"".join(pem))
    key = workload.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    (tmp_path / "svid.key").write_bytes(key)
    made.write_bundle(tmp_path / "trust")
    return made


def verified(tmp_path, **more):
    return verify_paths(
        [tmp_path / "audit"], trust_directory=tmp_path / "trust", **{"require_sealed": True, **more}
    )


@pytest.mark.usefixtures("authority")
def test_a8_eight_processes_in_one_directory_keep_apart(tmp_path):
    command = [sys.executable, str(CHILD), "many", str(tmp_path), "8"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    assert json.loads(done.stdout) == [0] * 8
    found = verified(tmp_path)
    assert (found.state, len(found.streams), found.unknown_outcomes) == (State.INTACT_SEALED, 8, ())
    seen = set()
    for path in (tmp_path / "audit").glob("*.jsonl"):
        for line in path.read_bytes().splitlines():
            record = json.loads(line)
            seen.add((record["stream"], record["seq"]))
    assert len(seen) == sum(stream.records for stream in found.streams)


@pytest.mark.usefixtures("authority")
def test_a_forked_child_may_write_nothing_and_the_parent_goes_on(tmp_path):
    command = [sys.executable, str(CHILD), "fork", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    refused = "a forked process may not share an audit stream"
    assert json.loads(done.stdout) == [refused, refused, refused, "done", refused, refused, "False", "done"]
    found = verified(tmp_path)
    assert (found.state, found.unknown_outcomes) == (State.INTACT_SEALED, ())
    [path] = (tmp_path / "audit").glob("*.jsonl")
    assert b'"child"' not in path.read_bytes()


@pytest.mark.parametrize("run", [asyncio.run, uvloop.run], ids=["asyncio", "uvloop"])
def test_calls_rotation_and_heartbeat_share_an_event_loop(tmp_path, authority, run):
    workload = authority.issue()
    notes = []

    async def call(stream, number):
        await stream.record_durable(attempt(str(number)))
        await asyncio.sleep(0)
        stream.record(outcome(str(number)), critical=True)

    async def scenario():
        stream = AuditStream.open(
            tmp_path / "audit", source=SOURCE, clock=time.time_ns, rotate_at=60_000, anchor=notes.append
        )
        await stream.bind_with(workload, SOURCE)
        keeper = asyncio.ensure_future(keep(stream, every=0.001))
        for batch in range(20):
            await asyncio.gather(*(call(stream, batch * 20 + number) for number in range(20)))
        keeper.cancel()
        await asyncio.gather(keeper, return_exceptions=True)
        stream.close()

    run(scenario())
    found = verified(tmp_path, anchors=notes)
    assert (found.state, found.unknown_outcomes) == (State.INTACT_SEALED, ())
    assert len(found.streams) >= 3
    assert all(stream.anchored_to == stream.records for stream in found.streams)
