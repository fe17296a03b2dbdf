"""One caller's use is limited, nobody else's; what is refused did not run and used nothing up."""

import json
import threading
import time
from typing import Any

import httpx2
import pytest
from house import LEGACY, MODERN, House, eventually, headers_of, message_of

from launchworthy.state import MemoryStore, store_unusable

LISTEN = {"notifications": {"toolsListChanged": True}}


class DeadStore(MemoryStore):
    """A store that has gone away."""

    async def take(self, *_: Any) -> None:
        raise store_unusable("nobody answers")


def ask(house: House, tool: str, who: str, *scopes: str, **arguments: Any) -> httpx2.Response:
    token = house.token(*(scopes or ("shop:read",)), claims={"sub": who})
    return house.post("tools/call", {"name": tool, "arguments": arguments}, token=token)


def limited(response: httpx2.Response) -> tuple[int, str, int]:
    error = response.json()["error"]
    return response.status_code, error["data"]["reason"], error["code"]


def test_a_rate_is_of_one_tool_and_one_caller(house: House) -> None:
    who = "rate-ada"
    assert [ask(house, "limited", who).status_code for _ in range(2)] == [200, 200]
    before = len(house.shop.given)
    refused = ask(house, "limited", who)
    assert limited(refused) == (429, "limited", 429)
    assert 1 <= int(refused.headers["retry-after"]) <= 60
    assert len(house.shop.given) == before
    [told] = house.story(refused)
    assert (told["type"], told["reason"], told["limit"], told["allowed"], told["subject"]) == (
        "ratelimit.denied", "limit.rate", "rate", "2/minute", who,
    )  # fmt: skip
    assert told["retry_after"] == int(refused.headers["retry-after"])
    assert ask(house, "limited", "rate-grace").status_code == 200
    assert ask(house, "add", who, a=1, b=2).status_code == 200


def test_a_budget_is_over_all_tools_that_write(house: House) -> None:
    who = "budget-ada"
    assert ask(house, "note_down", who, "shop:write").status_code == 200
    assert ask(house, "note_again", who, "shop:write").status_code == 200
    for tool in ("note_down", "note_again"):
        refused = ask(house, tool, who, "shop:write")
        assert limited(refused) == (429, "limited", 429)
        [told] = house.story(refused)
        assert (told["reason"], told["limit"], told["allowed"]) == ("limit.budget", "budget", "2/hour")
    assert ask(house, "note_down", "budget-grace", "shop:write").status_code == 200
    assert ask(house, "add", who, a=1, b=2).status_code == 200


def test_what_is_refused_before_uses_no_budget_up(house: House) -> None:
    who = "late-ada"
    for _ in range(3):
        assert ask(house, "note_down", who).status_code == 403
        assert ask(house, "note_down", who, "shop:write", surplus=1).status_code == 200  # unfit arguments
    assert [ask(house, "note_down", who, "shop:write").json()["result"]["isError"] for _ in range(2)] == [
        False, False,
    ]  # fmt: skip


def test_a_place_is_given_back_when_the_call_ends(build: Any) -> None:
    house: House = build()
    staying: list[httpx2.Response] = []
    thread = threading.Thread(target=lambda: staying.append(ask(house, "crowded", "ada", stay=1)))
    thread.start()
    assert house.shop.entered.wait(5)
    refused = ask(house, "crowded", "ada")
    assert limited(refused) == (429, "limited", 429)
    assert house.story(refused)[0]["limit"] == "concurrency"
    assert ask(house, "crowded", "grace").status_code == 200
    house.shop.gate.set()
    thread.join(5)
    assert staying[0].status_code == 200
    assert ask(house, "crowded", "ada").status_code == 200


def test_a_place_is_given_back_when_the_caller_leaves(build: Any) -> None:
    house: House = build(armed_after=0.0)
    token = house.token("shop:read", claims={"sub": "ada"})
    with pytest.raises(httpx2.TimeoutException):
        house.post("tools/call", {"name": "crowded", "arguments": {"stay": 1}}, token=token, seconds=0.5)
    assert house.shop.entered.is_set()
    eventually(lambda: ask(house, "crowded", "ada").status_code == 200)


def test_one_caller_does_not_take_all_of_a_replica(build: Any) -> None:
    house: House = build(at_once=1)
    thread = threading.Thread(target=lambda: ask(house, "crowded", "ada", stay=1))
    thread.start()
    assert house.shop.entered.wait(5)
    for method, params in (
        ("tools/list", {}),
        ("tools/call", {"name": "add", "arguments": {"a": 1, "b": 2}}),
    ):
        refused = house.post(method, params, token=house.token("shop:read", claims={"sub": "ada"}))
        assert limited(refused) == (429, "limited", 429)
        assert house.story(refused)[0]["limit"] == "caller_at_once"
    assert ask(house, "add", "grace", a=1, b=2).status_code == 200
    house.shop.gate.set()
    thread.join(5)


def test_opening_streams_again_and_again_is_asking_too(build: Any) -> None:
    house: House = build(rate="3/minute")
    token = house.token("shop:read", claims={"sub": "ada"})

    def listen() -> httpx2.Response:
        headers = headers_of("subscriptions/listen", LISTEN, MODERN) | {"authorization": f"Bearer {token}"}
        content = json.dumps(message_of("subscriptions/listen", LISTEN, MODERN, "s-1")).encode()
        with house.http.stream("POST", house.resource, content=content, headers=headers) as response:
            if response.status_code != 200:
                response.read()
            return response

    assert [listen().status_code for _ in range(3)] == [200, 200, 200]
    refused = listen()
    assert limited(refused) == (429, "limited", 429)
    assert house.story(refused)[0]["limit"] == "caller"
    assert ask(house, "add", "grace", a=1, b=2).status_code == 200


def test_what_is_ignored_is_counted(build: Any) -> None:
    house: House = build(rate="3/minute")
    token = house.token("shop:read", claims={"sub": "ada"})
    said = {"jsonrpc": "2.0", "method": "notifications/initialized"}
    answers = [
        house.post("notifications/initialized", revision=LEGACY, body=said, token=token).status_code
        for _ in range(4)
    ]
    assert answers == [202, 202, 202, 429]


def test_a_dead_store_refuses_what_changes_something_and_leaves_reads_alone(build: Any) -> None:
    house: House = build(store=DeadStore(time.monotonic, "dead"))
    refused = ask(house, "note_down", "ada", "shop:write")
    assert limited(refused) == (503, "unavailable", 503)
    assert refused.headers["retry-after"]
    assert house.story(refused)[0]["reason"] == "limit.store"
    assert [ask(house, "limited", "ada").status_code for _ in range(3)] == [200, 200, 429]
    assert ask(house, "crowded", "ada").status_code == 200
    assert ("note_down", None) not in house.shop.given
