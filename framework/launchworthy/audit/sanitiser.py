r"""How does somebody else's text become safe to keep and to show? One rule, for audit and operations log.

Cut to 256 characters (and 512 bytes) with the length at its end; whatever does not print (control, format,
bidi, separator, surrogate, private and unassigned characters) becomes `\u{hex}`. What comes out holds no
line break, is valid UTF-8, and is left as it is when it comes here a second time.
"""

import re
from collections.abc import Iterable

from launchworthy.vocabulary import as_number, printable

MAX_CHARACTERS = 256
MAX_BYTES = 512
"""As they are written in JSON, where a quote and a backslash take two."""
MAX_LABEL = 128
MAX_NAME = 64
MAX_WORDS = 32
MAX_WORDS_BYTES = 1024
_MARKER_BYTES = 24

_UNSAFE_IN_NAMES = re.compile(r"[^\x21-\x7e]")


def sanitise(text: str) -> str:
    """Make a text safe.

    Returns:
        At most 256 characters and 512 bytes, all of them printable; a text that was cut ends in
        `…(n characters)` with the length it had.
    """
    if len(text) <= MAX_CHARACTERS and text.isascii() and text.isprintable():
        return text
    return _bounded(text, MAX_CHARACTERS, MAX_BYTES)


def sanitise_label(text: str) -> str:
    """Make a text safe that should be short, such as a digest: at most 128 characters and bytes."""
    if 2 * len(text) <= MAX_LABEL and text.isascii() and text.isprintable():
        return text
    return _bounded(text, MAX_LABEL, MAX_LABEL)


def sanitise_name(name: str) -> str:
    """Make a name (of an argument, a header) safe as a key: at most 64 printable ASCII characters."""
    if len(name) <= MAX_NAME and name.isascii() and name.isidentifier():
        return name
    safe = _UNSAFE_IN_NAMES.sub(lambda match: as_number(match[0]), name[: MAX_NAME + 1])
    return safe if len(safe) <= MAX_NAME else safe[: MAX_NAME - 1] + "~"


def sanitise_words(words: Iterable[str]) -> tuple[str, ...]:
    """Make a list of words safe: at most 32, at most 1,024 bytes in all, then `+n more`."""
    every = tuple(sanitise(word) for word in words)
    if len(every) <= MAX_WORDS and sum(map(written_size, every)) <= MAX_WORDS_BYTES:
        return every
    kept: list[str] = []
    room = MAX_WORDS_BYTES - _MARKER_BYTES
    for word in every[: MAX_WORDS - 1]:
        room -= written_size(word)
        if room < 0:
            break
        kept.append(word)
    return (*kept, f"+{len(every) - len(kept)} more")


def _bounded(text: str, characters: int, size: int) -> str:
    safe = printable(text[: characters + 1])
    if len(text) <= characters and _fits(safe, characters, size):
        return safe
    suffix = f"…({len(text)} characters)"
    kept = safe[: characters - len(suffix)]
    while not _fits(kept + suffix, characters, size):
        kept = kept[: -max(1, len(kept) // 16)]
    return kept + suffix


def _fits(text: str, characters: int, size: int) -> bool:
    return len(text) <= characters and written_size(text) <= size


def written_size(text: str) -> int:
    """Bytes of a printable text in JSON."""
    return len(text.encode()) + text.count('"') + text.count("\\")
