"""Which declared target a call means: a name as it stands, a concrete URI before a template."""

import pytest
from served_functions import matched

from launchworthy.enforcement.request import Row, Targets
from launchworthy.vocabulary import Reason, Refused

CODE = """
@tool
def f(x: int) -> int: ...
@prompt
def p() -> str: ...
@resource
def one(name: str) -> str: ...
@resource
def special() -> str: ...
"""
MANIFEST = """
[tools.f]
effect = "read"
scopes = ["shop:read"]
[prompts.p]
scopes = ["shop:read"]
[resources.one]
uri = "shop://note/{name}"
scopes = ["shop:read"]
[resources.special]
uri = "shop://logo"
scopes = ["shop:read"]
"""


@pytest.fixture
def targets(tmp_path):
    manifests, _, _ = matched(tmp_path, CODE, MANIFEST)
    return Targets(manifests.targets.values())


def reason(targets, row, params):
    with pytest.raises(Refused) as raised:
        targets.find(row, params)
    return raised.value.reason


def test_a_name_means_its_own_kind_only(targets):
    asked = targets.find(Row.TOOL, {"name": "f", "arguments": {"x": 1}})
    assert (asked.target.name, asked.named, asked.arguments) == ("f", "f", {"x": 1})
    assert targets.find(Row.PROMPT, {"name": "p"}).arguments == {}
    for row, name in (
        (Row.PROMPT, "f"),
        (Row.TOOL, "p"),
        (Row.TOOL, "one"),
        (Row.TOOL, "F"),
        (Row.TOOL, "f "),
    ):
        assert reason(targets, row, {"name": name}) is Reason.TOOL_UNKNOWN


def test_a_uri_means_one_resource(targets):
    asked = targets.find(Row.RESOURCE, {"uri": "shop://note/a%20b"})
    assert (asked.target.name, asked.named, asked.arguments) == ("one", "shop://note/a%20b", {"name": "a b"})
    assert targets.find(Row.RESOURCE, {"uri": "shop://logo"}).target.name == "special"


def test_a_uri_has_a_length(targets):
    assert targets.find(Row.RESOURCE, {"uri": "shop://note/" + "a" * 4084})
    assert reason(targets, Row.RESOURCE, {"uri": "shop://note/" + "a" * 4085}) is Reason.TOOL_UNKNOWN


@pytest.mark.parametrize("uri", [None, 7, ["shop://logo"], True])
def test_what_is_no_uri_is_invalid(targets, uri):
    assert reason(targets, Row.RESOURCE, {"uri": uri}) is Reason.PROTOCOL_INVALID
