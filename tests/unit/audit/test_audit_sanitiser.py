"""The sanitiser: other people's text cannot break a line, hide, or fill the disk."""

import pytest

from launchworthy.audit.sanitiser import sanitise, sanitise_name, sanitise_words


@pytest.mark.parametrize(
    ("text", "safe"),
    [
        ("plain text", "plain text"),
        ("Zürich, 東京, 🙂", "Zürich, 東京, 🙂"),
        ("two\nlines\r\n", "two\\u{a}lines\\u{d}\\u{a}"),
        ("\x1b[31mred\x1b[0m", "\\u{1b}[31mred\\u{1b}[0m"),
        ("\u202egnp.exe", "\\u{202e}gnp.exe"),
        ("a\u2028b\u2029c", "a\\u{2028}b\\u{2029}c"),
        ("zero\u200bwidth\ufeff", "zero\\u{200b}width\\u{feff}"),
        ("\ud800", "\\u{d800}"),
        ("\U000e0041tag", "\\u{e0041}tag"),
        ("\x00\x7f\x85", "\\u{0}\\u{7f}\\u{85}"),
        ("", ""),
    ],
)
def test_what_does_not_print_is_written_out(text, safe):
    assert sanitise(text) == safe


def test_a_long_text_is_cut_and_says_how_long_it_was():
    safe = sanitise("x" * 10_485_760)
    assert safe == "x" * (256 - len("…(10485760 characters)")) + "…(10485760 characters)"


def test_a_text_of_exactly_the_limit_stays():
    assert sanitise("x" * 256) == "x" * 256


@pytest.mark.parametrize("text", ["🙂" * 256, "ü" * 257, "\n" * 256, "\u202e" * 10_000, "a" * 255 + "\n"])
def test_no_text_takes_more_than_its_room_and_a_second_pass_changes_nothing(text):
    safe = sanitise(text)
    assert len(safe) <= 256
    assert len(safe.encode()) <= 512
    assert safe.isprintable()
    assert sanitise(safe) == safe
    assert safe.endswith(f"…({len(text)} characters)")


@pytest.mark.parametrize(("name", "safe"), [("order_id", "order_id"), ("ü b\n", "\\u{fc}\\u{20}b\\u{a}")])
def test_a_name_is_short_printable_ascii(name, safe):
    assert sanitise_name(name) == safe
    assert len(sanitise_name(name * 100)) == 64


def test_words_beyond_the_limit_are_counted():
    assert sanitise_words(["a", "b\n"]) == ("a", "b\\u{a}")
    many = sanitise_words(f"scope:{number}" for number in range(100))
    assert (len(many), many[-1]) == (32, "+69 more")
    long = sanitise_words(["y" * 200] * 10)
    assert (len(long), long[-1]) == (6, "+5 more")
    assert sanitise_words(long) == long
    assert sanitise_words(many) == many
