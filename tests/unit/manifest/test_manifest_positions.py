"""A key's line is found in any TOML text that tomllib reads."""

import pytest

from launchworthy.manifest import line_of

TEXT = '''\
# name = "not this one"
name = "orders"

[tools.find_orders]
arguments = { customer = "clear", limit = "clear" }
scopes = [
  "orders:read",  # a comment, with ] and }
  "orders:list",
]
text = """
[not.a.table]
name = 1"""
[tools."quoted \\u0041.b"]
'literal key' = 'a # no comment'
nested = { deep = { deeper = [ { deepest = 1 } ] } }
a.b.c = 1979-05-27 07:32:00

[[cases]]
call = "one"

[[cases]]
call = "two"
[cases.inside]
x = 1
'''


@pytest.mark.parametrize(
    ("key", "line"),
    [
        (("name",), 2),
        (("tools",), 4),
        (("tools", "find_orders"), 4),
        (("tools", "find_orders", "arguments"), 5),
        (("tools", "find_orders", "arguments", "limit"), 5),
        (("tools", "find_orders", "scopes", "0"), 7),
        (("tools", "find_orders", "scopes", "1"), 8),
        (("tools", "find_orders", "text"), 10),
        (("tools", "quoted A.b"), 13),
        (("tools", "quoted A.b", "literal key"), 14),
        (("tools", "quoted A.b", "nested", "deep", "deeper", "0", "deepest"), 15),
        (("tools", "quoted A.b", "a", "b", "c"), 16),
        (("cases",), 18),
        (("cases", "0", "call"), 19),
        (("cases", "1", "call"), 22),
        (("cases", "1", "inside", "x"), 24),
    ],
)
def test_a_key_is_found_on_its_line(key, line):
    assert line_of(TEXT, key) == line


def test_a_key_that_is_not_there_has_the_line_of_the_table_around_it():
    assert line_of(TEXT, ("tools", "find_orders", "effect")) == 4
    assert line_of(TEXT, ("cases", "1", "expect")) == 21


def test_a_key_without_any_table_around_it_has_no_line():
    assert line_of(TEXT, ("ownership", "owner")) is None
    assert line_of(TEXT, ()) is None


def test_what_looks_like_a_key_inside_a_string_is_none():
    assert line_of(TEXT, ("not",)) is None


def test_windows_line_ends_count_once():
    assert line_of("a = 1\r\nb = 2\r\n", ("b",)) == 2


@pytest.mark.parametrize(
    "text",
    [
        "a = ",
        "a = [1, ",
        "a = { b = 1",
        "[a",
        "[a]]x",
        "= 1",
        'a = "',
        "a b = 1",
        "a = " + "[" * 5000,
        "'",
        '"\\q" = 1',
        "a = ]",
    ],
)
def test_a_broken_text_ends_the_scan_and_raises_nothing(text):
    assert line_of("first = 1\n" + text, ("first",)) == 1
