"""The phases: what decides, and in which order."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from launchworthy.identity import Phase
from launchworthy.identity.cause import TRAITS, Cause, Failure
from launchworthy.identity.phase import NOTHING_YET, Holding, closed, phase_at, received
from launchworthy.identity.phase import failed as failed_at

BORN, STALE, END = 1000.0, 1060.0, 1100.0
HOLDING = Holding(subject="spiffe://dev.invalid/a", serial="1", not_after=1100, ends_at=END, stale_at=STALE)
HELD = received(NOTHING_YET, HOLDING)
DENIED = Failure(cause=Cause.NO_ENTRY, detail="no entry")
AWAY = Failure(cause=Cause.NOTHING_LISTENS, detail="nobody there")


def failed(facts, failure, now=BORN, grace=0.0):
    return failed_at(facts, failure, now=now, grace=grace)


WITHDRAWING = tuple(cause for cause in Cause if TRAITS[cause].withdraws)


@pytest.mark.parametrize(
    ("now", "phase"),
    [
        (BORN, Phase.READY),
        (STALE - 0.001, Phase.READY),
        (STALE, Phase.STALE),
        (END - 0.001, Phase.STALE),
        (END, Phase.EXPIRED),
        (END + 1e9, Phase.EXPIRED),
    ],
)
def test_time_alone_makes_an_identity_stale_and_then_expired(now, phase):
    assert phase_at(HELD, now, forked=False) is phase


def test_before_the_first_identity_it_is_starting():
    assert phase_at(NOTHING_YET, BORN, forked=False) is Phase.STARTING


@pytest.mark.parametrize("cause", [cause for cause in Cause if cause not in WITHDRAWING])
def test_a_failed_refresh_changes_no_phase(cause):
    after = failed(HELD, Failure(cause=cause, detail="…"))
    assert phase_at(after, BORN, forked=False) is Phase.READY
    assert after.holding is HOLDING


@pytest.mark.parametrize("cause", WITHDRAWING)
def test_what_the_source_withdraws_is_revoked_at_once(cause):
    after = failed(HELD, Failure(cause=cause, detail="…"))
    assert phase_at(after, BORN, forked=False) is Phase.REVOKED
    assert after.holding is None


def test_withdrawing_is_what_a_missing_entry_and_another_identity_mean():
    assert set(WITHDRAWING) == {
        Cause.NO_ENTRY,
        Cause.OTHER_IDENTITY,
        Cause.OTHER_TRUST_DOMAIN,
        Cause.OTHER_ISSUER,
    }


def test_a_denial_before_the_first_identity_revokes_nothing():
    assert phase_at(failed(NOTHING_YET, DENIED), BORN, forked=False) is Phase.STARTING


def test_a_revoked_identity_stays_revoked_whatever_fails_next():
    after = failed(failed(failed(HELD, DENIED), AWAY), DENIED)
    assert phase_at(after, BORN, forked=False) is Phase.REVOKED
    assert phase_at(after, END, forked=False) is Phase.REVOKED


def test_an_expired_identity_can_still_be_withdrawn():
    assert phase_at(failed(HELD, DENIED), END, forked=False) is Phase.REVOKED


def test_a_new_identity_ends_the_revocation():
    after = received(failed(HELD, DENIED), HOLDING)
    assert phase_at(after, BORN, forked=False) is Phase.READY
    assert after.failure is None


@pytest.mark.parametrize("cause", WITHDRAWING)
def test_with_a_grace_one_word_of_a_withdrawal_is_a_doubt(cause):
    denied = Failure(cause=cause, detail="no entry")
    doubted = failed(HELD, denied, grace=10.0)
    assert doubted.holding is HOLDING
    assert phase_at(doubted, BORN + 9.9, forked=False) is Phase.READY
    assert phase_at(doubted, BORN + 10, forked=False) is Phase.REVOKED
    assert phase_at(failed(doubted, AWAY, now=BORN + 9), BORN + 10, forked=False) is Phase.REVOKED


def test_the_same_word_again_is_believed_in_the_second_half_of_the_grace():
    doubted = failed(HELD, DENIED, grace=10.0)
    again = failed(doubted, DENIED, now=BORN + 4.9, grace=10.0)
    assert phase_at(again, BORN + 4.9, forked=False) is Phase.READY
    assert again.doubt == doubted.doubt  # the first word counts: a source that repeats itself gains nothing
    believed = failed(again, DENIED, now=BORN + 5, grace=10.0)
    assert (believed.revoked, believed.holding) == (True, None)


def test_an_identity_that_comes_again_ends_the_doubt():
    after = received(failed(HELD, DENIED, grace=10.0), HOLDING)
    assert after.doubt is None
    assert phase_at(after, BORN + 20, forked=False) is Phase.READY


def test_a_doubted_identity_expires_like_any_other():
    doubted = failed(HELD, DENIED, now=END - 1, grace=10.0)
    assert phase_at(doubted, END, forked=False) is Phase.EXPIRED


def test_the_same_identity_again_is_no_younger():
    later = Holding(subject=HOLDING.subject, serial="1", not_after=1100, ends_at=END, stale_at=STALE + 20)
    assert received(HELD, later).holding is HOLDING
    renewed = Holding(subject=HOLDING.subject, serial="2", not_after=1200, ends_at=1200.0, stale_at=1160.0)
    assert received(HELD, renewed).holding is renewed


def test_a_forked_child_and_a_closed_identity_hold_nothing_usable():
    assert phase_at(HELD, BORN, forked=True) is Phase.FORKED
    assert phase_at(closed(HELD), BORN, forked=False) is Phase.CLOSED
    assert phase_at(closed(HELD), BORN, forked=True) is Phase.CLOSED
    assert closed(HELD).holding is None


@pytest.mark.parametrize("phase", Phase)
def test_work_may_be_done_when_ready_or_stale_only(phase):
    assert phase.usable is (phase in (Phase.READY, Phase.STALE))


holdings = st.builds(
    lambda serial, life: Holding(
        subject="a", serial=str(serial), not_after=life, ends_at=float(life), stale_at=life * 0.6
    ),
    st.integers(0, 3),
    st.integers(1, 100),
)
events = st.lists(holdings | st.sampled_from(Cause) | st.just("close"), max_size=12)


@given(events=events, now=st.floats(0, 120))
def test_it_is_usable_only_with_an_unexpired_identity_that_nobody_withdrew_since(events, now):
    facts, last = NOTHING_YET, None
    for event in events:
        if isinstance(event, Holding):
            facts, last = received(facts, event), event
        elif isinstance(event, Cause):
            facts = failed(facts, Failure(cause=event, detail="…"))
            last = None if TRAITS[event].withdraws else last
        else:
            facts, last = closed(facts), None
    usable = phase_at(facts, now, forked=False).usable
    assert usable == (last is not None and now < last.not_after and "close" not in events)
