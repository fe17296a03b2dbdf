"""A body comes in time and fits, or is refused; here the clock is the loop's, and the pace a short one."""

import asyncio
import time
from typing import Any

import pytest

from launchworthy.enforcement.body import Pace, read_body
from launchworthy.vocabulary import Reason, Refused


def dripping(piece: bytes, every: float, pieces: int = 10_000) -> Any:
    left = pieces

    async def receive() -> dict[str, Any]:
        nonlocal left
        await asyncio.sleep(every)
        left -= 1
        return {"type": "http.request", "body": piece, "more_body": left > 0}

    return receive


def read(receive: Any, pace: Pace) -> bytes:
    return asyncio.run(read_body(receive, max_bytes=100_000, pace=pace))


def test_a_body_that_is_slower_than_the_rate_is_refused_long_before_its_time_is_over():
    began = time.monotonic()
    with pytest.raises(Refused) as raised:
        read(dripping(b"x", 0.02), Pace(seconds=8, grace=0.1, bytes_per_second=1000))
    assert raised.value.reason is Reason.HTTP_DEADLINE
    assert time.monotonic() - began < 2


def test_a_body_that_keeps_the_rate_has_its_whole_time():
    body = read(dripping(b"x" * 100, 0.02, pieces=20), Pace(seconds=8, grace=0.3, bytes_per_second=1000))
    assert len(body) == 2000
    with pytest.raises(Refused) as raised:
        read(dripping(b"x" * 100, 0.02), Pace(seconds=0.5, grace=0.3, bytes_per_second=1000))
    assert raised.value.reason is Reason.HTTP_DEADLINE


def test_a_client_that_leaves_sent_no_body():
    async def receive() -> dict[str, Any]:
        return {"type": "http.disconnect"}

    with pytest.raises(Refused) as raised:
        read(receive, Pace(seconds=1, grace=1, bytes_per_second=1))
    assert raised.value.reason is Reason.HTTP_DEADLINE


def test_a_cancellation_from_elsewhere_is_no_deadline():
    async def cancelled() -> bool:
        task = asyncio.create_task(
            read_body(dripping(b"", 30), max_bytes=10, pace=Pace(seconds=9, grace=9, bytes_per_second=1))
        )
        await asyncio.sleep(0)
        task.cancel()
        await asyncio.wait({task})
        return task.cancelled()

    assert asyncio.run(cancelled()) is True
