"""Redaction: hmac unless the manifest says otherwise, numbers too, and nothing that can be looked up."""

import hashlib
import hmac
import json
import math

import pytest

from launchworthy.audit import ArgumentRedactor
from launchworthy.audit.canonical import canonical

KEY = bytes(range(32))
REDACTOR = ArgumentRedactor(KEY, "k1")


def one(value, argument_class=None, name="a", target="t"):
    classes = {} if argument_class is None else {name: argument_class}
    return REDACTOR.redact(target, classes, {name: value})[name]


def test_an_argument_without_a_class_is_hmaced():
    assert one("secret value") == {"hmac": REDACTOR.argument_digest("t", "a", "secret value")}
    assert one("secret value", "no such class") == one("secret value")


def test_the_digest_is_what_the_format_page_says():
    message = b'["launchworthy-redaction/1","argument","refund_order","reason"]\n"arrived in pieces"'
    expected = hmac.new(KEY, message, hashlib.sha256).hexdigest()[:32]
    assert REDACTOR.argument_digest("refund_order", "reason", "arrived in pieces") == f"k1:{expected}"
    result = hmac.new(
        KEY, b'["launchworthy-redaction/1","result","refund_order"]\n{}', hashlib.sha256
    ).hexdigest()
    assert REDACTOR.result_digest("refund_order", b"{}") == f"k1:{result[:32]}"
    token = hmac.new(KEY, b'["launchworthy-redaction/1","token","https://i"]\nj', hashlib.sha256).hexdigest()
    assert REDACTOR.token_id("https://i", "j") == f"k1:{token[:32]}"


@pytest.mark.parametrize(
    "value", [1042, True, None, 1.5, ["a", 1], {"a": {"b": 1}}, "text", math.nan, "\ud800"]
)
def test_every_kind_of_value_is_hmaced_and_none_stands_in_the_record(value):
    shown = one(value)
    assert list(shown) == ["hmac"]
    assert len(shown["hmac"]) == len("k1:") + 32
    assert shown == one(value)


def test_values_that_python_confuses_are_told_apart():
    digests = {one(value)["hmac"] for value in (1, True, 1.0, "1", [1], "true", None, "null")}
    assert len(digests) == 8


def test_equal_values_in_different_places_do_not_look_alike():
    digests = {
        one("x")["hmac"],
        one("x", name="b")["hmac"],
        one("x", target="u")["hmac"],
        REDACTOR.result_digest("t", b'"x"'),
        REDACTOR.token_id("t", '"x"'),
        ArgumentRedactor(bytes(32), "k1").argument_digest("t", "a", "x"),
    }
    assert len(digests) == 6


def test_a_boundary_cannot_be_moved_between_names_and_value():
    assert one("b", name='a","x') != one("b", name="a", target='t","a')
    assert REDACTOR.argument_digest("t", "a\n", "b") != REDACTOR.argument_digest("t", "a", "\nb")


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (1042, 1042),
        (True, True),
        (None, None),
        ("c-17", "c-17"),
        (2**60, str(2**60)),
        (1.5, "1.5"),
        (["a", {"b": 1}], '["a",{"b":1}]'),
        ("two\nlines", "two\\u{a}lines"),
    ],
)
def test_a_clear_argument_is_shown_in_a_form_that_a_record_can_hold(value, shown):
    assert one(value, "clear") == {"clear": shown}
    canonical(one(value, "clear"))


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("x" * 38, {"drop": "string", "length": 38}),
        (1042, {"drop": "integer"}),
        (True, {"drop": "boolean"}),
        (1.5, {"drop": "number"}),
        ([1], {"drop": "array"}),
        ({}, {"drop": "object"}),
        (None, {"drop": "null"}),
    ],
)
def test_a_dropped_argument_leaves_its_type_and_a_length(value, shown):
    assert one(value, "drop") == shown


def test_a_clear_value_cannot_pass_for_a_redacted_one():
    assert one("hmac:k1:00", "clear") == {"clear": "hmac:k1:00"}


@pytest.mark.parametrize("value", [10**5000, object(), {1: 2, "a": 3}, {"a": b"bytes"}], ids=range(4))
@pytest.mark.parametrize("argument_class", ["clear", "hmac", "drop"])
def test_what_cannot_be_written_is_dropped_and_never_raises(value, argument_class):
    assert next(iter(one(value, argument_class))) == "drop"


def test_a_value_nested_without_end_is_dropped():
    itself = []
    itself.append(itself)
    assert one(itself) == {"drop": "array"}


def test_ten_megabytes_of_arguments_stay_small():
    arguments = {f"a{number}": "x" * 10_485_760 for number in range(3)} | {
        f"b{n}": "y" * 300 for n in range(500)
    }
    redacted = REDACTOR.redact("t", dict.fromkeys(arguments, "clear"), arguments)
    assert len(canonical(redacted)) < 5000
    assert redacted["~"] == {"drop": "arguments", "length": len(arguments) - len(redacted) + 1}
    assert len(redacted) > 10


def test_names_of_arguments_are_made_safe():
    redacted = REDACTOR.redact("t", {}, {"ü\n": 1})
    assert list(redacted) == ["\\u{fc}\\u{a}"]
    canonical(redacted)


def test_a_short_key_is_refused():
    with pytest.raises(ValueError, match="32 bytes"):
        ArgumentRedactor(bytes(31), "k1")


def test_the_key_is_not_shown():
    assert repr(REDACTOR) == "ArgumentRedactor(kid='k1')"


def test_ephemeral_redactors_cannot_be_compared():
    first, second = ArgumentRedactor.ephemeral("s"), ArgumentRedactor.ephemeral("s")
    assert first.argument_digest("t", "a", 1) == first.argument_digest("t", "a", 1)
    assert first.argument_digest("t", "a", 1) != second.argument_digest("t", "a", 1)


def test_redacting_does_not_change_what_was_given():
    arguments = {"a": {"b": [1, 2]}}
    before = json.dumps(arguments)
    REDACTOR.redact("t", {"a": "clear"}, arguments)
    assert json.dumps(arguments) == before
