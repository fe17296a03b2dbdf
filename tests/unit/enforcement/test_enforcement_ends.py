"""A call ends with its time or with its caller, and nothing of it happens afterwards."""

import asyncio
import os
import sys
from contextlib import suppress
from pathlib import Path
from types import SimpleNamespace

import pytest
import structlog

from launchworthy.enforcement.authorized import Authorized, Passage
from launchworthy.enforcement.bodies import Body, BodyFailed, Surroundings
from launchworthy.enforcement.presence import Presence
from launchworthy.enforcement.rehearsing import NOT_REHEARSED, Rehearsing
from launchworthy.enforcement.workers import Workers
from launchworthy.vocabulary import CallId, Decision, Environment

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "credentials"))
from lending_book import CALLER, Bank

HELD = "0.3"


class Door:
    """A body of one function, with a door that can be held, and a count of who went through."""

    def __init__(self, directory, function, *, longest, app=None, parameter=None):
        self.hold = directory / "hold"
        self.hold.write_text("")
        self._read, self._write = os.pipe()
        os.set_blocking(self._read, False)
        self.workers = Workers()
        rehearsing = Rehearsing(execution_pipe=self._write, hold=self.hold, reach=None, longest=longest)
        around = Surroundings(
            environment=Environment.REHEARSAL, app=app, rehearsing=rehearsing, log=structlog.get_logger(),
            workers=self.workers, changed=lambda _: None, tellers=Bank().tellers,
        )  # fmt: skip
        served = SimpleNamespace(
            mark=SimpleNamespace(function=function),
            manifest=SimpleNamespace(timeout_seconds=30.0, name="f"),
            call_parameter=parameter,
            is_async=asyncio.iscoroutinefunction(function),
        )
        self.body = Body(served, around)

    def entered(self):
        with suppress(BlockingIOError):
            return len(os.read(self._read, 99))
        return 0

    async def empty(self):
        """Wait until no thread runs for it any more."""
        async with asyncio.timeout(5):
            while self.workers.running:  # noqa: ASYNC110 - threads tell nobody
                await asyncio.sleep(0.01)

    def close(self):
        os.close(self._read)
        os.close(self._write)


@pytest.fixture
def door(tmp_path):
    made = []

    def make(function, *, longest=0.1, **more):
        made.append(Door(tmp_path, function, longest=longest, **more))
        return made[-1]

    yield make
    for each in made:
        each.close()


def passage():
    target = SimpleNamespace(name="f", credentials={}, approval=None, egress=())
    decision = Decision(rule="manifest:f", policy_digest="p", manifest_digest="m")
    return Passage(
        Authorized(
            call=CallId("4T7K-9QX2-M0DV"), principal=CALLER, target=target, decision=decision, named="f",
            unvalidated={}, arguments={}, completing=None, approval=None, callers_token=None,
            lifted=frozenset(),
        )
    )  # fmt: skip


async def awaited():
    return "done"


def plain():
    return "done"


@pytest.mark.parametrize("function", [awaited, plain])
def test_what_is_not_held_up_runs(door, function):
    made = door(function)
    assert asyncio.run(made.body.run(passage(), str)) == "done"
    assert made.entered() == 1


@pytest.mark.parametrize("function", [awaited, plain])
def test_what_was_answered_as_too_slow_does_not_begin_afterwards(door, function):
    made = door(function)
    made.hold.write_text(HELD)

    async def run():
        one = passage()
        with pytest.raises(BodyFailed, match=r"longer than 0\.1 s"):
            await made.body.run(one, str)
        await made.empty()
        return one

    one = asyncio.run(run())
    assert (made.entered(), one.outcome, one.over) == (0, "timeout", True)


@pytest.mark.parametrize("function", [awaited, plain])
def test_what_its_caller_has_left_does_not_begin(door, function):
    made = door(function, longest=None)
    made.hold.write_text(HELD)

    async def run():
        async def leaving():
            return {"type": "http.disconnect"}

        one = passage()
        instead = None if function is awaited else one.give_up
        with suppress(BodyFailed, Exception), Presence(leaving, armed_after=0.0, instead=instead):
            await made.body.run(one, str)
        await made.empty()
        return one

    one = asyncio.run(run())
    assert (made.entered(), one.outcome) == (0, "cancelled")


def test_what_a_call_left_behind_gets_nothing_of_the_app(door):
    kept = []

    def keeps(call):
        kept.append(call)
        return call.app

    made = door(keeps, app="the shop", parameter="call")
    assert asyncio.run(made.body.run(passage(), str)) == "the shop"
    with pytest.raises(RuntimeError, match="this call is over"):
        _ = kept[0].app


def test_nobody_is_held_up_where_nothing_is_rehearsed():
    assert (NOT_REHEARSED.held(), NOT_REHEARSED.limit(30.0)) == (0.0, 30.0)
    NOT_REHEARSED.entered()


@pytest.mark.parametrize(("longest", "promised", "limit"), [(2.5, 30.0, 2.5), (2.5, 1.0, 1.0)])
def test_a_rehearsal_only_shortens(longest, promised, limit):
    assert Rehearsing(execution_pipe=None, hold=None, reach=None, longest=longest).limit(promised) == limit
