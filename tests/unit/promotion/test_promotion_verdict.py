"""A verdict is never better than what was looked at."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from launchworthy.promotion.finding import Assertion, ControlId, Finding, Status, conclude, undecided
from launchworthy.promotion.verdict import HOLDS, Verdict, decide

A, B = ControlId("AZ-01"), ControlId("TOK-04")
SEEN = Assertion(holds=True, what="looked at")
TWIN = Assertion(holds=True, what="the unchanged twin passed", requests=1, twin=True)
BROKEN = Assertion(holds=False, what="the server accepted it", requests=1)


def finding(control, status, assertions=(SEEN,), *, rehearsed=False):
    return Finding(
        control=control, status=status, message="", assertions=assertions, rehearsed=rehearsed, seconds=0.0
    )


def test_all_that_was_asked_for_and_holds_is_cleared():
    assert decide([finding(A, Status.PASS), finding(B, Status.WAIVED)], [A, B]) is Verdict.CLEARED


@pytest.mark.parametrize(
    ("findings", "catalogue"),
    [
        ([], []),
        ([], [A]),
        ([finding(A, Status.PASS)], []),
        ([finding(A, Status.PASS)], [A, B]),
        ([finding(A, Status.PASS), finding(B, Status.PASS)], [A]),
        ([finding(A, Status.PASS), finding(A, Status.PASS)], [A]),
        ([finding(A, Status.PASS), finding(A, Status.PASS)], [A, B]),
        ([finding(A, Status.FAIL)], [A]),
        ([finding(A, Status.ERROR)], [A]),
        ([finding(A, Status.PASS), finding(B, Status.ERROR)], [A, B]),
        ([finding(A, Status.WAIVED)], [A]),
        ([finding(A, Status.NOT_APPLICABLE)], [A]),
    ],
)
def test_whatever_is_missing_skipped_doubled_or_empty_is_held(findings, catalogue):
    assert decide(findings, catalogue) is Verdict.HELD


@given(st.lists(st.sampled_from(Status), min_size=1, max_size=6))
def test_one_control_that_does_not_hold_holds_everything(statuses):
    ids = [ControlId(f"AZ-{number:02}") for number in range(len(statuses))]
    verdict = decide([finding(key, status) for key, status in zip(ids, statuses, strict=True)], ids)
    assert (verdict is Verdict.CLEARED) == (set(statuses) <= HOLDS and Status.PASS in statuses)


def test_a_pass_without_an_assertion_cannot_be_made():
    with pytest.raises(ValueError, match="without an assertion"):
        finding(A, Status.PASS, ())
    assert conclude(A, (), rehearsed=False, seconds=0.0).status is Status.ERROR


def test_a_pass_beside_a_broken_assertion_cannot_be_made():
    with pytest.raises(ValueError, match="does not hold"):
        finding(A, Status.PASS, (SEEN, BROKEN))
    concluded = conclude(A, (SEEN, BROKEN), rehearsed=False, seconds=0.0)
    assert (concluded.status, concluded.message) == (Status.FAIL, BROKEN.what)
    assert concluded.failures == (BROKEN,)


def test_a_rehearsal_without_its_twin_cannot_pass():
    with pytest.raises(ValueError, match="twin"):
        finding(A, Status.PASS, (SEEN,), rehearsed=True)
    assert conclude(A, (SEEN,), rehearsed=True, seconds=0.0).status is Status.ERROR
    passed = conclude(A, (SEEN, TWIN), rehearsed=True, seconds=0.0)
    assert (passed.status, passed.requests) == (Status.PASS, 1)


def test_what_could_not_be_decided_is_an_error():
    assert undecided(A, "the server did not start", rehearsed=True, seconds=1.0).status is Status.ERROR
