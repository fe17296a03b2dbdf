"""What is stopped is refused wherever it can be asked for, and listed nowhere."""

import time
from typing import Any

import pytest
from house import House
from test_enforcement_gate_subscriptions import Listening, closed

from launchworthy.state.control import Action, ControlList, Entry


class Board:
    """A source of entries that a test writes to."""

    name = "board"

    def __init__(self) -> None:
        self.entries: tuple[Entry, ...] = ()

    async def read(self) -> tuple[Entry, ...]:
        return self.entries

    def stop(self, *targets: str) -> None:
        now = int(time.time())
        self.entries = (
            Entry(
                id="e-1", action=Action.STOP, targets=targets, name=None, who="@acme/on-call", why="INC-77",
                since=now, until=now + 3600, source="board",
            ),
        )  # fmt: skip


@pytest.fixture
def stopped(build: Any) -> Any:
    """A house, and what stops something in it at once."""
    board = Board()
    house: House = build(check_seconds=0.02, control=(board,))
    control: ControlList = house.control

    def stop(*targets: str) -> House:
        board.stop(*targets)
        house.run(control.poll())
        return house

    return stop


@pytest.mark.parametrize(
    ("stop", "method", "params"),
    [
        ("add", "tools/call", {"name": "add", "arguments": {"a": 1, "b": 2}}),
        ("order", "resources/read", {"uri": "shop://order/17"}),
        ("talk", "prompts/get", {"name": "talk"}),
        ("*", "tools/call", {"name": "add", "arguments": {"a": 1, "b": 2}}),
        (
            "greet",
            "completion/complete",
            {"ref": {"type": "ref/prompt", "name": "greet"}, "argument": {"name": "name", "value": "a"}},
        ),
    ],
)
def test_a_stopped_target_is_refused_with_a_word_of_its_own(
    stopped: Any, stop: str, method: str, params: Any
) -> None:
    house = stopped("nothing_of_ours")
    assert house.post(method, params).status_code == 200
    stopped(stop)
    refused = house.post(method, params)
    assert (refused.status_code, refused.json()["error"]["data"]["reason"]) == (403, "stopped")
    assert "www-authenticate" not in refused.headers
    [told] = house.story(refused)
    assert (told["reason"], told["detail"]) == ("tool.stopped", "stopped by `e-1` (@acme/on-call): INC-77")


def test_a_stop_tells_nobody_who_could_not_call_it_anyway(stopped: Any) -> None:
    house = stopped("*")
    hidden = {"name": "hidden", "arguments": {}}
    assert house.post("tools/call", hidden).json()["error"]["data"]["reason"] == "unknown"
    assert (
        house.post("tools/call", {"name": "wipe", "arguments": {"order_id": 1}}).json()["error"]["data"][
            "reason"
        ]
        == "insufficient_scope"
    )


def test_a_stopped_target_is_in_no_list(stopped: Any) -> None:
    house = stopped("nothing_of_ours")

    def listed(what: str) -> set[str]:
        result = house.post(f"{what}/list", {}).json()["result"]
        return {each["name"] for each in result[what]}

    before = listed("tools")
    assert {"add", "wait"} <= before
    stopped("add", "talk")
    assert listed("tools") == before - {"add"}
    assert "talk" not in listed("prompts")
    stopped("*")
    assert listed("tools") == set()


@pytest.mark.parametrize("stop", ["logo", "*"])
def test_a_stream_ends_with_a_stop(stopped: Any, stop: str) -> None:
    house = stopped("nothing_of_ours")
    with Listening(house, "shop://logo", "shop://order/1") as stream:
        stream.honoured()
        stopped(stop)
        stream.ends()
    assert closed(house, stream)["reason"] == "stopped"


def test_a_stream_goes_on_when_something_else_is_stopped(stopped: Any) -> None:
    house = stopped("nothing_of_ours")
    with Listening(house, "shop://logo") as stream:
        stream.honoured()
        stopped("add", "order")
        house.call("touch", uri="shop://logo")
        assert stream.told() == "shop://logo"
