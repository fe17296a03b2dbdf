"""Does a text hold characters that a reviewer does not see?

Control, format and bidirectional characters, and letters that have no shape, let a text say something else
than it shows ("Trojan Source", CVE-2021-42574). Nothing that a person reviews may hold one.
"""

import unicodedata
from dataclasses import dataclass

_INVISIBLE_CATEGORIES = frozenset({"Cc", "Cf", "Co", "Cs", "Zl", "Zp"})
_INVISIBLE_LETTERS = frozenset(
    {0x034F, 0x115F, 0x1160, 0x17B4, 0x17B5, 0x180B, 0x180C, 0x180D, 0x180F, 0x2800, 0x3164, 0xFFA0}
)
_LAYOUT = frozenset("\n\t")
_FIRST_BEYOND_ASCII = 0x80


@dataclass(frozen=True, slots=True, kw_only=True)
class HiddenCharacter:
    """One character that does not show.

    Attributes:
        line: counted from 1.
        column: counted from 1, in code points.
        name: `U+202E RIGHT-TO-LEFT OVERRIDE`.
    """

    line: int
    column: int
    name: str


def find_hidden(text: str) -> tuple[HiddenCharacter, ...]:
    """Find every character that does not show; line ends and tabs are none."""
    if text.isascii() and text.replace("\n", "").replace("\t", "").isprintable():
        return ()
    found = []
    for number, line in enumerate(text.split("\n"), start=1):
        for column, character in enumerate(line.removesuffix("\r"), start=1):
            if _is_hidden(character):
                name = f"U+{ord(character):04X} {unicodedata.name(character, 'CONTROL CHARACTER')}"
                found.append(HiddenCharacter(line=number, column=column, name=name))
    return tuple(found)


def _is_hidden(character: str) -> bool:
    code = ord(character)
    if code < _FIRST_BEYOND_ASCII:
        return not character.isprintable() and character not in _LAYOUT
    return (
        unicodedata.category(character) in _INVISIBLE_CATEGORIES
        or code in _INVISIBLE_LETTERS
        or 0xFE00 <= code <= 0xFE0F  # noqa: PLR2004 - variation selectors
        or 0xE0100 <= code <= 0xE01EF  # noqa: PLR2004 - variation selectors
    )
