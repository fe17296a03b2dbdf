"""Does this text look generated, rather than written by a person?

Two signs together: the characters are spread evenly (Shannon entropy), and they do not follow each other
as the letters of words do (the share of frequent letter pairs; median 0.14 for random text, 0.69 for
identifiers of the standard library).
"""

import math
import re
from collections import Counter

_PAIRS = (
    "th he in er an re on at en nd ti es or te of ed is it al ar st to nt ng se ha as ou io le ve co me "
    "de hi ri ro ic ne ea ra ce li ch ll be ma si om ur ca el ta la ns di fo ho pe ec pr no ct us ac ot "
    "il tr ly nc et ut ss so rs un lo wa ge ie wh ee wi em ad ol rt po we na ul ni ts mo ow pa im mi ai "
    "sh ir su id os iv"
)
_FREQUENT_PAIRS = frozenset(_PAIRS.split())
"""The 105 most frequent pairs of neighbouring letters in English."""
_WORDS_BEGIN_AT = 0.40
_LETTER_RUNS = re.compile(r"[A-Za-z]{2,}")
_ONE_TOKEN = re.compile(r"[A-Za-z0-9_\-+/=.~]+")
_HEX = re.compile(r"[0-9a-fA-F]+")
_DIGIT = re.compile(r"[0-9]")
_LETTER = re.compile(r"[A-Za-z]")
_CASE_CHANGE = re.compile(r"[a-z](?=[A-Z])")
_CHANGES_PER_LETTERS = 6
_DIGITS_WITHIN = re.compile(r"(?<=[A-Za-z])[0-9]{1,3}(?=[A-Za-z])")
_LEAST_DIGITS_WITHIN = 3
"""So many digits among letters of both cases are no word's, though the letters between may resemble one."""
_NO_WORDS = 0.30
MIN_GENERATED = 16
"""Below this length the two signs say nothing."""
_DRAWN = re.compile(r"[!#-&(-\[\]-~]{32,128}")
_PATTERN = re.compile(r"\[[^\]]*\w-\w[^\]]*\]|\(\?[:=!P<]|\{\d*,?\d+\}")
_MARK = re.compile(r"[^A-Za-z0-9_./:-]")
_LEAST_MARKS, _LEAST_MARKS_AND_DIGITS = 3, 6
_DRAWN_SPREAD, _HALF_WORDS = 4.0, 0.5


def entropy(text: str) -> float:
    """Shannon entropy in bits a character; 0 for the empty text."""
    size = len(text)
    return -sum(count / size * math.log2(count / size) for count in Counter(text).values()) if size else 0.0


def word_likeness(text: str) -> float:
    """The share of neighbouring letters that are frequent in English words, 0 to 1; 0 without letters."""
    pairs = frequent = 0
    for run in _LETTER_RUNS.findall(text):
        lowered = run.lower()
        pairs += len(lowered) - 1
        frequent += sum(lowered[at : at + 2] in _FREQUENT_PAIRS for at in range(len(lowered) - 1))
    return frequent / pairs if pairs else 0.0


def spread(text: str) -> bool:
    """Whether the characters are spread as evenly as a generator would."""
    if _HEX.fullmatch(text) is not None:
        return entropy(text) >= min(3.0, math.log2(len(text)) - 1.2)
    # n random characters of a large alphabet have nearly log2(n) bits while n is small.
    return entropy(text) >= min(3.7, math.log2(len(text)) - 0.9)


def looks_generated(text: str) -> bool:
    """Whether a machine made this: one token, long, mixed, evenly spread, without words."""
    if len(text) < MIN_GENERATED or _ONE_TOKEN.fullmatch(text) is None or not spread(text):
        return False
    if _LETTER.search(text) is None:
        return False
    if _DIGIT.search(text) is None:  # letters only: then the case must change as no camel's does
        return (
            len(_CASE_CHANGE.findall(text)) * _CHANGES_PER_LETTERS >= len(text)
            and word_likeness(text) < _NO_WORDS
        )
    if _HEX.fullmatch(text) is not None or word_likeness(text) < _WORDS_BEGIN_AT:
        return True
    scattered = len(_DIGITS_WITHIN.findall(text)) >= _LEAST_DIGITS_WITHIN
    return scattered and _CASE_CHANGE.search(text) is not None and text.isalnum()


def looks_drawn(text: str) -> bool:
    """Whether a machine drew this from all that a keyboard has, as the keys of Django and WordPress are.

    No quote, blank or backslash is in it, and no part of a pattern.
    """
    if _DRAWN.fullmatch(text) is None or _PATTERN.search(text) is not None or entropy(text) < _DRAWN_SPREAD:
        return False
    marks, digits = set(_MARK.findall(text)), set(_DIGIT.findall(text))
    enough = len(marks) >= _LEAST_MARKS and len(marks | digits) >= _LEAST_MARKS_AND_DIGITS
    return enough and word_likeness(text) < _HALF_WORDS
