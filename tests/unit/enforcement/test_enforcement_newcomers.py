"""How many unknown tokens one source may show, and who is never counted together with others."""

import asyncio

import pytest

from launchworthy.enforcement.newcomers import Newcomers
from launchworthy.enforcement.peering import Peering
from launchworthy.state import LimitReached
from launchworthy.vocabulary import CallId, Reason

EDGE = "spiffe://acme.example/ns/edge/sa/edge"
AGENT = "spiffe://acme.example/agents/support"
CALL = CallId("0000-0000-0000")


def connected(peer, forwarded=None):
    return Peering(peer=peer, forwarded=forwarded, session=None)


class Door:
    """A bound of three a minute, and a clock to move."""

    def __init__(self, *proxies):
        self.now = 1000.0
        self.newcomers = Newcomers(3, frozenset(proxies), clock=lambda: self.now)

    def admitted(self, peering, times, *, known=False):
        """How many of so many unknown tokens are looked at."""

        async def shown():
            tried = [self.newcomers.admit(peering, CALL, known=known) for _ in range(times)]
            return await asyncio.gather(*tried, return_exceptions=True)

        refused = [each for each in asyncio.run(shown()) if each is not None]
        assert all(isinstance(each, LimitReached) and each.limit == "source" for each in refused)
        assert all(each.reason is Reason.LIMIT_RATE and 1 <= each.retry_after <= 60 for each in refused)
        return times - len(refused)


def test_a_source_shows_so_many_unknown_tokens_a_minute():
    door = Door()
    assert door.admitted(connected(AGENT), 5) == 3
    door.now += 61
    assert door.admitted(connected(AGENT), 5) == 3


def test_one_source_shuts_nobody_else_out():
    door = Door()
    assert door.admitted(connected(AGENT), 9) == 3
    assert door.admitted(connected(EDGE), 3) == 3


def test_behind_a_trusted_proxy_each_workload_is_a_source_of_its_own():
    door = Door(EDGE)
    assert door.admitted(connected(EDGE, AGENT), 9) == 3
    assert door.admitted(connected(EDGE, AGENT + "2"), 3) == 3


def test_a_proxy_that_does_not_say_for_whom_it_speaks_is_everybody_and_is_not_counted():
    door = Door(EDGE)
    assert door.admitted(connected(EDGE), 50) == 50


@pytest.mark.parametrize("said", [AGENT, None])
def test_a_peer_that_is_no_proxy_is_counted_by_its_own_name(said):
    door = Door(EDGE + "2")
    assert door.admitted(connected(EDGE, said), 9) == 3


def test_a_token_that_is_known_is_never_turned_away():
    door = Door()
    assert door.admitted(connected(AGENT), 9) == 3
    assert door.admitted(connected(AGENT), 9, known=True) == 9
