"""What is read out of an answer, and what of it is not as expected."""

import httpx2
import pytest

from launchworthy.probe.answer import read_answer, read_challenge
from launchworthy.probe.case import GOES_THROUGH
from launchworthy.probe.running import Observation, twin_differences

METADATA = "https://orders.acme.example/.well-known/oauth-protected-resource/mcp"


def test_a_challenge_is_read_parameter_by_parameter() -> None:
    value = f'Bearer error="invalid_token", scope="orders:read orders:write", resource_metadata="{METADATA}"'
    assert read_challenge([value]) == {
        "error": "invalid_token",
        "scope": "orders:read orders:write",
        "resource_metadata": METADATA,
    }


def test_no_header_is_no_challenge() -> None:
    assert read_challenge([]) is None


@pytest.mark.parametrize(
    "values",
    [
        ['Bearer error="a"', 'Bearer error="b"'],
        ["Basic realm=x"],
        ['Bearer error="a", error="b"'],
        ['Bearer error="a" junk'],
        ["Bearer error=invalid_token"],
    ],
)
def test_a_challenge_that_two_readers_read_differently_is_malformed(values: list[str]) -> None:
    assert read_challenge(values) == {"malformed": values[0]}


def test_the_last_message_of_an_event_stream_counts() -> None:
    text = (
        'data: {"jsonrpc":"2.0","method":"x"}\n\ndata: {"jsonrpc":"2.0","id":1,"result":{"isError":true}}\n\n'
    )
    answer = read_answer(httpx2.Response(200, headers={"content-type": "text/event-stream"}, text=text))
    assert answer.result == {"isError": True}
    assert answer.summary() == "200 isError"


@pytest.mark.parametrize("body", [b"", b"[]", b'"x"', b"{", b"[" * 100_000])
def test_a_body_that_is_no_message_reads_as_none(body: bytes) -> None:
    answer = read_answer(httpx2.Response(502, headers={"content-type": "application/json"}, content=body))
    assert (answer.message, answer.error, answer.data, answer.summary()) == ({}, {}, {}, "502")


def seen(status: int | None, runs: int) -> Observation:
    answer = None if status is None else read_answer(httpx2.Response(status))
    return Observation(answer=answer, runs=runs, token="")


def test_a_twin_that_ran_once_is_right() -> None:
    assert tuple(twin_differences(seen(200, 1))) == ()


@pytest.mark.parametrize(("status", "runs"), [(200, 0), (200, 2), (401, 0), (500, 1), (None, 0)])
def test_a_twin_that_did_anything_else_is_wrong(status: int | None, runs: int) -> None:
    assert tuple(twin_differences(seen(status, runs)))


def test_what_must_go_through_runs_exactly_one_body() -> None:
    assert (GOES_THROUGH.runs, GOES_THROUGH.statuses) == (1, frozenset({200}))
