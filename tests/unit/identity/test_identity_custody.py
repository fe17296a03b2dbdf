"""What is held, who is told, and what a look at it costs."""

import asyncio
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

import launchworthy
from launchworthy.identity import ChangeKind, IdentityUnavailable, Phase
from launchworthy.identity.cause import Cause, Failure
from launchworthy.identity.custody import REPEAT_FAILURE_SECONDS, Custody
from launchworthy.identity.phase import Holding

HOLDING = Holding(
    subject="spiffe://dev.invalid/a", serial="1", not_after=1100, ends_at=1100.0, stale_at=1060.0
)
RENEWED = replace(HOLDING, serial="2", not_after=1200, ends_at=1200.0, stale_at=1160.0)
AWAY = Failure(cause=Cause.NOTHING_LISTENS, detail="nobody there")
DENIED = Failure(cause=Cause.NO_ENTRY, detail="no entry")


class World:
    """A custody, the clock it reads, and all that it told."""

    def __init__(self, grace=0.0):
        self.now = 1000.0
        self.custody = Custody(clock=lambda: self.now, grace=grace)
        self.told = []
        self.custody.on_change(self.told.append)

    async def kinds(self):
        await asyncio.sleep(0)
        told = [change.kind.value for change in self.told]
        self.told.clear()
        return told


def in_loop(scenario, **options):
    async def attached():
        world = World(**options)
        world.custody.attach()
        await scenario(world)

    asyncio.run(attached())


def test_each_change_is_told_once_and_in_order():
    async def scenario(world):
        custody = world.custody
        custody.receive(HOLDING, "first", news="")
        assert await world.kinds() == ["acquired"]
        custody.receive(HOLDING, "first", news="")
        assert await world.kinds() == []
        custody.receive(HOLDING, "first", news="`p` is trusted now")
        assert await world.kinds() == ["bundle_changed"]
        custody.receive(RENEWED, "second", news="")
        assert await world.kinds() == ["rotated"]
        custody.fail(DENIED)
        assert await world.kinds() == ["revoked"]
        custody.fail(DENIED)
        assert await world.kinds() == []
        custody.receive(RENEWED, "second", news="")
        assert await world.kinds() == ["acquired"]

    in_loop(scenario)


def test_an_expiry_is_told_once():
    async def scenario(world):
        world.custody.notice_expiry()
        world.custody.receive(HOLDING, "first", news="")
        world.custody.notice_expiry()
        assert await world.kinds() == ["acquired"]
        world.now = 1100.0
        world.custody.notice_expiry()
        world.custody.notice_expiry()
        assert await world.kinds() == ["expired"]

    in_loop(scenario)


def test_the_same_failure_is_not_told_again_before_a_while():
    async def scenario(world):
        world.custody.fail(AWAY)
        world.custody.fail(AWAY)
        assert await world.kinds() == ["refresh_failed"]
        world.custody.fail(DENIED)
        assert await world.kinds() == ["refresh_failed"]
        world.custody.fail(AWAY)
        assert await world.kinds() == ["refresh_failed"]
        world.now += REPEAT_FAILURE_SECONDS
        world.custody.fail(AWAY)
        assert await world.kinds() == ["refresh_failed"]

    in_loop(scenario)


def test_one_callback_that_raises_keeps_nobody_else_from_being_told():
    async def scenario(world):
        raised, told = [], []
        asyncio.get_running_loop().set_exception_handler(
            lambda _, context: raised.append(context["exception"])
        )

        def broken(_):
            raise ZeroDivisionError

        world.custody.on_change(broken)
        world.custody.on_change(told.append)
        world.custody.receive(HOLDING, "first", news="")
        await asyncio.sleep(0)
        assert [change.kind for change in told] == [ChangeKind.ACQUIRED]
        assert len(raised) == 1

    in_loop(scenario)


def test_what_is_held_is_handed_out_while_it_is_usable_only():
    async def scenario(world):
        with pytest.raises(IdentityUnavailable, match="STARTING"):
            world.custody.require()
        world.custody.receive(HOLDING, "first", news="")
        for now in (1000.0, 1099.9):
            world.now = now
            assert world.custody.require() == "first"
        world.now = 1100.0
        with pytest.raises(IdentityUnavailable, match="EXPIRED"):
            world.custody.require()
        world.custody.receive(RENEWED, "second", news="")
        assert world.custody.require() == "second"
        world.custody.fail(DENIED)
        with pytest.raises(IdentityUnavailable, match="REVOKED"):
            world.custody.require()
        assert world.custody.material() is None

    in_loop(scenario)


def test_after_closing_nothing_is_taken_and_nothing_is_told():
    async def scenario(world):
        world.custody.receive(HOLDING, "first", news="")
        world.custody.close()
        world.custody.receive(RENEWED, "second", news="")
        world.custody.fail(DENIED)
        assert world.custody.status().phase is Phase.CLOSED
        assert world.custody.material() is None
        assert await world.kinds() == ["acquired"]

    in_loop(scenario)


def test_a_failure_that_waiting_cannot_help_settles_a_start():
    async def scenario(world):
        world.custody.fail(AWAY)
        with pytest.raises(TimeoutError):
            await world.custody.settle(0.01)
        other = Failure(cause=Cause.OTHER_IDENTITY, detail="somebody else")
        world.custody.fail(other)
        assert await world.custody.settle(1) is other

    in_loop(scenario)


def test_nobody_is_told_before_there_is_a_loop_or_after_it_is_closed():
    world = World()
    world.custody.fail(AWAY)
    with pytest.raises(RuntimeError, match="attach comes before settle"):
        asyncio.run(world.custody.settle(1))

    async def attach():
        world.custody.attach()

    asyncio.run(attach())
    world.custody.receive(HOLDING, "first", news="")
    assert world.told == []
    assert world.custody.require() == "first"


COST = """
import time
from launchworthy.identity.custody import Custody
from launchworthy.identity.phase import Holding
custody = Custody(clock=time.time, grace=0.0)
custody.receive(Holding(subject="a", serial="1", not_after=1, ends_at=1e12, stale_at=1e12), "first", news="")
best = 1.0
for _ in range(50):
    began = time.perf_counter()
    for _ in range(2000):
        custody.status()
    best = min(best, (time.perf_counter() - began) / 2000)
print(best)
"""


@pytest.mark.speed
def test_a_look_at_the_status_costs_less_than_two_microseconds():
    framework = Path(launchworthy.__file__).parents[1]
    measured = subprocess.run(
        [sys.executable, "-c", COST],
        env={"PYTHONPATH": str(framework)},  # no coverage: it would be what is measured
        capture_output=True,
        text=True,
        check=True,
    )
    assert float(measured.stdout) < 2e-6


def test_a_doubt_is_told_as_a_failure_and_becomes_a_revocation_by_time_alone():
    async def scenario(world):
        world.custody.receive(HOLDING, "material", news="")
        world.custody.fail(DENIED)
        assert await world.kinds() == ["acquired", "refresh_failed"]
        assert world.custody.require() == "material"
        assert world.custody.status().doubted
        world.now += 10
        with pytest.raises(IdentityUnavailable):
            world.custody.require()
        world.custody.notice_expiry()
        world.custody.notice_expiry()
        assert await world.kinds() == ["revoked"]
        assert world.custody.material() is None

    in_loop(scenario, grace=10.0)
