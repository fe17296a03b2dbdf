"""One fetch serves many callers; what is refused is dropped."""

import asyncio
import threading

import pytest

from launchworthy.identity.assertions import (
    MAX_AUDIENCES,
    REFRESH_SPACING_SECONDS,
    Assertions,
    FetchedAssertion,
)
from launchworthy.identity.cause import Cause, SourceError
from launchworthy.vocabulary import Secret


class Agent:
    """Hands out numbered assertions, or the error that is set."""

    def __init__(self):
        self.now, self.life, self.fetches = 1000.0, 300, 0
        self.error = None
        self.asked, self.gate = threading.Event(), threading.Event()
        self.gate.set()

    def __call__(self, audience):
        self.fetches += 1
        number = self.fetches
        self.asked.set()
        assert self.gate.wait(5)
        if self.error is not None:
            raise self.error
        return FetchedAssertion(secret=Secret(f"{audience}#{number}"), expires_at=int(self.now) + self.life)


def in_loop(scenario):
    async def opened():
        agent = Agent()
        assertions = Assertions(agent, clock=lambda: agent.now, min_left=15.0)
        try:
            await asyncio.wait_for(scenario(agent, assertions), 10)
        finally:
            agent.gate.set()
            assertions.close()

    asyncio.run(opened())


async def landed(assertions):
    await asyncio.gather(*assertions._flights.values(), return_exceptions=True)


def test_fifty_callers_at_once_are_one_fetch():
    async def scenario(agent, assertions):
        got = await asyncio.gather(*(assertions.get("a") for _ in range(50)))
        assert {secret.reveal() for secret in got} == {"a#1"}
        assert agent.fetches == 1

    in_loop(scenario)


def test_each_audience_has_its_own():
    async def scenario(agent, assertions):
        assert (await assertions.get("a")).reveal() == "a#1"
        assert (await assertions.get("b")).reveal() == "b#2"
        assert (await assertions.get("a")).reveal() == "a#1"
        assert agent.fetches == 2

    in_loop(scenario)


def test_past_half_of_its_life_it_is_refreshed_while_nobody_waits():
    async def scenario(agent, assertions):
        await assertions.get("a")
        agent.now += 149
        await assertions.get("a")
        assert agent.fetches == 1
        agent.now += 1
        agent.gate.clear()
        assert (await assertions.get("a")).reveal() == "a#1"
        agent.gate.set()
        await landed(assertions)
        assert (await assertions.get("a")).reveal() == "a#2"

    in_loop(scenario)


def test_a_refresh_is_not_tried_again_at_once():
    async def scenario(agent, assertions):
        await assertions.get("a")
        agent.now += 200
        agent.error = SourceError(Cause.NOTHING_LISTENS, "away")
        for _ in range(5):
            assert (await assertions.get("a")).reveal() == "a#1"
            await landed(assertions)
        assert agent.fetches == 2
        agent.now += REFRESH_SPACING_SECONDS
        await assertions.get("a")
        await landed(assertions)
        assert agent.fetches == 3

    in_loop(scenario)


def test_the_old_one_serves_an_outage_until_too_little_is_left():
    async def scenario(agent, assertions):
        await assertions.get("a")
        agent.error = SourceError(Cause.NOTHING_LISTENS, "away")
        agent.now += 285
        assert (await assertions.get("a")).reveal() == "a#1"
        await landed(assertions)
        agent.now += 0.5
        with pytest.raises(SourceError, match="away"):
            await assertions.get("a")
        agent.error = None
        assert (await assertions.get("a")).reveal() == "a#4"

    in_loop(scenario)


def test_what_the_agent_refuses_to_give_any_more_is_dropped_at_once():
    async def scenario(agent, assertions):
        await assertions.get("a")
        agent.now += 200
        agent.error = SourceError(Cause.NO_ENTRY, "no entry")
        assert (await assertions.get("a")).reveal() == "a#1"
        await landed(assertions)
        with pytest.raises(SourceError, match="no entry"):
            await assertions.get("a")

    in_loop(scenario)


def test_one_that_is_nearly_over_when_it_comes_is_refused():
    async def scenario(agent, assertions):
        agent.life = 14
        with pytest.raises(SourceError) as caught:
            await assertions.get("a")
        assert caught.value.failure.cause is Cause.EXPIRED
        agent.life = 15
        assert (await assertions.get("a")).reveal() == "a#2"

    in_loop(scenario)


def test_what_was_on_its_way_when_all_was_forgotten_is_not_kept():
    async def scenario(agent, assertions):
        agent.gate.clear()
        waiting = asyncio.create_task(assertions.get("a"))
        assert await asyncio.to_thread(agent.asked.wait, 5)
        assertions.forget()
        agent.gate.set()
        with pytest.raises(SourceError, match="the identity changed"):
            await waiting
        assert (await assertions.get("a")).reveal() == "a#2"

    in_loop(scenario)


def test_a_caller_that_leaves_takes_nobody_elses_fetch_away():
    async def scenario(agent, assertions):
        agent.gate.clear()
        leaving, staying = (asyncio.create_task(assertions.get("a")) for _ in range(2))
        assert await asyncio.to_thread(agent.asked.wait, 5)
        leaving.cancel()
        agent.gate.set()
        assert (await staying).reveal() == "a#1"

    in_loop(scenario)


def test_the_number_of_audiences_kept_is_bounded():
    async def scenario(agent, assertions):
        for number in range(MAX_AUDIENCES + 5):
            await assertions.get(str(number))
        assert len(assertions._kept) == MAX_AUDIENCES
        before = agent.fetches
        await assertions.get(str(MAX_AUDIENCES + 4))
        assert agent.fetches == before
        await assertions.get("0")
        assert agent.fetches == before + 1

    in_loop(scenario)
