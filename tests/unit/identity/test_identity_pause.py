"""How long a supervisor waits between two rounds."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from launchworthy.identity.cause import Cause
from launchworthy.identity.supervisor import pause


def test_it_waits_twice_as_long_each_time_up_to_a_limit():
    waits = [pause(Cause.UNAVAILABLE, attempts, 2.0, 0.999999) for attempts in range(7)]
    assert waits == pytest.approx([0.1, 0.2, 0.4, 0.8, 1.6, 2.0, 2.0], rel=1e-3)


def test_a_missing_socket_is_looked_for_more_often_than_an_agent_is_asked():
    assert pause(Cause.NOTHING_LISTENS, 9, 2.0, 0.999999) == pytest.approx(0.5, rel=1e-3)
    assert pause(Cause.NOTHING_LISTENS, 9, 0.2, 0.999999) == pytest.approx(0.2, rel=1e-3)


@given(cause=st.sampled_from(Cause), attempts=st.integers(0, 10**6), random=st.floats(0, 1, exclude_max=True))
def test_it_never_waits_too_long_nor_not_at_all(cause, attempts, random):
    assert 0.05 <= pause(cause, attempts, 2.0, random) <= 2.0


def test_two_workloads_do_not_come_back_in_one_instant():
    assert pause(Cause.UNAVAILABLE, 9, 2.0, 0.1) != pause(Cause.UNAVAILABLE, 9, 2.0, 0.9)
