"""Strangers: fifty records a second and reason, the rest in one, and nothing lost silently."""

import json

import pytest
from audit_world import SECOND, Authority, Clock, bound_stream

from launchworthy.audit import AuditUnwritable, StrangersBudget
from launchworthy.audit.events import AuthnDenied, ProtocolRejected
from launchworthy.audit.strangers import source_prefix
from launchworthy.vocabulary import Reason

NOW = 1_795_140_000.0


@pytest.fixture
def written():
    return []


@pytest.fixture
def budget(written):
    return StrangersBudget(written.append)


def refused(reason=Reason.TOKEN_SIGNATURE, **more):
    return AuthnDenied(call="C", reason=reason, status=401, detail="d", **more)


def test_a_few_refusals_have_a_record_each_with_the_network_they_came_from(budget, written):
    for number in range(50):
        budget.note(refused(), f"192.0.2.{number}", NOW)
    assert len(written) == 50
    assert all(event.sources == ("192.0.2.0/24",) and event.call == "C" for event in written)


def test_a_flood_has_fifty_records_and_one_that_counts(budget, written):
    for number in range(10_000):
        budget.note(refused(), f"198.51.{number % 100}.7", NOW + number / 20_000)
    assert len(written) == 50
    budget.note(refused(), "192.0.2.1", NOW + 1)
    assert len(written) == 52
    summary = written[50]
    assert (summary.count, summary.status, summary.reason) == (9_950, 401, Reason.TOKEN_SIGNATURE)
    assert (summary.call, summary.detail) == (None, None)
    assert summary.first == "2026-11-20T02:00:00.002500Z"
    assert summary.last == "2026-11-20T02:00:00.499949Z"
    assert len(summary.sources) == 16
    assert sum(event.weight for event in written) == 10_001


def test_every_reason_and_type_has_a_budget_of_its_own(budget, written):
    for _ in range(60):
        budget.note(refused(), None, NOW)
        budget.note(refused(Reason.TOKEN_EXPIRED), None, NOW)
        budget.note(ProtocolRejected(reason=Reason.TOKEN_EXPIRED, status=400), None, NOW)
    assert len(written) == 150


def test_the_budget_is_new_every_second(budget, written):
    for second in range(3):
        for _ in range(50):
            budget.note(refused(), None, NOW + second)
    assert len(written) == 150


def test_a_flood_that_ends_is_counted_at_the_next_flush_and_once(budget, written):
    for _ in range(60):
        budget.note(refused(), None, NOW)
    budget.flush(NOW + 0.9)
    assert len(written) == 50
    budget.flush(NOW + 1)
    budget.flush(NOW + 2)
    assert [event.count for event in written[50:]] == [10]


def test_at_the_end_everything_is_written(budget, written):
    for _ in range(60):
        budget.note(refused(), None, NOW)
    budget.finish()
    assert [event.count for event in written[50:]] == [10]


def test_a_known_caller_is_always_recorded(budget, written):
    for _ in range(100):
        budget.note(refused(subject="00u"), None, NOW)
    assert len(written) == 100


def test_a_clock_that_goes_back_loses_nothing(budget, written):
    for moment in (NOW, NOW - 5, NOW, NOW - 5):
        for _ in range(60):
            budget.note(refused(), None, moment)
    budget.finish()
    assert sum(event.weight for event in written) == 240


def test_a_summary_that_cannot_be_written_is_kept_for_the_next_time():
    written = []

    def record(event):
        if full:
            raise AuditUnwritable("full")
        written.append(event)

    full = False
    budget = StrangersBudget(record)
    for _ in range(60):
        budget.note(refused(), None, NOW)
    full = True
    with pytest.raises(AuditUnwritable):
        budget.note(refused(), None, NOW + 1)
    full = False
    budget.note(refused(), None, NOW + 1)
    assert sum(event.weight for event in written) == 61


@pytest.mark.parametrize(
    ("source", "prefix"),
    [
        ("192.0.2.77", "192.0.2.0/24"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1::/48"),
        ("::ffff:192.0.2.77", "192.0.2.0/24"),
        ("fe80::1%eth0", "fe80::/48"),
        (None, "unknown"),
        ("a socket\n", "a socket\\u{a}"),
        ("x" * 500, "x" * 64),
    ],
)
def test_only_the_network_of_an_address_is_kept(source, prefix):
    assert source_prefix(source) == prefix


def test_a_flood_at_full_speed_leaves_room_for_every_good_call(tmp_path):
    clock = Clock(step=0)
    stream = bound_stream(tmp_path / "audit", Authority().issue(), clock=clock, rotate_at=1_000_000)
    budget = StrangersBudget(stream.record)
    reasons = (Reason.TOKEN_KEY, Reason.TOKEN_EXPIRED, Reason.CREDENTIAL_MISSING, Reason.HTTP_HOST)
    seen = 0
    for _ in range(60):
        clock.now += SECOND
        for reason in reasons:
            for _ in range(200):
                budget.note(refused(reason), "192.0.2.1", clock.now / SECOND)
                seen += 1
        stream.record(refused(subject="00u"))
        stream.tick()
    budget.finish()
    stream.close()
    records = [json.loads(line) for line in stream.path.read_bytes().splitlines()]
    strangers = [
        r for r in records if r["type"].startswith("launchworthy.authn") and "subject" not in r["data"]
    ]
    counted = sum(r["data"].get("count", 1) for r in strangers)
    uncounted = sum(sum(r["data"].get("uncounted", {}).values()) for r in records)
    assert counted + uncounted == seen
    assert sum(len(json.dumps(r)) for r in strangers) < 130_000
    assert sum(1 for r in records if r["data"].get("subject") == "00u") == 60


def test_what_needs_no_record_is_counted_without_one(budget, written):
    ask = ("authn.denied", "token.signature", "192.0.2.1")
    assert not budget.counts(*ask, NOW), "nothing of the kind has come in this second"
    for _ in range(50):
        budget.note(refused(), "192.0.2.1", NOW)
        assert not budget.counts(*ask, NOW), "it has a record of its own"
    budget.note(refused(), "192.0.2.1", NOW)
    assert budget.counts("authn.denied", "token.signature", "198.51.100.1", NOW + 0.5)
    assert not budget.counts("authn.denied", "token.expired", "192.0.2.1", NOW)
    assert not budget.counts("protocol.rejected", "token.signature", "192.0.2.1", NOW)
    assert not budget.counts(*ask, NOW + 1), "a new second"
    budget.flush(NOW + 1)
    assert sum(event.weight for event in written) == 52
    assert written[-1].sources == ("192.0.2.0/24", "198.51.100.0/24")
