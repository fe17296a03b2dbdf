"""How does a page look? Labels at the left edge, text beside them, at most 98 columns."""

import textwrap
from collections.abc import Iterable, Iterator

WIDTH = 98
_INDENT = 10
_MAX_KIND = 24


def labelled(label: str, *paragraphs: str) -> Iterator[str]:
    """A label and its text; further paragraphs stand below the first. Ends with an empty line."""
    for number, paragraph in enumerate(paragraphs):
        lead = f" {label:<{_INDENT - 3}}  " if number == 0 else " " * _INDENT
        yield from wrapped(paragraph, lead, " " * _INDENT)
    yield ""


def wrapped(text: str, first: str, rest: str) -> Iterator[str]:
    """Text in lines; nothing is broken in the middle of a word, so that it can be pasted."""
    yield from textwrap.wrap(
        text,
        WIDTH,
        initial_indent=first,
        subsequent_indent=rest,
        break_long_words=False,
        break_on_hyphens=False,
    ) or [first.rstrip()]


def fields(rows: Iterable[tuple[str, str, str]], *, indent: str = " ") -> Iterator[str]:
    """Names, types and what they mean, one a row; a long type has lines of its own."""
    listed = list(rows)
    if not listed:
        return
    name_width = max(len(name) for name, _, _ in listed)
    kind_width = max((len(kind) for _, kind, _ in listed if len(kind) <= _MAX_KIND), default=0)
    after_name = " " * (len(indent) + name_width + 2)
    margin = after_name + " " * (kind_width + 2)
    for name, kind, meaning in listed:
        lead = f"{indent}{name:<{name_width}}  "
        if len(kind) > kind_width:
            yield from wrapped(kind, lead, after_name)
            yield from wrapped(meaning, margin, margin) if meaning else ()
        else:
            yield from wrapped(meaning, f"{lead}{kind:<{kind_width}}  ", margin)
