"""What a verified caller gets: tools, resources, prompts and lists, in both revisions."""

from datetime import date

import pytest
import shop_tools
from house import LEGACY, META, MODERN


def result_of(answer):
    assert answer.status_code == 200, answer.text
    return answer.json()["result"]


def test_a_good_call_is_answered_and_leaves_two_records(house, revision):
    answer = house.call("add", a=1, b=2, revision=revision)
    assert result_of(answer)["structuredContent"] == {"result": 3}
    assert result_of(answer)["isError"] is False
    attempt, outcome = house.story(answer)
    assert (attempt["type"], outcome["type"]) == ("tool.attempt", "tool.outcome")
    assert attempt["rule"] == "manifest:add"
    assert attempt["revision"] == revision
    assert attempt["subject"] is not None
    assert attempt["client"] == house.issuer.client.client_id
    assert attempt["arguments"]["a"].keys() == {"hmac"}
    assert outcome["outcome"] == "ok"
    assert outcome["result_bytes"] > 0


def test_the_answer_of_a_modern_call_names_the_server_and_says_that_it_is_complete(house):
    result = result_of(house.call("add", a=1, b=2))
    assert result["resultType"] == "complete"
    info = result["_meta"]["io.modelcontextprotocol/serverInfo"]
    assert (info["name"], info["title"], info["version"]) == ("shop", "Shop", "0")


def test_the_answer_of_an_older_call_has_nothing_of_the_newer_revision(house):
    result = result_of(house.call("add", a=1, b=2, revision=LEGACY))
    assert result.keys() == {"content", "structuredContent", "isError"}


def test_every_answer_bears_the_call_id_and_is_not_stored(house, revision):
    good = house.call("add", a=1, b=2, revision=revision)
    bad = house.call("nothing", revision=revision)
    assert bad.json()["error"]["data"]["call"] == bad.headers["launchworthy-call"]
    assert good.headers["launchworthy-call"] != bad.headers["launchworthy-call"]
    assert {good.headers["cache-control"], bad.headers["cache-control"]} == {"no-store"}


def test_the_subject_of_a_record_is_what_the_manifest_says_the_call_acts_on(house):
    answer = house.call("find_orders", customer="c-17", scopes=("shop:read", "shop:write"))
    attempt, _ = house.story(answer)
    assert attempt["subject"] == house.issuer.client.client_id
    assert [record["about"] for record in house.story(answer)] == ["customer/c-17"] * 2
    assert attempt["arguments"] == {"customer": {"clear": "c-17"}, "limit": attempt["arguments"]["limit"]}


def test_a_plain_function_runs_and_gets_its_defaults(house, revision):
    answer = house.call("find_orders", customer="c-8", scopes=("shop:read", "shop:write"), revision=revision)
    assert result_of(answer)["structuredContent"] == {"result": [{"order_id": 1, "item": "teapot"}]}
    assert ("find_orders", ("c-8", 20)) in house.shop.given


def test_a_body_gets_the_types_that_it_declares(house):
    answer = house.call(
        "remember", text="null", paths='["/etc/passwd"]', flag=True, number=1.5, day="2026-11-20", kind="b",
        address={"street": "x", "number": 1}, tags=[3, 1],
    )  # fmt: skip
    assert result_of(answer)["isError"] is False
    given = [value for name, value in house.shop.given if name == "remember"][-1]
    assert given["text"] == "null"
    assert given["paths"] == '["/etc/passwd"]'
    assert given["flag"] is True
    assert given["day"] == date(2026, 11, 20)
    assert given["address"] == shop_tools.Address(street="x", number=1)
    assert given["tags"] == frozenset({1, 3})


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ({"flag": 1}, "`flag` (bool_type)"),
        ({"flag": "true"}, "`flag` (bool_type)"),
        ({"number": "1.5"}, "`number` (float_type)"),
        ({"number": True}, "`number` (float_type)"),
        ({"day": 1}, "`day` (date_type)"),
        ({"address": '{"street":"x","number":1}'}, "`address` (model_type)"),
        ({"address": {"street": "x", "number": "1"}}, "`address.number` (int_type)"),
        ({"address": {"street": "x", "number": 1, "city": "y"}}, "`address.city` (extra_forbidden)"),
        ({"tags": [1.0]}, "`tags.0` (int_type)"),
        ({"kind": "c"}, "`kind` (literal_error)"),
        ({"password": "x"}, "`password` (extra_forbidden)"),
        ({"call": {"id": "x"}}, "`call` (extra_forbidden)"),
    ],
)
def test_coerced_and_unknown_arguments_reach_no_body(house, revision, arguments, told):
    before = len(house.shop.given)
    answer = house.call("remember", revision=revision, **arguments)
    result = result_of(answer)
    assert result["isError"] is True
    assert told in result["content"][0]["text"]
    assert len(house.shop.given) == before
    [denied] = house.story(answer)
    assert (denied["type"], denied["reason"], denied["status"]) == ("tool.denied", "tool.arguments", 200)


def test_the_answer_to_unfit_arguments_names_no_value(house):
    answer = house.call("find_orders", customer="hunter2-value", scopes=("shop:read", "shop:write"))
    assert "`customer` (string_pattern_mismatch)" in answer.text
    assert "hunter2-value" not in answer.text
    assert "hunter2-value" not in house.audit_text()


def test_a_missing_argument_is_named(house, revision):
    assert "`b` (missing)" in house.call("add", a=1, revision=revision).text


def test_a_resource_template_gives_its_variables_as_arguments(house, revision):
    answer = house.post("resources/read", {"uri": "shop://order/17"}, revision=revision)
    [content] = result_of(answer)["contents"]
    assert content == {
        "uri": "shop://order/17",
        "mimeType": "application/json",
        "text": '{"order_id":17,"item":"teapot"}',
    }
    assert ("order", 17) in house.shop.given
    attempt, _ = house.story(answer)
    assert attempt["target"] == "shop://order/17"


@pytest.mark.parametrize(
    "uri",
    ["shop://order/017", "shop://order/+17", "shop://order/1_7", "shop://order/ 17", "shop://order/17.0"],
)
def test_a_resource_has_one_spelling(house, uri):
    answer = house.post("resources/read", {"uri": uri})
    assert answer.status_code == 400
    assert answer.json()["error"]["code"] == -32602


@pytest.mark.parametrize(
    "uri",
    [
        "shop://note/..",
        "shop://note/%2E%2E",
        "shop://note/%2Fetc%2Fpasswd",
        "shop://note/%00",
        "shop://note/a%2F..%2F..%2Fb",
    ],
)
def test_a_variable_that_leads_elsewhere_is_refused(house, revision, uri):
    answer = house.post("resources/read", {"uri": uri}, revision=revision)
    assert answer.status_code == 400
    [denied] = house.story(answer)
    assert denied["reason"] == "tool.arguments"


def test_a_variable_is_decoded_once(house):
    [content] = result_of(house.post("resources/read", {"uri": "shop://note/a%252Fb"}))["contents"]
    assert content["text"] == "note a%2Fb"


@pytest.mark.parametrize(
    "uri",
    [
        "shop://order/1/2",
        "shop://order/",
        "shop://nothing",
        "SHOP://logo",
        "shop://logo?x",
        "file:///etc/passwd",
    ],
)
def test_a_uri_that_nothing_declares_is_unknown(house, revision, uri):
    answer = house.post("resources/read", {"uri": uri}, revision=revision)
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, -32602)
    assert house.story(answer)[0]["reason"] == "tool.unknown"


def test_a_variable_that_is_not_clear_stays_out_of_the_audit(house):
    answer = house.post("resources/read", {"uri": "shop://note/my-private-note"})
    assert result_of(answer)["contents"][0]["text"] == "note my-private-note"
    assert house.story(answer)[0]["target"] == "shop://note/{name}"
    assert "my-private-note" not in house.audit_text()


def test_bytes_come_as_a_blob(house, revision):
    [content] = result_of(house.post("resources/read", {"uri": "shop://logo"}, revision=revision))["contents"]
    assert content == {"uri": "shop://logo", "mimeType": "application/octet-stream", "blob": "iVBORw=="}


def test_a_prompt_is_rendered(house, revision):
    result = result_of(
        house.post(
            "prompts/get", {"name": "greet", "arguments": {"name": "ada", "times": "2"}}, revision=revision
        )
    )
    assert result["messages"] == [{"role": "user", "content": {"type": "text", "text": "hello adahello ada"}}]
    both = result_of(house.post("prompts/get", {"name": "talk"}, revision=revision))["messages"]
    assert [message["role"] for message in both] == ["user", "assistant"]


@pytest.mark.parametrize(
    "arguments",
    [{}, {"name": "x", "times": "two"}, {"name": "x", "more": "y"}, {"name": 1}, {"name": "x", "times": 2}],
)
def test_arguments_of_a_prompt_are_as_strict(house, revision, arguments):
    answer = house.post("prompts/get", {"name": "greet", "arguments": arguments}, revision=revision)
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, -32602)
    assert answer.json()["error"]["data"]["reason"] == "invalid_request"


def names(answer, key="tools"):
    return {one["name"] for one in result_of(answer)[key]}


def test_lists_show_what_the_scopes_allow(house, revision):
    read = names(house.post("tools/list", revision=revision))
    wiped = names(house.post("tools/list", revision=revision, scopes=("shop:wipe",)))
    assert "add" in read
    assert "wipe" not in read
    assert "find_orders" not in read, "it needs two scopes"
    assert wiped == {"wipe"}
    assert names(house.post("tools/list", revision=revision, scopes=("shop:read", "shop:write"))) >= {
        "add",
        "find_orders",
    }


def test_lists_show_nothing_secret_and_nothing_of_another_environment(house, revision):
    every = names(
        house.post(
            "tools/list", revision=revision, scopes=("shop:read", "shop:write", "shop:wipe", "shop:hidden")
        )
    )
    assert every.isdisjoint({"hidden", "elsewhere"})
    assert "wipe" in every


def test_a_list_is_private_and_stale_at_once(house):
    for method in ("tools/list", "resources/list", "resources/templates/list", "prompts/list"):
        result = result_of(house.post(method))
        assert (result["cacheScope"], result["ttlMs"]) == ("private", 0)


def test_a_second_list_is_the_same_as_the_first(house, revision):
    first, second = (house.post("tools/list", revision=revision, scopes=("shop:write",)) for _ in range(2))
    assert first.json() == second.json()


def test_the_other_lists_are_filtered_too(house, revision):
    assert names(house.post("resources/list", revision=revision), "resources") == {"logo", "broken"}
    assert names(house.post("resources/templates/list", revision=revision), "resourceTemplates") == {
        "order",
        "note",
        "label",
    }
    assert names(house.post("prompts/list", revision=revision), "prompts") == {"greet", "talk"}
    for method, key in (("resources/list", "resources"), ("resources/templates/list", "resourceTemplates")):
        assert names(house.post(method, revision=revision, scopes=("shop:write",)), key) == set()
    assert names(house.post("prompts/list", revision=revision, scopes=("shop:write",)), "prompts") == {
        "refuse_to_talk"
    }


def test_the_published_schema_is_closed_and_has_no_call(house, revision):
    tools = {one["name"]: one for one in result_of(house.post("tools/list", revision=revision))["tools"]}
    schema = tools["remember"]["inputSchema"]
    assert schema["additionalProperties"] is False
    assert schema["$defs"]["Address"]["additionalProperties"] is False
    assert "call" not in schema["properties"]
    assert tools["add"]["outputSchema"]["properties"] == {"result": {"title": "Result", "type": "integer"}}


def test_annotations_come_from_the_effect(house, revision):
    read = result_of(house.post("tools/list", revision=revision))["tools"]
    [wipe] = result_of(house.post("tools/list", revision=revision, scopes=("shop:wipe",)))["tools"]
    assert all(one["annotations"]["readOnlyHint"] is True for one in read)
    assert wipe["annotations"] == {"readOnlyHint": False, "destructiveHint": True, "idempotentHint": False}


def test_a_malformed_list_is_refused_also_when_its_answer_is_known(house):
    assert house.post("tools/list").status_code == 200
    answer = house.post("tools/list", {"_meta": {"io.modelcontextprotocol/clientCapabilities": 7}})
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, -32602)
    answer = house.post("tools/list", {"cursor": "2"})
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, -32602)


def test_discover_ping_and_initialize_need_a_good_token_only(house):
    discovered = house.post("server/discover", scopes=("shop:hidden",))
    assert result_of(discovered)["supportedVersions"] == [MODERN]
    assert result_of(house.post("ping", revision=LEGACY)) == {}
    assert house.story(discovered)[0]["type"] == "request.served"
    assert house.post("server/discover", token=None).status_code == 401


@pytest.mark.parametrize(
    "asked", ["2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25", "2026-07-28", "1.0"]
)
def test_initialize_is_agreed_to_as_the_older_revision(house, asked):
    params = {"protocolVersion": asked, "capabilities": {}, "clientInfo": {"name": "old", "version": "1"}}
    answer = house.post("initialize", params, revision=LEGACY, headers={"mcp-protocol-version": None})
    assert result_of(answer)["protocolVersion"] == LEGACY
    [served] = house.story(answer)
    assert served["client_says"] == {"name": "old", "version": "1"}


def test_no_session_is_ever_made_and_one_that_is_brought_is_ignored(house):
    params = {"protocolVersion": LEGACY, "capabilities": {}, "clientInfo": {"name": "old", "version": "1"}}
    opened = house.post("initialize", params, revision=LEGACY)
    assert "mcp-session-id" not in opened.headers
    stolen = house.post(
        "tools/list", revision=LEGACY, headers={"mcp-session-id": "0" * 32, "last-event-id": "7"}
    )
    assert stolen.status_code == 200


@pytest.mark.parametrize("method", ["notifications/initialized", "notifications/cancelled"])
def test_two_notifications_of_the_older_revision_are_taken_and_do_nothing(house, method):
    answer = house.post(method, body={"jsonrpc": "2.0", "method": method}, revision=LEGACY)
    assert (answer.status_code, answer.content) == (202, b"")
    assert house.story(answer)[0]["type"] == "request.served"


def test_the_client_word_is_in_the_audit_as_its_word_only(house):
    meta = {
        **META,
        "io.modelcontextprotocol/clientInfo": {"name": "\x1b[2Jadmin", "version": "x" * 5000, "more": {}},
    }
    answer = house.post("tools/call", {"name": "add", "arguments": {"a": 1, "b": 2}, "_meta": meta})
    says = house.story(answer)[0]["client_says"]
    assert says["name"] == "\\u{1b}[2Jadmin"
    assert len(says["version"]) <= 256
    assert "more" not in says


def test_the_clients_trace_is_a_link_and_goes_no_further(house):
    parent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
    meta = {"traceparent": parent, "tracestate": "a=b", "baggage": "user=x"}
    answer = house.post("tools/call", {"name": "add", "arguments": {"a": 1, "b": 2}, "_meta": meta})
    assert house.story(answer)[0]["trace"] == parent
    odd = house.post(
        "tools/call", {"name": "add", "arguments": {"a": 1, "b": 2}, "_meta": {"traceparent": "\n; drop"}}
    )
    assert "trace" not in house.story(odd)[0]


def test_the_sdk_sees_a_digest_for_a_token(house):
    token = house.token("shop:read")
    answer = house.post("tools/call", {"name": "read_token", "arguments": {}}, token=token)
    said = result_of(answer)["structuredContent"]["result"]
    assert token not in said
    assert said.endswith(f"{house.issuer.client.client_id} {house.resource} 0"), "no header is left"
    assert len(said.split()[0]) == 64


def test_the_target_of_a_record_is_the_uri_that_was_decided_on_in_its_one_spelling(house):
    answer = house.post("resources/read", {"uri": "shop://label/a%20b%2fc%25%C3%A9"})
    assert result_of(answer)["contents"][0]["text"] == "label a b/c%é"
    assert house.story(answer)[0]["target"] == "shop://label/a%20b%2Fc%25%C3%A9"
