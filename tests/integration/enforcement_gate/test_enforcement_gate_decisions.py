"""Rows 8 to 11: the method, the target, its scopes, the arguments and policy, and in this order."""

import pytest
from answers_of import GOOD, reason_in_audit, refused
from house import LEGACY, MODERN, message_of


@pytest.mark.parametrize(
    "method",
    [
        "logging/setLevel",
        "subscriptions/listen",
        "tasks/list",
        "resources/subscribe",
        "sampling/createMessage",
        "tools/delete",
        "x",
    ],
)
def test_a_method_without_a_row_does_not_exist(house, revision, method):
    if (method, revision) == ("subscriptions/listen", MODERN):
        method = "subscriptions/unlisten"
    answer = house.post(method, revision=revision)
    refused(answer, 404, -32601, "invalid_request", request_id=1)
    assert reason_in_audit(house, answer) == ("protocol.rejected", "protocol.method")


@pytest.mark.parametrize(
    ("method", "revision"),
    [
        ("tools/call", MODERN),
        ("tools/call", LEGACY),
        ("ping", LEGACY),
        ("notifications/progress", LEGACY),
        ("notifications/cancelled", MODERN),
        ("notifications/initialized", MODERN),
    ],
)
def test_a_request_without_an_id_is_never_run(house, method, revision):
    house.executions.taken()
    message = {name: value for name, value in message_of(method, GOOD, revision).items() if name != "id"}
    answer = house.post(method, GOOD, body=message, revision=revision)
    refused(answer, 400, -32600, "invalid_request")
    assert house.executions.taken() == 0


def test_an_undeclared_target_is_unknown(house, revision):
    for method, params in (
        ("tools/call", {"name": "nothing"}),
        ("prompts/get", {"name": "nothing"}),
        ("resources/read", {"uri": "shop://nothing"}),
    ):
        answer = house.post(method, params, revision=revision)
        refused(answer, 400, -32602, "unknown", request_id=1)
        assert reason_in_audit(house, answer)[1] == "tool.unknown"


@pytest.mark.parametrize(
    "params",
    [
        {},
        {"name": 7},
        {"name": None},
        {"name": "add", "arguments": [1, 2]},
        {"name": "add", "arguments": None},
        {"name": "add", "arguments": "{}"},
    ],
)
def test_a_call_that_names_nothing_is_invalid(house, params):
    answer = house.post("tools/call", params, revision=LEGACY)
    refused(answer, 400, -32602, "invalid_request", request_id=1)


def test_a_missing_scope_is_named_with_all_of_the_operations(house, revision):
    answer = house.call("find_orders", customer="c-1", revision=revision)
    refused(answer, 403, 403, "insufficient_scope", request_id=1)
    assert answer.headers["www-authenticate"].startswith(
        'Bearer error="insufficient_scope", scope="shop:read shop:write", resource_metadata="'
    )
    assert answer.json()["error"]["data"]["scopes"] == ["shop:read", "shop:write"]
    assert answer.json()["error"]["message"] == "this call needs the scopes `shop:read`, `shop:write`"
    [denied] = house.story(answer)
    assert (denied["reason"], denied["missing_scopes"]) == ("tool.scope", ["shop:write"])


def test_a_prompt_needs_its_scopes_too(house, revision):
    assert house.post("prompts/get", {"name": "refuse_to_talk"}, revision=revision).status_code == 403


def test_scopes_are_asked_before_arguments(house):
    answer = house.call("find_orders", customer=7, nonsense=True)
    refused(answer, 403, 403, "insufficient_scope", request_id=1)


def test_a_secret_target_is_byte_for_byte_an_unknown_one(house, revision):
    def shown(answer):
        call = answer.headers["launchworthy-call"]
        headers = [
            (name, value)
            for name, value in answer.headers.raw
            if name.lower() not in {b"launchworthy-call", b"date"}
        ]
        return answer.status_code, headers, answer.text.replace(call, "")

    assert shown(house.call("hidden", revision=revision)) == shown(house.call("nothing", revision=revision))
    assert (
        house.call("hidden", revision=revision, scopes=("shop:hidden",)).json()["result"]["isError"] is False
    )


@pytest.mark.parametrize(
    ("uri", "told"),
    [
        ("shop://nothing/7", {"uri": "shop://nothing/7"}),
        ('shop://nothing/ü " ', {"uri": 'shop://nothing/ü " '}),
        ("shop://" + "x" * 5000, {}),
    ],
)
def test_a_client_is_told_which_resource_is_not_there(house, revision, uri, told):
    """SEP-2164; what nobody could have asked for in earnest is not repeated."""
    encoded = (
        {} if uri.isascii() else {"mcp-name": None, "mcp-method": None, "mcp-protocol-version": "2025-11-25"}
    )
    revision = "2025-11-25" if encoded else revision
    answer = house.post("resources/read", {"uri": uri}, revision=revision, headers=encoded)
    data = answer.json()["error"]["data"]
    assert (answer.status_code, data.pop("reason")) == (400, "unknown")
    assert data.pop("call") == answer.headers["launchworthy-call"]
    assert data == told


def test_a_tool_that_is_not_there_is_not_repeated(house, revision):
    assert "uri" not in house.call("nothing", revision=revision).json()["error"]["data"]


def test_the_audit_knows_which_secret_target_was_tried(house):
    [denied] = house.story(house.call("hidden"))
    assert (denied["target"], denied["reason"]) == ("hidden", "tool.unknown")


def test_arguments_are_asked_before_policy(house):
    answer = house.call("add", a=1000)
    assert answer.status_code == 200
    assert "`b` (missing)" in answer.text


def test_policy_may_say_no_and_names_no_rule(house, revision):
    answer = house.call("add", a=1000, b=1, revision=revision)
    refused(answer, 403, 403, "denied", request_id=1)
    assert "www-authenticate" not in answer.headers
    assert "team:" not in answer.text
    [denied] = house.story(answer)
    assert (denied["type"], denied["reason"], denied["rules"]) == (
        "tool.denied",
        "tool.policy",
        ["team:no-large-sums"],
    )


def test_a_tool_of_another_environment_is_denied_without_a_challenge(house, revision):
    answer = house.call("elsewhere", revision=revision)
    refused(answer, 403, 403, "denied", request_id=1)
    assert house.story(answer)[0]["reason"] == "tool.environment"


def test_nothing_of_all_this_entered_a_body(house):
    house.executions.taken()
    for answer in (
        house.call("elsewhere"), house.call("add", a=1000, b=1), house.call("find_orders", customer="c-1"),
        house.call("add", a="1", b=2), house.call("nothing"), house.post("tools/call", GOOD, token="x"),
    ):  # fmt: skip
        assert answer.status_code != 200 or answer.json()["result"]["isError"] is True
    assert house.executions.taken() == 0
    house.call("add", a=1, b=1)
    assert house.executions.taken() == 1
