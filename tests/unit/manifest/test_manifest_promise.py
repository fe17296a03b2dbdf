"""What is left for later, what a lock pins, and what editors are told."""

import copy
import json

import pytest

from launchworthy.manifest import (
    describe,
    is_placeholder,
    json_schemas,
    load_manifests,
    parse_duration,
    placeholders,
)


def test_what_was_left_for_later_is_found_with_its_line(project):
    project.edit_server("security@acme.example", "security@acme.invalid")
    assert placeholders(load_manifests(project.files)) == (
        ("ownership.on_call", "https://on-call.acme.invalid/orders", "manifests/server.toml:10"),
        ("ownership.security", "security@acme.invalid", "manifests/server.toml:11"),
    )


def test_in_lists_and_in_every_file_too(project):
    project.edit_server("@acme/payments-leads", "@later.invalid/leads").edit('"teapot"', '["x.invalid"]')
    fields = [field for field, _, _ in placeholders(load_manifests(project.files))]
    assert fields == ["ownership.on_call", "ownership.approvers.0", "tools.place_order.example.item.0"]


@pytest.mark.parametrize(
    "value", ["https://a.invalid", "https://a.INVALID:8443/x", "a@b.invalid", "@a.invalid/b", "a.invalid."]
)
def test_a_placeholder_is_a_host_below_invalid(value):
    assert is_placeholder(value)


@pytest.mark.parametrize(
    "value", ["https://a.example", "an invalid value", "a.invalidate", "x.invalid-y", ".invalid"]
)
def test_the_word_alone_is_none(value):
    assert not is_placeholder(value)


def test_the_promise_says_who_may_do_what(project):
    promise = describe(load_manifests(project.files))
    assert promise["tools"]["refund_order"] == {
        "effect": "destructive",
        "scopes": ["orders:refund"],
        "arguments": {"order_id": "clear", "reason": "drop"},
        "acts_on": "order/{order_id}",
        "approval_reason": "the payment service asks a person itself",
        "timeout_seconds": 10.0,
        "rehearse": True,
    }
    assert promise["tools"]["place_order"]["policy_inputs"] == {"quantity": "integer"}
    assert promise["resources"]["order"]["uri"] == "orders://order/{order_id}"
    complaint = {"effect": "read", "scopes": ["orders:read"], "timeout_seconds": 30.0}
    assert promise["prompts"] == {"complaint": complaint}
    assert promise["server"]["entry"] == ["orders:read"]
    assert "implies" not in promise["server"]
    json.dumps(promise)


def test_it_does_not_depend_on_the_order_of_files_or_tables(project):
    before = describe(load_manifests(project.files))
    other = copy.deepcopy(project)
    blocks = other.texts["manifests/tools.toml"].split("\n\n")
    other.texts = {
        "manifests/server.toml": other.texts["manifests/server.toml"],
        "manifests/a.toml": blocks[-1],
        "manifests/tools.toml": "\n\n".join(reversed(blocks[1:-1])),
    }
    assert json.dumps(describe(load_manifests(other.files))) == json.dumps(before)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('scopes    = ["orders:write"]', 'scopes = ["orders:write", "orders:read"]'),
        ('effect    = "write"', 'effect = "read"'),
        ('effect    = "write"', 'effect = "write"\nenvironments = ["staging"]'),
        ('effect    = "write"', 'effect = "write"\nvisibility = "secret"'),
        ('["quantity"]', '["quantity?"]'),
        ('item = "clear"', 'item = "drop"'),
        ('"10s"', '"11s"'),
        ('uri       = "orders://order/', 'uri = "orders://orders/'),
    ],
)
def test_a_change_of_the_promise_changes_it(project, old, new):
    before = describe(load_manifests(project.files))
    assert describe(load_manifests(project.edit(old, new).files)) != before


def test_scopes_that_imply_others_are_part_of_it(project):
    project.edit_server(
        '["orders:read"]', '["orders:read"]\nimplies = { "orders:all" = ["orders:write", "orders:read"] }'
    )
    promise = describe(load_manifests(project.files))
    assert promise["server"]["implies"] == {"orders:all": ["orders:read", "orders:write"]}


def test_an_example_is_no_promise(project):
    before = describe(load_manifests(project.files))
    assert describe(load_manifests(project.edit('"teapot"', '"kettle"').files)) == before


def test_editors_get_a_closed_schema_of_each_file():
    schemas = json_schemas()
    assert sorted(schemas) == ["server.schema.json", "tools.schema.json"]
    tools = schemas["tools.schema.json"]
    table = tools["$defs"]["ToolTable"]
    assert tools["additionalProperties"] is False
    assert table["additionalProperties"] is False
    assert {"effect", "scopes"} <= set(table["required"])
    assert all("description" in field or "$ref" in field for field in table["properties"].values())
    assert schemas["server.schema.json"]["$defs"]["Data"]["properties"]["audit_retention"]["type"] == "string"
    json.dumps(schemas)


@pytest.mark.parametrize(
    ("text", "seconds"), [("250ms", 0.25), ("10s", 10), ("2m", 120), ("1h", 3600), ("400d", 34_560_000)]
)
def test_a_duration_is_a_number_and_a_unit(text, seconds):
    assert parse_duration(text) == pytest.approx(seconds)


@pytest.mark.parametrize(
    "text", ["", "10", "s", "0s", "-1s", "1.5s", "10 s", "10S", "010s", "1d1h", "10s\n", "٣s"]
)
def test_anything_else_is_none(text):
    with pytest.raises(ValueError, match="a duration is"):
        parse_duration(text)
