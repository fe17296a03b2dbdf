"""What an argument could be: for whom the manifest offers it, decided and recorded as a call is."""

import pytest
from answers_of import reason_in_audit, refused
from house import LEGACY, MODERN

ORDER = {"type": "ref/resource", "uri": "shop://order/{order_id}"}
GREET = {"type": "ref/prompt", "name": "greet"}
TALK = {"type": "ref/prompt", "name": "refuse_to_talk"}
WHISPER = {"type": "ref/prompt", "name": "whisper"}


def wanted(ref, name, typed, given=None):
    params = {"ref": ref, "argument": {"name": name, "value": typed}}
    return params if given is None else params | {"context": {"arguments": given}}


def complete(house, *asked, **changes):
    return house.post("completion/complete", wanted(*asked), **changes)


def values(answer):
    assert answer.status_code == 200, answer.text
    return answer.json()["result"]["completion"]


def test_an_argument_of_a_prompt_is_completed(house, revision):
    told = values(complete(house, GREET, "name", "a", revision=revision))
    assert (told["values"], told["total"], told["hasMore"]) == (["ada", "alan"], 2, False)


def test_the_other_arguments_are_told_where_a_function_asks_for_them(house):
    assert values(complete(house, GREET, "name", "g", {"times": "2"}))["values"] == ["grace", "grace"]
    assert values(complete(house, ORDER, "order_id", "1", {}))["values"][0] == "10"


def test_at_most_a_hundred_values_leave(house, revision):
    told = values(complete(house, ORDER, "order_id", "7", revision=revision))
    assert (len(told["values"]), told["total"], told["hasMore"]) == (100, 250, True)
    assert told["values"][-1] == "799"


def test_an_argument_that_nobody_completes_has_no_values(house):
    assert values(complete(house, GREET, "times", "1"))["values"] == []


def test_a_completion_leaves_the_two_records_of_a_call(house, revision):
    attempt, outcome = house.story(complete(house, ORDER, "order_id", "31", revision=revision))
    assert (attempt["type"], outcome["type"]) == ("resource.attempt", "resource.outcome")
    assert (attempt["method"], attempt["target"]) == ("completion/complete", "shop://order/{order_id}")
    assert attempt["arguments"] == {"order_id": {"clear": "31"}}
    assert attempt["rule"] == "manifest:resource:order"
    assert outcome["outcome"] == "ok"


def test_what_was_typed_is_recorded_as_its_argument_would_be(house):
    answer = complete(house, GREET, "name", "a-person")
    attempt, _ = house.story(answer)
    assert attempt["arguments"]["name"].keys() == {"hmac"}


def test_a_completion_needs_the_scopes_of_what_is_completed(house, revision):
    house.executions.taken()
    answer = complete(house, GREET, "name", "a", revision=revision, scopes=("shop:wipe",))
    refused(answer, 403, 403, "insufficient_scope", request_id=1)
    assert answer.json()["error"]["data"]["scopes"] == ["shop:read"]
    assert reason_in_audit(house, answer) == ("prompt.denied", "tool.scope")
    assert house.executions.taken() == 0


def test_scopes_are_asked_before_what_was_typed(house, revision):
    answer = complete(house, ORDER, "order_id", "far-too-long", revision=revision, scopes=("shop:wipe",))
    refused(answer, 403, 403, "insufficient_scope", request_id=1)


def without_call(answer):
    return answer.text.replace(answer.headers["launchworthy-call"], "")


def test_what_is_secret_offers_no_completions_and_says_so_as_what_is_not_there(house, revision):
    secret = complete(house, WHISPER, "word", "a", revision=revision)
    missing = complete(house, {"type": "ref/prompt", "name": "nobody"}, "word", "a", revision=revision)
    without = complete(house, {"type": "ref/prompt", "name": "talk"}, "word", "a", revision=revision)
    assert without_call(secret) == without_call(missing) == without_call(without)
    refused(missing, 400, -32602, "unknown", request_id=1)
    assert reason_in_audit(house, missing) == ("prompt.denied", "tool.unknown")
    allowed = complete(house, WHISPER, "word", "a", revision=revision, scopes=("shop:hidden",))
    assert values(allowed)["values"] == ["a"]


@pytest.mark.parametrize(
    "uri", ["shop://order/1", "shop://logo", "shop://note/{name}", "shop://order/{other}", ""]
)
def test_only_a_listed_template_that_offers_it_is_completed(house, uri):
    answer = complete(house, {"type": "ref/resource", "uri": uri}, "order_id", "1")
    refused(answer, 400, -32602, "unknown", request_id=1)


@pytest.mark.parametrize(
    "asked",
    [
        (ORDER, "nothing", "1"),
        (GREET, "name", "a", {"nothing": "1"}),
        (ORDER, "order_id", "123456789"),
        (GREET, "typed", "a"),
    ],
)
def test_arguments_that_are_not_there_or_do_not_fit_are_refused(house, revision, asked):
    house.executions.taken()
    answer = complete(house, *asked, revision=revision)
    refused(answer, 400, -32602, "invalid_request", request_id=1)
    assert "123456789" not in answer.text
    assert house.executions.taken() == 0


@pytest.mark.parametrize(
    "params",
    [
        {},
        {"ref": GREET},
        {"argument": {"name": "name", "value": "a"}},
        {"ref": [], "argument": {"name": "name", "value": "a"}},
        {"ref": {"type": "ref/tool", "name": "add"}, "argument": {"name": "a", "value": "1"}},
        {"ref": {"type": ["ref/prompt"], "name": "greet"}, "argument": {"name": "a", "value": "1"}},
        {"ref": {"type": "ref/prompt"}, "argument": {"name": "name", "value": "a"}},
        wanted(GREET, "name", 1),
        wanted(GREET, "name", None),
        wanted(GREET, 1, "a"),
        wanted(GREET, "name", "a", {"times": 1}),
        wanted(GREET, "name", "a", []),
        wanted(GREET, "name", "a" * 1025),
        wanted(GREET, "name", "a", {f"n{number}": "x" for number in range(65)}),
        wanted(GREET, "name", "a") | {"context": None},
    ],
)
def test_what_names_no_argument_is_invalid(house, revision, params):
    answer = house.post("completion/complete", params, revision=revision)
    refused(answer, 400, -32602, "invalid_request", request_id=1)
    assert reason_in_audit(house, answer) == ("protocol.rejected", "protocol.invalid")


@pytest.mark.parametrize(
    ("typed", "told", "outcome"),
    [("say", "no topic today", "tool_error"), ("crash", None, "error"), ("table", None, "error")],
)
def test_a_completion_that_fails_is_masked_unless_it_says_so_itself(house, revision, typed, told, outcome):
    answer = complete(house, TALK, "topic", typed, revision=revision, scopes=("shop:write",))
    error = answer.json()["error"]
    assert error["code"] == -32603
    assert error["data"] == {"reason": "unavailable", "call": answer.headers["launchworthy-call"]}
    assert "password" not in answer.text
    assert told is None or error["message"] == told
    assert [record.get("outcome") for record in house.story(answer)] == [None, outcome]


def test_capabilities_say_that_there_are_completions(house):
    told = house.post("server/discover", revision=MODERN).json()["result"]["capabilities"]
    assert "completions" in told
    opened = {"protocolVersion": LEGACY, "capabilities": {}, "clientInfo": {"name": "t", "version": "1"}}
    assert "completions" in house.post("initialize", opened, revision=LEGACY).json()["result"]["capabilities"]
