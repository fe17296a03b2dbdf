"""One JSON text, read as every other parser would read it, or not at all."""

import json
import sys

import pytest

from launchworthy.tokens import StrictJSONError, parse, parse_object

GOOD = [
    b"{}",
    b"[]",
    b'"a"',
    b"0",
    b"-0.5e-3",
    b" \t\r\nnull\n",
    b'{"a":[{"b":[]}]}',
    '{"é":"東"}'.encode(),
    b'"\\ud83d\\ude00"',
    b'{"a":1,"b":1}',
    b'[{"a":1},{"a":1}]',
    b"999999999999999999",
]
BAD = {
    b"": "not JSON",
    b" ": "not JSON",
    b"{}{}": "not JSON",
    b"{},": "not JSON",
    b"{}\x00": "not JSON",
    b"[1,]": "not JSON",
    b"{'a':1}": "not JSON",
    b'"\x01"': "not JSON",
    b"\xef\xbb\xbf{}": "not JSON",
    "{}".encode("utf-16"): "UTF-8",
    "{}".encode("utf-16-le"): "not JSON",
    b'"\xed\xa0\x80"': "UTF-8",
    b'"\xff"': "UTF-8",
    b'"\xc0\xaf"': "UTF-8",
    b'{"a":1,"a":1}': "twice",
    b'[{"x":{"a":1,"\\u0061":1}}]': "twice",
    b"NaN": "NaN",
    b"Infinity": "Infinity",
    b"-Infinity": "Infinity",
    b"1e400": "too large",
    b"-1e400": "too large",
    b"1000000000000000000": "18 digits",
    b"-1000000000000000000": "18 digits",
    b"9" * 9000: "18 digits",
    b'"\\ud800"': "surrogate",
    b'"\\uDFFF"': "surrogate",
    b'{"\\ud800":1}': "surrogate",
    b'"\\udc00\\ud800"': "surrogate",
}


@pytest.mark.parametrize("text", GOOD)
def test_what_every_parser_reads_alike_is_read(text: bytes) -> None:
    assert parse(text, max_depth=8, max_bytes=10_000) == json.loads(text)


@pytest.mark.parametrize(("text", "why"), BAD.items())
def test_what_parsers_read_differently_is_refused(text: bytes, why: str) -> None:
    with pytest.raises(StrictJSONError, match=why):
        parse(text, max_depth=8, max_bytes=10_000)


@pytest.mark.parametrize("text", [b"[[1]]", b'{"a":{"b":1}}', b'[{"a":"[[[["}]', b'[["\\\\"],["[[\\"[["]]'])
def test_depth_is_counted_in_containers_outside_strings(text: bytes) -> None:
    parse(text, max_depth=2, max_bytes=100)
    with pytest.raises(StrictJSONError, match="nested deeper than 1"):
        parse(text, max_depth=1, max_bytes=100)


def test_many_containers_beside_each_other_are_not_deep() -> None:
    text = b"[" + b",".join([b"[{}]"] * 1000) + b"]"
    assert len(parse_list(text, max_depth=3)) == 1000


def parse_list(text: bytes, max_depth: int) -> list[object]:
    value = parse(text, max_depth=max_depth, max_bytes=10**6)
    assert isinstance(value, list)
    return value


@pytest.mark.parametrize("opening", [b"[", b'{"a":', b'[{"a":['])
def test_deep_nesting_is_refused_before_the_parser_could_recurse(opening: bytes) -> None:
    limit = sys.getrecursionlimit()
    with pytest.raises(StrictJSONError, match="nested deeper than 64"):
        parse(opening * 300_000, max_depth=64, max_bytes=10**7)
    assert sys.getrecursionlimit() == limit


def test_length_is_counted_in_bytes() -> None:
    parse('"é"'.encode(), max_depth=1, max_bytes=4)
    with pytest.raises(StrictJSONError, match="more than 3 bytes"):
        parse('"é"'.encode(), max_depth=1, max_bytes=3)


def test_an_object_is_wanted_where_it_is_wanted() -> None:
    assert parse_object(b'{"a":1}', max_depth=1, max_bytes=10) == {"a": 1}
    with pytest.raises(StrictJSONError, match="not an object"):
        parse_object(b"[]", max_depth=1, max_bytes=10)


def test_messages_do_not_quote_what_was_sent() -> None:
    with pytest.raises(StrictJSONError) as error:
        parse(b'{"word": "hunter2" x}', max_depth=1, max_bytes=100)
    assert "hunter2" not in str(error.value)
    assert error.value.__cause__ is None
    assert error.value.__suppress_context__
