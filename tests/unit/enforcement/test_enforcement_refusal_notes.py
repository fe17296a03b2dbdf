"""What is counted is written by itself: nobody else has to be refused first."""

import asyncio

import pytest

from launchworthy.audit.events import AuthnDenied
from launchworthy.audit.strangers import PER_SECOND
from launchworthy.enforcement import refusal_notes
from launchworthy.enforcement.refusal_notes import RefusalNotes
from launchworthy.vocabulary import Reason

NOW = 1_800_000_000.0


class Clock:
    """Stands still until it is set; counts who asks."""

    def __init__(self):
        self.now = NOW
        self.asked = 0

    def __call__(self):
        self.asked += 1
        return self.now


class Written:
    def __init__(self):
        self.events = []

    def record(self, event):
        self.events.append(event)


@pytest.mark.parametrize("looked", [0, 3], ids=["the first look finds it over", "a later look does"])
def test_the_end_of_a_flood_is_counted_without_another_refusal(monkeypatch, looked):
    monkeypatch.setattr(refusal_notes, "_FLUSH_SECONDS", 0.001)
    clock, audit = Clock(), Written()
    refused = AuthnDenied(call="C", reason=Reason.TOKEN_SIGNATURE, status=401, detail="d")

    async def test():
        notes = RefusalNotes(audit, None, clock=clock, on_refusal=None)
        for _ in range(PER_SECOND + 7):
            notes.count(refused, "192.0.2.1")
        asked = clock.asked
        async with asyncio.timeout(5):
            while clock.asked < asked + looked:  # noqa: ASYNC110 - until it has looked so often in vain
                await asyncio.sleep(0.001)
            assert len(audit.events) == PER_SECOND
            clock.now += 1
            while len(audit.events) == PER_SECOND:  # noqa: ASYNC110 - a timer of the loop
                await asyncio.sleep(0.001)
        assert audit.events[-1].count == 7
        assert notes._flush is None  # and then it rests

    asyncio.run(test())
