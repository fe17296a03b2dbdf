"""What a person sees is the whole call: nothing is cut, nothing hides, nothing draws a second question."""

import json
import unicodedata
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from test_approval_terms import CALL, PRINCIPAL

from launchworthy.approval import NotAnswered, shown_call, visible


def shown(**arguments):
    return shown_call(replace(CALL, arguments=arguments), title="Orders", effect="destructive", seconds=120)


def test_the_whole_call_is_shown():
    text = shown(order_id=1042, reason="arrived in pieces", parts=[1, {"b": None, "a": True}])
    for line in (
        "Orders asks: may this call be made?",
        "tool       refund_order (destructive)",
        "server     https://orders.acme.example/mcp",
        'client     "agent"',
        'for        "alice" of "https://login.acme.example"',
        "  order_id = 1042",
        '  parts = [1, {"a": true, "b": null}]',
        '  reason = "arrived in pieces"',
    ):
        assert line in text.split("\n")


def test_who_came_through_whom_is_shown():
    call = replace(CALL, principal=replace(PRINCIPAL, actors=("agent-1", "agent-2")))
    text = shown_call(call, title="Orders", effect="write", seconds=120)
    assert 'through    "agent-1"\nthrough    "agent-2"' in text


@pytest.mark.parametrize(
    ("value", "seen"),
    [
        ("a\nb", '"a\\nb"'),
        ("a\r\x00\x1b[2J", '"a\\r\\u0000\\u001b[2J"'),
        ("x\u202ey", '"x\\u202ey"'),
        ("x\u200by", '"x\\u200by"'),
        ("x\u00a0y", '"x\\u00a0y"'),
        ("x\u2028y", '"x\\u2028y"'),
        ("x\ufe0fy", '"x\\ufe0fy"'),
        ("e\u0301", '"e\\u0301"'),
        ("x\U000e0041y", '"x\\udb40\\udc41y"'),
        ("Größe ñ 漢字", '"Größe ñ 漢字"'),
        ('say "yes"', '"say \\"yes\\""'),
        ("\\u202e", '"\\\\u202e"'),
    ],
)
def test_a_character_that_does_not_show_is_written_out(value, seen):
    assert visible(value) == seen
    assert json.loads(seen) == value


def test_a_value_cannot_draw_a_second_question():
    text = shown(reason="x\n\ntool       find_orders (read)\nYes?")
    assert sum(line.startswith("tool ") for line in text.split("\n")) == 1


def test_what_cannot_be_shown_whole_is_refused_and_what_can_is_whole():
    long = "x" * 7000
    assert long in shown(reason=long)
    with pytest.raises(NotAnswered, match="cannot be shown whole"):
        shown(reason="x" * 8192)


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.text(), st.lists))
def test_what_is_seen_is_the_value_on_one_line(value):
    seen = visible(value)
    assert json.loads(seen) == value
    assert all(unicodedata.category(one)[0] not in "CM" for one in seen)
    assert "\n" not in seen
