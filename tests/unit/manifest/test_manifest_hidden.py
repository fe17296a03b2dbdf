"""What a reviewer cannot see is found; what people write is not."""

import pytest

from launchworthy.manifest import find_hidden


@pytest.mark.parametrize(
    ("character", "name"),
    [
        ("\u202e", "U+202E RIGHT-TO-LEFT OVERRIDE"),
        ("\u2066", "U+2066 LEFT-TO-RIGHT ISOLATE"),
        ("\u200b", "U+200B ZERO WIDTH SPACE"),
        ("\u00ad", "U+00AD SOFT HYPHEN"),
        ("\ufeff", "U+FEFF ZERO WIDTH NO-BREAK SPACE"),
        ("\U000e0041", "U+E0041 TAG LATIN CAPITAL LETTER A"),
        ("\ufe0f", "U+FE0F VARIATION SELECTOR-16"),
        ("\U000e0100", "U+E0100 VARIATION SELECTOR-17"),
        ("\u3164", "U+3164 HANGUL FILLER"),
        ("\u2028", "U+2028 LINE SEPARATOR"),
        ("\x1b", "U+001B CONTROL CHARACTER"),
        ("\x00", "U+0000 CONTROL CHARACTER"),
        ("\x7f", "U+007F CONTROL CHARACTER"),
        ("\x85", "U+0085 CONTROL CHARACTER"),
        ("\r", "U+000D CONTROL CHARACTER"),
        ("\ue000", "U+E000 CONTROL CHARACTER"),
    ],
)
def test_a_hidden_character_is_found_and_named(character, name):
    [found] = find_hidden(f"first\nab{character}c\n")
    assert (found.line, found.column, found.name) == (2, 3, name)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "plain ASCII\n\tindented\r\n",
        "Größe, naïve, 日本語, Ελλάδα, עברית",
        "100 €, “quoted”, fine",
        "👍",
    ],
)
def test_what_people_write_holds_none(text):
    assert find_hidden(text) == ()
