"""How is a record written that is written for every call? As its model would, in a third of the time.

For each kind of field there is a writer for values that its validator leaves as they are. Where a record
holds nothing else, its canonical JSON is put together from theirs. Where it does (too long, not plain ASCII,
a quote, another type, a missing field), the model makes it, or refuses to. So nothing can be said here that
could not be said there, and the bytes are the same (a test compares them).

Whether texts are plain is asked once, of all of them together.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final, Literal, NamedTuple, get_args, get_origin, get_type_hints

from launchworthy.audit.canonical import MAX_INTEGER
from launchworthy.audit.events.event import (
    MAX_CLIENT_SAYS,
    Arguments,
    ClientSays,
    Count,
    Event,
    Label,
    Record,
    Text,
    Words,
)
from launchworthy.audit.sanitiser import (
    MAX_CHARACTERS,
    MAX_LABEL,
    MAX_NAME,
    MAX_WORDS,
    MAX_WORDS_BYTES,
)
from launchworthy.vocabulary import Reason

_Writer = Callable[[Any, list[str]], str | None]
"""Returns canonical JSON of a value, if the texts that it adds to the list are plain; else None."""


class _Field(NamedTuple):
    """One field, in the order in which it is written.

    `longest` is of a text; 0 is any other field, which `write` writes. A field that is `left_out` when it has
    no value has None for its default; another is left out when what it says is `usual`.
    """

    name: str
    begins: str
    left_out: bool
    usual: str | None
    longest: int
    write: _Writer


@dataclass(frozen=True, slots=True)
class SwiftRecord:
    """A record that is written already; stands for an event of `event`.

    Attributes:
        event: the model.
        data: canonical JSON of its fields.
    """

    event: type[Event]
    data: bytes
    stranger = None
    weight = 1

    @property
    def type(self) -> str:
        """The name of the model."""
        return self.event.type

    def written(self) -> bytes:
        """Canonical JSON of what it says."""
        return self.data


def swiftly(event: type[Event], said: Mapping[str, Any]) -> Record:
    """Write a record of a caller that is known, or make its event where that takes the model.

    Args:
        event: the model; its `stranger` is None for what is said.
        said: its fields, as for the model itself.

    Raises:
        ValidationError: as the model does.
    """
    texts: list[str] = []
    plan = _plan(event, tuple(said))
    parts = _parts(plan, said, texts) if plan is not None else None
    if parts is None or not _all_plain("".join(texts)):
        return event(**said)
    return SwiftRecord(event, f"{{{','.join(parts)}}}".encode("ascii"))


def _parts(plan: tuple[_Field, ...], said: Mapping[str, Any], texts: list[str]) -> list[str] | None:
    parts: list[str] = []
    for name, begins, left_out, usual, longest, write in plan:
        value = said[name]
        if longest and type(value) is str and len(value) <= longest:
            texts.append(value)
            parts.append(f'{begins}"{value}"')
        elif value is not None or not left_out:
            written = write(value, texts)
            if written is None:
                return None
            if written != usual:
                parts.append(begins + written)
    return parts


def _all_plain(text: str) -> bool:
    """Whether a text is the same in JSON, and no sanitiser would change it."""
    return text.isascii() and text.isprintable() and '"' not in text and "\\" not in text


@lru_cache(maxsize=128)
def _plan(event: type[Event], said: tuple[str, ...]) -> tuple[_Field, ...] | None:
    """What to write where these fields are said; None where one is missing, or unheard of."""
    hints = get_type_hints(event, include_extras=True)
    if not set(said) <= set(event.model_fields):
        return None
    fields = []
    for name, field in sorted(event.model_fields.items()):
        if name not in said:
            if field.is_required():
                return None
            continue
        required = field.is_required()
        default = None if required else field.get_default(call_default_factory=True)
        left_out = default is None and not required
        write = _writer_of(hints[name])
        usual = None if default is None else write(default, [])
        longest = _longest(hints[name]) if default is None else 0
        fields.append(_Field(name, f'"{name}":', left_out, usual, longest, write))
    return tuple(fields)


def _longest(hint: Any) -> int:
    longest = {Text: MAX_CHARACTERS, Label: MAX_LABEL}
    return next((size for kind, size in longest.items() if hint in {kind, kind | None}), 0)


def _writer_of(hint: Any) -> _Writer:
    if get_origin(hint) is Literal:
        words = frozenset(get_args(hint))
        return lambda value, _: f'"{value}"' if type(value) is str and value in words else None
    return next((writer for kind, writer in _WRITERS if hint in {kind, kind | None}), lambda *_: None)


def _words(value: Any, _: list[str]) -> str | None:
    kind = type(value)
    if kind is not tuple and kind is not frozenset:
        return None
    try:
        return _list_of(value) if value else "[]"
    except TypeError:  # what has no hash is no word
        return None


@lru_cache(maxsize=256)
def _list_of(words: tuple[Any, ...] | frozenset[Any]) -> str | None:
    """Scopes, rules and actors: the same few lists are in most records."""
    if len(words) > MAX_WORDS or not all(type(word) is str and len(word) <= MAX_CHARACTERS for word in words):
        return None
    joined = '","'.join(sorted(words) if isinstance(words, frozenset) else words)
    plain = _all_plain("".join(words)) and len(joined) <= MAX_WORDS_BYTES
    return f'["{joined}"]' if plain else None


def _count(value: Any, _: list[str]) -> str | None:
    return str(value) if type(value) is int and 0 <= value <= MAX_INTEGER else None


def _arguments(value: Any, texts: list[str]) -> str | None:
    if type(value) is not dict:
        return None
    written = []
    for name in _sorted(value):
        if not _is_name(name) or type(value[name]) is not dict:
            return None
        shown = _scalars(value[name], texts)
        if shown is None:
            return None
        written.append(f'"{name}":{shown}')
    return f"{{{','.join(written)}}}"


def _client_says(value: Any, _: list[str]) -> str | None:
    if type(value) is not dict or len(value) > MAX_CLIENT_SAYS:
        return None
    for name, said in value.items():
        if type(said) is not str or len(said) > MAX_LABEL or type(name) is not str or len(name) > MAX_NAME:
            return None
    return _object_of(tuple(value.items()))


@lru_cache(maxsize=256)
def _object_of(said: tuple[tuple[str, str], ...]) -> str | None:
    """What clients say of themselves: each says the same of itself in every request."""
    texts: list[str] = []
    written = _scalars(dict(said), texts)
    return written if _all_plain("".join(texts)) else None


def _scalars(shown: dict[Any, Any], texts: list[str]) -> str | None:
    written = []
    for key in _sorted(shown):
        item = shown[key]
        kind = type(item)
        if kind is str:
            texts.append(item)
            text = f'"{item}"'
        elif kind is int and -MAX_INTEGER <= item <= MAX_INTEGER:
            text = str(item)
        elif kind is bool:
            text = "true" if item else "false"
        elif item is None:
            text = "null"
        else:
            return None
        if not _is_name(key):
            return None
        written.append(f'"{key}":{text}')
    return f"{{{','.join(written)}}}"


def _is_name(name: Any) -> bool:
    return type(name) is str and len(name) <= MAX_NAME and name.isascii() and name.isidentifier()


def _sorted(value: dict[Any, Any]) -> Any:
    if len(value) < 2:  # noqa: PLR2004 - nothing to put in order
        return value
    return sorted(value) if all(type(name) is str for name in value) else value


def _reason(value: Any, _: list[str]) -> str | None:
    return f'"{value.value}"' if type(value) is Reason else None


def _yes_or_no(value: Any, _: list[str]) -> str | None:
    return ("true" if value else "false") if type(value) is bool else None


_WRITERS: Final[tuple[tuple[Any, _Writer], ...]] = (
    (Words, _words),
    (Count, _count),
    (Arguments, _arguments),
    (ClientSays, _client_says),
    (Reason, _reason),
    (bool, _yes_or_no),
)
