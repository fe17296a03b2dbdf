"""No body starts before its attempt is written, no answer leaves before its outcome, nothing is left out."""

import asyncio
import json
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from house import House, eventually

from launchworthy.audit import AuditUnwritable
from launchworthy.audit.strangers import PER_SECOND
from launchworthy.audit.verification import verify_paths
from launchworthy.vocabulary import Reason

GOOD = {"name": "add", "arguments": {"a": 1, "b": 2}}
MOMENT = 1_800_000_000.0
"""All of a flood comes in it, however busy this machine is."""


class Failing:
    """The real stream, which fails on request, and says when what was written."""

    def __init__(self, stream: Any) -> None:
        self.stream = stream
        self.fails: set[str] = set()
        self.written: list[str] = []
        self.durable: list[str] = []

    def record(self, event: Any, *, subject: str | None = None, critical: bool = False) -> None:
        if event.type in self.fails:
            raise AuditUnwritable("no space left on device")
        self.stream.record(event, subject=subject, critical=critical)
        self.written.append(event.type)

    async def record_durable(self, event: Any, *, subject: str | None = None, critical: bool = False) -> None:
        if event.type in self.fails:
            raise AuditUnwritable("no space left on device")
        await self.stream.record_durable(event, subject=subject, critical=critical)
        self.written.append(event.type)
        self.durable.append(event.type)


@pytest.fixture(scope="module")
def spoiled(tmp_path_factory):
    """A house whose audit can be made to fail."""
    made: list[Failing] = []

    def wrap(stream: Any) -> Failing:
        made.append(Failing(stream))
        return made[0]

    with House(tmp_path_factory.mktemp("spoiled"), audit=wrap) as house:
        yield house, made[0]


@pytest.fixture
def failing(spoiled):
    house, audit = spoiled
    audit.fails, audit.durable = set(), []
    house.executions.taken()
    yield house, audit
    audit.fails = set()


@pytest.mark.parametrize("tool", ["add", "wipe"])
def test_a1_no_body_starts_where_its_attempt_cannot_be_written(failing, tool, revision):
    house, audit = failing
    audit.fails = {"tool.attempt"}
    arguments = {"a": 1, "b": 2} if tool == "add" else {"order_id": 1}
    scopes = ("shop:read", "shop:wipe")
    answer = house.call(tool, scopes=scopes, revision=revision, **arguments)
    assert (answer.status_code, answer.json()["error"]["data"]["reason"]) == (503, "unavailable")
    assert answer.headers["retry-after"] == "5"
    assert house.executions.taken() == 0
    assert [record["type"] for record in house.story(answer)] == ["tool.denied"]
    audit.fails = set()
    assert house.call(tool, scopes=scopes, revision=revision, **arguments).status_code == 200
    assert house.executions.taken() == 1


def test_a3_no_result_leaves_where_its_outcome_cannot_be_written(failing, revision):
    house, audit = failing
    audit.fails = {"tool.outcome"}
    answer = house.call("add", a=1_234_500_000, b=67_890, revision=revision)
    assert answer.status_code == 503
    assert "1234567890" not in answer.text
    assert [record["type"] for record in house.story(answer)] == ["tool.attempt"]


def test_no_result_leaves_on_a_stream_either(failing):
    house, audit = failing
    audit.fails = {"tool.outcome"}
    params = {"name": "count", "arguments": {"steps": 1}, "_meta": {"progressToken": 1}}
    answer = house.post("tools/call", params)
    last = json.loads(answer.text.strip().splitlines()[-1].removeprefix("data: "))
    assert last["error"]["data"]["reason"] == "unavailable"


def test_a_list_that_cannot_be_recorded_is_not_given(failing):
    house, audit = failing
    audit.fails = {"request.served"}
    assert house.post("tools/list").status_code == 503
    audit.fails = set()
    assert house.post("tools/list").status_code == 200


def test_a_refusal_that_cannot_be_recorded_stays_a_refusal(failing):
    house, audit = failing
    audit.fails = {"tool.denied", "authn.denied", "protocol.rejected"}
    assert house.call("find_orders", customer="c-1").status_code == 403
    assert house.post("tools/call", GOOD, token=None).status_code == 401


def test_a_destructive_tool_waits_for_the_disk_and_a_reading_one_does_not(failing):
    house, audit = failing
    answer = house.call("wipe", order_id=7, scopes=("shop:wipe",))
    assert answer.status_code == 200
    assert audit.durable == ["tool.attempt"]
    attempt, _ = house.story(answer)
    assert attempt["durable"] is True
    assert attempt["arguments"] == {"order_id": {"drop": "integer"}}
    house.call("add", a=1, b=1)
    assert audit.durable == ["tool.attempt"]


def test_a_server_that_ends_while_the_disk_is_slow_says_that_nothing_ran(build):
    class Slow(Failing):
        waiting = threading.Event()

        async def record_durable(
            self, event: Any, *, subject: str | None = None, critical: bool = False
        ) -> None:
            self.stream.record(event, subject=subject, critical=critical)
            self.waiting.set()
            await asyncio.sleep(30)

    house = build(audit=Slow)
    with ThreadPoolExecutor() as pool:
        pool.submit(house.call, "wipe", order_id=1, scopes=("shop:wipe",))
        assert Slow.waiting.wait(5)
        house.uvicorn.should_exit = True
        [ended] = eventually(lambda: [one for one in house.records() if one["type"] == "tool.outcome"])
    assert ended["outcome"] == "not_dispatched"
    assert house.executions.taken() == 0


def test_a2_each_attempt_has_exactly_one_outcome_however_it_ended(build):
    house = build()
    for name, arguments in (
        ("add", {"a": 1, "b": 2}),
        ("say_no", {"order_id": 1}),
        ("leak", {}),
        ("lie", {}),
    ):
        house.call(name, **arguments)
    house.call("leak_in_thread")
    house.call("too_long")
    house.__exit__()
    attempts = [record["call"] for record in house.records() if record["type"] == "tool.attempt"]
    outcomes = {
        record["call"]: record["outcome"] for record in house.records() if record["type"] == "tool.outcome"
    }
    ended = [record["call"] for record in house.records() if record["type"] == "tool.outcome"]
    assert len(attempts) == 6
    assert sorted(attempts) == sorted(ended)
    assert set(outcomes.values()) >= {"ok", "tool_error", "error", "timeout"}
    found = verify_paths([house.audit_directory], require_sealed=False)
    assert found.unknown_outcomes == ()


def test_a4_every_request_leaves_a_record_or_is_counted_in_one(build):
    house = build()
    for _ in range(70):
        house.http.post(house.resource, headers={"content-type": "application/json", "accept": "*/*"})
    house.__exit__()
    denied = [record for record in house.records() if record["type"] == "authn.denied"]
    assert sum(record.get("count", 1) for record in denied) == 70
    assert all(record["sources"] == ["127.0.0.0/24"] for record in denied)


def test_what_was_counted_is_written_though_nobody_comes_again(failing):
    house, _ = failing
    house.gate.strangers._per_second = 1  # however slow this machine is, more than one a second come
    headers = {"content-type": "application/json", "accept": "*/*"}
    for _ in range(30):
        house.http.post(house.resource, headers=headers)

    def summary():
        return [
            record for record in house.records() if record["type"] == "authn.denied" and "count" in record
        ]

    assert eventually(summary)


def test_what_the_protocol_refuses_is_recorded_too(failing):
    house, _ = failing
    house.loop.call_soon_threadsafe(house.gate.turned_away, Reason.HTTP_SIZE)

    def found():
        return [one for one in house.records() if one.get("detail") == "refused before there was a request"]

    [record] = eventually(found)
    assert (record["type"], record["reason"], record["status"]) == ("protocol.rejected", "http.size", 431)


def test_what_is_unexpected_is_answered_the_same_and_recorded_as_internal(failing, capfd):
    house, _ = failing
    honest = house.gate._calls._deciding._policy

    class Broken:
        def decide(self, _: Any) -> Any:
            raise RuntimeError("the password is hunter2")

    house.gate._calls._deciding._policy = Broken()
    answer = house.post("tools/call", GOOD)
    assert answer.status_code == 500
    assert answer.json()["error"]["code"] == -32603
    assert answer.json()["error"]["message"] == "internal error"
    assert "hunter2" not in answer.text + house.audit_text() + "".join(capfd.readouterr())
    [record] = house.story(answer)
    assert record["reason"] == "internal"
    assert "RuntimeError at test_enforcement_gate_audit.py:" in record["detail"]
    assert house.executions.taken() == 0
    house.gate._calls._deciding._policy = honest
    assert house.post("tools/call", GOOD).status_code == 200


def test_what_is_unexpected_after_the_body_is_an_outcome_and_no_answer(failing, monkeypatch):
    import launchworthy.enforcement.exchange as exchange_module

    house, _ = failing

    def broken(*_: Any, **__: Any) -> Any:
        raise RuntimeError("nothing can be written")

    monkeypatch.setattr(exchange_module, "_finished", broken)
    answer = house.post("tools/call", GOOD)
    assert answer.status_code == 500
    _, ended = house.story(answer)
    assert (ended["outcome"], ended["reason"]) == ("error", "internal")


def test_a_verifier_that_raises_lets_nobody_in(failing):
    house, _ = failing

    class Broken:
        async def verify(self, *_: Any) -> Any:
            raise self.error("x")

    honest, house.gate._verifier = house.gate._verifier, Broken()
    for error in (RecursionError, TypeError, OverflowError, KeyError, MemoryError):
        Broken.error = error
        answer = house.post("tools/call", GOOD)
        assert answer.status_code == 500
        assert house.executions.taken() == 0
    house.gate._verifier = honest
    assert house.post("tools/call", GOOD).status_code == 200


def test_no_token_stands_in_any_record(house):
    token = house.token()
    house.post("tools/call", GOOD, token=token)
    house.post("tools/call", GOOD, token=token + "x")
    house.post("tools/list", token=token)
    text = house.audit_text()
    assert token not in text
    assert token.rpartition(".")[2] not in text


def test_who_fetched_the_metadata_document_is_recorded_and_a_flood_is_counted(build):
    house = build()
    house.clock = lambda: MOMENT
    url = house.resource.replace("/mcp", "/.well-known/oauth-protected-resource/mcp")
    answer = house.http.get(url)
    [record] = house.story(answer)
    assert (record["type"], record["method"], record["status"]) == ("request.served", "metadata", 200)
    assert record["sources"] == ["127.0.0.0/24"]
    assert "subject" not in record
    for _ in range(120):
        assert house.http.get(url).status_code == 200
    house.clock = lambda: MOMENT + 1.0

    def told() -> list[int]:
        return [one.get("count") or 1 for one in house.records() if one.get("method") == "metadata"]

    eventually(lambda: sum(told()) == 121)
    assert told() == [1] * PER_SECOND + [121 - PER_SECOND]


def test_a_flood_of_strangers_is_counted_to_the_last(build):
    house = build()
    house.clock = lambda: MOMENT
    for _ in range(130):
        assert house.post("tools/call", GOOD, token=None).status_code == 401
    house.clock = lambda: MOMENT + 1.0

    def counted() -> list[int]:
        return [one.get("count") or 1 for one in house.records() if one["type"] == "authn.denied"]

    eventually(lambda: sum(counted()) == 130)
    assert counted() == [1] * PER_SECOND + [130 - PER_SECOND]


@pytest.mark.parametrize("durable", [True, False])
def test_an_attempt_waits_for_the_disk_where_the_class_of_the_data_demands_it(build, durable):
    house = build(durable=durable)
    response = house.call("add", a=1, b=2)
    [attempt] = [each for each in house.story(response) if each["type"] == "tool.attempt"]
    assert bool(attempt.get("durable")) is durable
