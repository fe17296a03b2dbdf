"""What becomes of a body that fails, is slow, says how far it is, or whose caller leaves."""

import json
import logging
import socket
import time

import pytest
import shop_tools
from house import LEGACY, MODERN, eventually, headers_of, message_of


def result_of(answer):
    assert answer.status_code == 200, answer.text
    return answer.json()["result"]


def outcome(house, answer):
    attempt, ended = house.story(answer)
    assert attempt["type"].endswith(".attempt")
    return ended["outcome"]


def test_a_failure_in_words_reaches_the_caller(house, revision):
    answer = house.call("say_no", order_id=7, revision=revision)
    assert result_of(answer)["isError"] is True
    assert result_of(answer)["content"] == [{"type": "text", "text": "order 7 is not yours"}]
    assert outcome(house, answer) == "tool_error"


@pytest.mark.parametrize("tool", ["leak", "leak_in_thread", "lie", "leave"])
def test_a_crash_is_masked_everywhere(house, tool, revision, caplog, capfd):
    caplog.set_level(logging.DEBUG)
    answer = house.call(tool, revision=revision)
    assert result_of(answer)["isError"] is True
    assert answer.headers["launchworthy-call"] in answer.text
    assert outcome(house, answer) == "error"
    printed = "".join(capfd.readouterr())
    for seen in (answer.text, house.audit_text(), caplog.text, printed):
        assert shop_tools.SECRET not in seen
    assert "body.failed" in printed
    assert "shop_tools.py:" in printed or tool == "lie"
    assert house.call("add", a=1, b=1).status_code == 200


def test_a_crash_of_a_resource_is_masked_too(house, revision, capfd):
    answer = house.post("resources/read", {"uri": "shop://broken"}, revision=revision)
    assert answer.json()["error"]["code"] == -32603
    assert shop_tools.SECRET not in answer.text + "".join(capfd.readouterr())
    assert outcome(house, answer) == "error"


def test_a_prompt_may_fail_in_words(house, revision):
    answer = house.post("prompts/get", {"name": "refuse_to_talk"}, revision=revision, scopes=("shop:write",))
    assert answer.json()["error"]["message"] == "not today"
    assert outcome(house, answer) == "tool_error"


def test_a_call_may_take_as_long_as_its_manifest_says(house, revision):
    began = time.monotonic()
    answer = house.call("too_long", revision=revision)
    assert result_of(answer)["content"][0]["text"] == "this took longer than 1 s"
    assert 0.9 < time.monotonic() - began < 3
    assert outcome(house, answer) == "timeout"


def test_a_time_out_of_the_bodys_own_is_a_crash_like_any_other(house):
    answer = house.call("gives_up")
    assert "longer than" not in answer.text
    assert shop_tools.SECRET not in answer.text
    assert outcome(house, answer) == "error"


def test_a_thread_that_takes_too_long_is_answered_for(house):
    answer = house.call("too_long_in_thread")
    assert "longer than 1 s" in answer.text
    assert outcome(house, answer) == "timeout"
    assert house.call("add", a=1, b=1).status_code == 200


def events_of(answer):
    assert answer.headers["content-type"] == "text/event-stream"
    return [
        json.loads(line.removeprefix("data: "))
        for line in answer.text.splitlines()
        if line.startswith("data: ")
    ]


def test_progress_turns_the_answer_into_a_stream(house, revision):
    params = {"name": "count", "arguments": {"steps": 2}, "_meta": {"progressToken": "p-1"}}
    answer = house.post("tools/call", params, revision=revision)
    first, second, last = events_of(answer)
    assert first["method"] == second["method"] == "notifications/progress"
    assert first["params"] == {"progressToken": "p-1", "progress": 1, "total": 2}
    assert last["id"] == 1
    assert last["result"]["structuredContent"] == {"result": 2}
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["launchworthy-call"]
    assert outcome(house, answer) == "ok"


def test_without_a_token_for_it_progress_is_said_to_nobody(house, revision):
    answer = house.call("count", steps=2, revision=revision)
    assert answer.headers["content-type"] == "application/json"
    assert result_of(answer)["structuredContent"] == {"result": 2}


@pytest.mark.parametrize("token", [True, None, 1.5, ["x"], {}])
def test_an_impossible_progress_token_never_starts_a_stream(house, token):
    params = {"name": "count", "arguments": {"steps": 1}, "_meta": {"progressToken": token}}
    answer = house.post("tools/call", params)
    assert answer.headers["content-type"] == "application/json"
    _, ended = house.story(answer)
    assert ended["outcome"] in {"ok", "not_dispatched"}


def test_a_stream_is_kept_open_by_comments(build):
    house = build(comment_seconds=0.03)
    params = {"name": "pulse", "arguments": {}, "_meta": {"progressToken": 1}}
    answer = house.post("tools/call", params)
    assert ": still here" in answer.text
    assert [event.get("method", "answer") for event in events_of(answer)] == [
        "notifications/progress",
        "answer",
    ]


def send(house, name, revision=MODERN):
    """Begin a call over a socket of its own, and give the socket back."""
    params = {"name": name, "arguments": {}}
    content = json.dumps(message_of("tools/call", params, revision)).encode()
    headers = headers_of("tools/call", params, revision) | {
        "authorization": f"Bearer {house.token()}",
        "host": f"127.0.0.1:{house.port}",
        "content-length": str(len(content)),
    }
    head = (
        "POST /mcp HTTP/1.1\r\n" + "".join(f"{key}: {value}\r\n" for key, value in headers.items()) + "\r\n"
    )
    connection = socket.create_connection(("127.0.0.1", house.port), timeout=5)
    connection.sendall(head.encode() + content)
    return connection


def ended(house, name):
    return [
        record for record in house.records() if record["type"] == "tool.outcome" and record["target"] == name
    ]


@pytest.mark.parametrize("revision", [MODERN, LEGACY])
def test_a_client_that_leaves_cancels_the_body(build, revision):
    house = build()
    connection = send(house, "wait", revision)
    assert house.shop.entered.wait(5)
    connection.close()
    assert house.shop.cancelled.wait(5)
    [record] = eventually(lambda: ended(house, "wait"))
    assert record["outcome"] == "cancelled"
    assert "result_bytes" not in record


def test_a_client_that_stays_gets_its_answer(build):
    house = build(armed_after=0.0)
    with send(house, "wait") as connection:
        assert house.shop.entered.wait(5)
        house.shop.gate.set()
        received = b""
        while b"let go" not in received:
            chunk = connection.recv(65536)
            assert chunk, received
            received += chunk
    assert not house.shop.cancelled.is_set()
    assert [record["outcome"] for record in ended(house, "wait")] == ["ok"]


def test_a_thread_whose_client_left_is_waited_for_and_its_true_outcome_recorded(build):
    house = build()
    connection = send(house, "wait_in_thread")
    assert house.shop.entered.wait(5)
    connection.close()
    time.sleep(0.15)
    assert ended(house, "wait_in_thread") == []
    house.shop.gate.set()
    [record] = eventually(lambda: ended(house, "wait_in_thread"))
    assert record["outcome"] == "ok"


def test_a_server_that_ends_leaves_an_outcome_for_what_it_cancels(build):
    house = build()
    connection = send(house, "wait")
    assert house.shop.entered.wait(5)
    house.uvicorn.should_exit = True
    assert house.shop.cancelled.wait(5)
    [record] = eventually(lambda: ended(house, "wait"))
    connection.close()
    assert record["outcome"] == "cancelled"
