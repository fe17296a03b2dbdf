"""What a record costs, against what it must cost: processor time, ratios in one run, the best of several."""

import json
import os
import time
from hashlib import sha256

import pytest
from audit_world import Authority, Clock, attempt, bound_stream, outcome

from launchworthy.audit.verification import State, verify_paths

pytestmark = pytest.mark.speed

AUTHORITY = Authority()
RECORDS = 4000
encode = json.JSONEncoder(
    sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False, check_circular=False
).encode


def cost(work):
    """Processor seconds of one go."""
    before = time.process_time()
    work()
    return time.process_time() - before


def best_ratio(ours, floor, rounds=5):
    """The least ratio of interleaved rounds: noise only ever adds."""
    return min(cost(ours) / cost(floor) for _ in range(rounds))


@pytest.fixture
def stream(tmp_path):
    opened = bound_stream(tmp_path / "audit", AUTHORITY.issue(), clock=Clock())
    yield opened
    opened.close()


def test_an_append_costs_at_most_two_and_a_half_times_what_it_must(stream, tmp_path):
    event = attempt()
    stream.record(event)
    record = json.loads(stream.path.read_bytes().splitlines()[-1])
    descriptor = os.open(tmp_path / "floor", os.O_WRONLY | os.O_CREAT | os.O_APPEND)

    def ours():
        for _ in range(RECORDS):
            stream.record(event)

    def floor():
        for _ in range(RECORDS):
            line = encode(record).encode()
            sha256(line).hexdigest()
            sha256(b"\x00" + line).digest()
            os.write(descriptor, line + b"\n")

    ratio = best_ratio(ours, floor)
    os.close(descriptor)
    assert ratio <= 2.5


def test_verifying_costs_little_more_than_reading_and_hashing(stream, tmp_path):
    for number in range(RECORDS // 2):
        stream.record(attempt(str(number)))
        stream.record(outcome(str(number)), critical=True)
    stream.close()
    trust = AUTHORITY.write_bundle(tmp_path / "trust")

    def ours():
        found = verify_paths([stream.path], require_sealed=True, trust_directory=trust)
        assert found.state is State.INTACT_SEALED

    def floor():
        for line in stream.path.read_bytes().splitlines():
            assert encode(json.loads(line)).encode() == line
            sha256(line).hexdigest()
            sha256(b"\x00" + line).digest()

    assert best_ratio(ours, floor) <= 1.6
