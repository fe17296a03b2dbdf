"""A process that is killed at any moment loses no record that it had acknowledged, and its file verifies."""

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from launchworthy.audit.verification import State, verify_paths

ROUNDS = 30


@pytest.fixture
def nursery(tmp_path):
    process = subprocess.Popen(
        [sys.executable, str(Path(__file__).with_name("audit_nursery.py")), str(tmp_path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with process:
        assert process.stdout.readline() == "up\n"
        yield process
        process.stdin.close()
        assert process.wait(30) == 0


def killed_while_writing(nursery, directory, name, kind, after):
    """Start a writer, let it acknowledge a record or not even that, and kill it."""
    nursery.stdin.write(f"{name} {kind}\n")
    nursery.stdin.flush()
    pid = int(nursery.stdout.readline())
    acknowledged = directory / f"{name}.acknowledged"
    if after > 0:
        deadline = time.monotonic() + 30
        while not (acknowledged.exists() and acknowledged.stat().st_size):
            assert time.monotonic() < deadline
            time.sleep(0.001)
    time.sleep(after)  # it writes; this is the moment to be killed at
    os.kill(pid, signal.SIGKILL)
    assert nursery.stdout.readline() == "gone\n"
    content = acknowledged.read_bytes() if acknowledged.exists() else b""
    return {int.from_bytes(content[at : at + 8]) for at in range(0, len(content), 8)}


def calls_in(directory):
    calls = set()
    for path in directory.glob("*.jsonl"):
        *lines, _torn = path.read_bytes().split(b"\n")
        records = [json.loads(line) for line in lines]
        assert [record["seq"] for record in records] == list(range(len(records)))
        calls |= {int(record["data"]["call"]) for record in records if "call" in record["data"]}
    return calls


def test_a5_no_acknowledged_record_is_lost_and_every_file_verifies(nursery, tmp_path):
    total, torn = killed_again_and_again(nursery, tmp_path, rounds=ROUNDS, seed=20261120)
    assert total > ROUNDS * 20
    assert torn <= ROUNDS // 3


@pytest.mark.slow
def test_a5_a_hundred_and_twenty_kills_lose_nothing(nursery, tmp_path, capsys):
    rounds = 120
    total, torn = killed_again_and_again(nursery, tmp_path, rounds=rounds, seed=6)
    with capsys.disabled():
        print(f"\n{rounds} kills, {total} acknowledged records, 0 lost, {torn} torn ends")  # noqa: T201 - the report
    assert total > rounds * 20


def killed_again_and_again(nursery, tmp_path, *, rounds, seed):
    """Kill one writer after the other; how many records were acknowledged, how many files had a torn end."""
    chance = random.Random(seed)  # noqa: S311 - moments to kill at, the same in every run
    total = torn = 0
    for number in range(rounds):
        kind = "durable" if number % 3 == 2 else "process"
        after = 0.0 if number % 10 == 9 else chance.uniform(0.001, 0.04)
        name = f"run-{number}"
        acknowledged = killed_while_writing(nursery, tmp_path, name, kind, after)
        found = (
            verify_paths(
                [tmp_path / name], require_sealed=False, trust_directory=tmp_path / "trust", max_gap=50
            )
            if (tmp_path / name).exists()
            else None
        )
        assert acknowledged <= (calls_in(tmp_path / name) if found is not None else set())
        if acknowledged:
            [stream] = found.streams
            assert stream.state is State.INTACT_OPEN, found.lines()
            torn += stream.torn > 0
        elif found is not None:
            assert found.state in (State.INTACT_OPEN, State.UNDECIDED)
        total += len(acknowledged)
    return total, torn


def test_the_process_that_comes_after_a_crash_bears_witness_to_what_was_left(nursery, tmp_path):
    killed_while_writing(nursery, tmp_path, "again", "process", 0.01)
    (tmp_path / "again.acknowledged").unlink()
    killed_while_writing(nursery, tmp_path, "again", "process", 0.01)
    first, second = sorted((tmp_path / "again").glob("*.jsonl"))
    found = verify_paths([tmp_path / "again"], require_sealed=False, trust_directory=tmp_path / "trust")
    assert [stream.state for stream in found.streams] == [State.INTACT_OPEN] * 2
    assert found.streams[0].unsealed == 0
    lines = first.read_bytes().split(b"\n")
    first.write_bytes(b"\n".join(lines[:-2]) + b"\n")
    found = verify_paths([tmp_path / "again"], require_sealed=False, trust_directory=tmp_path / "trust")
    assert found.state is State.TAMPERED
    assert "cut off" in str(found.streams[0].damage)
    assert second.exists()
