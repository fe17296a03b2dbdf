"""Each test runs over both parsers and both loops, or over those of production."""

import asyncio

import pytest
import uvloop
from secured import runner

from launchworthy.enforcement import protocol


@pytest.fixture(
    params=[
        "asyncio-h11",
        "uvloop-httptools",
        pytest.param("asyncio-httptools", marks=pytest.mark.slow),
        pytest.param("uvloop-h11", marks=pytest.mark.slow),
    ]
)
def each_way(request, monkeypatch):
    """Runs a coroutine function with a `Secured` world, over each parser on each loop."""
    loop, parser = request.param.split("-")
    make = protocol.bounded_h11 if parser == "h11" else protocol.bounded_httptools
    monkeypatch.setattr("launchworthy.server.listening.bounded_protocol", make)
    return runner(uvloop.new_event_loop if loop == "uvloop" else None)


@pytest.fixture
def once():
    """Runs a coroutine function with a `Secured` world, over the parser and the loop of production."""
    return runner(uvloop.new_event_loop)


@pytest.fixture
def until():
    async def until(condition, seconds=5.0):
        async with asyncio.timeout(seconds):
            while not condition():  # noqa: ASYNC110 - it is another thread's doing
                await asyncio.sleep(0.01)

    return until
