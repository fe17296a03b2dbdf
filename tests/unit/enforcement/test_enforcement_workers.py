"""Where plain functions run: a bounded number of them, and a place is kept until the function has ended."""

import asyncio
import threading

import pytest

from launchworthy.enforcement.workers import Workers


def test_a_function_that_is_abandoned_keeps_its_place_until_it_ends():
    async def use() -> None:
        workers, let_go, entered = Workers(places=1), threading.Event(), threading.Event()

        def stuck() -> str:
            entered.set()
            let_go.wait(5)
            return "late"

        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.1):
                await workers.run(stuck)
        assert entered.is_set()
        assert workers.running == 1
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.05):
                await workers.run(lambda: "no place")
        let_go.set()
        async with asyncio.timeout(5):
            assert await workers.run(lambda: "a place") == "a place"
            while workers.running:  # noqa: ASYNC110 - a thread ends
                await asyncio.sleep(0.001)

    asyncio.run(use())


def test_a_worker_gives_back_results_and_errors_and_its_place():
    async def use() -> None:
        workers = Workers()
        assert await workers.run(lambda: 7) == 7
        with pytest.raises(ZeroDivisionError):
            await workers.run(lambda: 1 // 0)
        while workers.running:  # noqa: ASYNC110 - a thread ends
            await asyncio.sleep(0.001)

    asyncio.run(use())
