"""Canonical JSON: one way to write a value, and refusal of whatever has two."""

from enum import IntEnum, StrEnum

import pytest

from launchworthy.audit.canonical import MAX_DEPTH, MAX_INTEGER, CanonicalError, canonical, parse_canonical


def test_keys_are_sorted_and_nothing_is_spaced():
    assert canonical({"b": [1, "ü", None], "a": {"z": True, "A": -5}}) == (
        b'{"a":{"A":-5,"z":true},"b":[1,"\xc3\xbc",null]}'
    )


def test_control_characters_are_escaped_as_rfc_8785_says():
    assert canonical("\x00\x08\t\n\x0c\r\x1f\x7f\u2028") == b'"\\u0000\\b\\t\\n\\f\\r\\u001f\x7f\xe2\x80\xa8"'


def test_an_enum_of_text_is_its_text():
    class Word(StrEnum):
        YES = "yes"

    assert canonical({"a": Word.YES}) == b'{"a":"yes"}'


def test_tuples_and_lists_are_the_same():
    assert canonical(("a", ("b",))) == canonical(["a", ["b"]])


class Number(IntEnum):
    ONE = 1


@pytest.mark.parametrize(
    "value",
    [
        1.0,
        {"a": 1.5},
        [float("nan")],
        MAX_INTEGER + 1,
        -MAX_INTEGER - 1,
        {"ü": 1},
        {1: "a"},
        {None: "a"},
        "\ud800",
        {"a": ["\udfff"]},
        b"bytes",
        {"a": {1, 2}},
        object(),
        Number.ONE,
    ],
    ids=lambda value: type(value).__name__,
)
def test_what_lies_outside_the_domain_is_refused(value):
    with pytest.raises(CanonicalError):
        canonical(value)


def test_the_largest_integers_are_inside():
    assert canonical([MAX_INTEGER, -MAX_INTEGER]) == b"[9007199254740991,-9007199254740991]"


def test_what_is_nested_too_deep_or_in_itself_is_refused():
    deep: list[object] = []
    for _ in range(MAX_DEPTH):
        deep = [deep]
    assert canonical(deep) == b"[" * (MAX_DEPTH + 1) + b"]" * (MAX_DEPTH + 1)
    with pytest.raises(CanonicalError, match="nested"):
        canonical([deep])
    itself: list[object] = []
    itself.append(itself)
    with pytest.raises(CanonicalError, match="nested"):
        canonical(itself)


def test_what_was_written_is_read_back():
    value = {"a": [1, "ü\n", {"b": None}], "c": False, "d": -MAX_INTEGER}
    assert parse_canonical(canonical(value)) == value


@pytest.mark.parametrize(
    "line",
    [
        b'{"a": 1}',
        b'{"b":1,"a":2}',
        b'{"a":1,"a":1}',
        b'{"a":1}\n',
        b' {"a":1}',
        b'"\\u0041"',
        b'"\\/"',
        b'"\\u001F"',
        b"1.0",
        b"1e2",
        b"-0",
        b"NaN",
        b"9007199254740992",
        b"-9007199254740992",
        b"123456789012345678901234567890",
        b"\xef\xbb\xbf{}",
        b'{"a":1}'.decode().encode("utf-16"),
        b'"\xff"',
        b'"\\ud800"',
        b"[" * 100_000,
        b"",
        b"{",
    ],
    ids=lambda line: repr(line[:24]),
)
def test_what_is_written_in_another_way_is_refused(line):
    with pytest.raises(CanonicalError):
        parse_canonical(line)


def test_the_error_for_a_number_does_not_repeat_a_long_one():
    with pytest.raises(CanonicalError) as refused:
        parse_canonical(b"1." + b"7" * 5000)
    assert len(str(refused.value)) < 100
