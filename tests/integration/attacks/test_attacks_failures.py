"""Whatever way a body ends, nobody learns a word of it."""

import json

import pytest


def assert_masked(orders, answer, tool):
    status, fields, body = answer
    call = fields["launchworthy-call"]
    assert (status, fields["cache-control"]) == (200, "no-store")
    result = json.loads(body)["result"]
    assert (result["isError"], result["content"][0]["text"]) == (True, f"this call failed; its id is {call}")
    own = [record["data"] for record in orders.records() if record["data"].get("call") == call]
    assert [one.get("outcome") for one in own] == [None, "error"]
    assert f'"target": "{tool}"' in orders.server.stderr
    for place in (orders.server.stderr, orders.audited()):
        assert "text-of" not in place


@pytest.mark.parametrize("how", ["cancelled", "not an exception"])
def test_a_body_that_ends_without_an_exception_has_failed_like_any_other(orders, how):
    assert_masked(orders, orders.call("misbehave", how=how), "misbehave")


def test_a_cancellation_from_a_thread_is_a_failure(orders):
    assert_masked(orders, orders.call("misbehave_in_a_thread"), "misbehave_in_a_thread")


def test_a_body_that_behaves_is_answered(orders):
    status, _fields, body = orders.call("misbehave", how="well")
    assert (status, json.loads(body)["result"]["isError"]) == (200, False)


@pytest.mark.parametrize(
    "arguments", [{"labels": {"name-of-a-label": "x"}}, {"labels": {}, "name-of-a-label": 1}]
)
def test_what_a_client_calls_its_arguments_is_told_to_the_client_and_not_kept(orders, arguments):
    status, fields, body = orders.call("label", **arguments)
    assert (status, json.loads(body)["result"]["isError"]) == (200, True)
    assert b"name-of-a-label" in body
    [denied] = [one for one in orders.records() if one["data"].get("call") == fields["launchworthy-call"]]
    assert denied["data"]["reason"] == "tool.arguments"
    assert "name-of-a-label" not in orders.audited()


def test_a_declared_argument_that_does_not_fit_is_named_in_the_audit(orders):
    _status, fields, _body = orders.call("find_orders", customer=17)
    [denied] = [one for one in orders.records() if one["data"].get("call") == fields["launchworthy-call"]]
    assert denied["data"]["detail"] == "customer: string_type"
