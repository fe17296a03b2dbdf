"""How is a key of a TOML file renamed, and every comment and blank kept? Line by line, and then proved.

What comes out is parsed again: it must hold what the file held, under the new key, or nothing is changed.
"""

import json
import re
import tomllib
from collections.abc import Iterator
from typing import Any, Final

_HEADER: Final = re.compile(r"^(\s*\[\[?)([^\[\]]+)(\]\]?\s*(?:#.*)?)$")
_BARE: Final = re.compile(r"[A-Za-z0-9_-]+")


class NotRenamedError(Exception):
    """A key could not be renamed; the text says why, as the end of a sentence about the file."""


def rename_key(text: str, table: tuple[str, ...], before: str, after: str) -> str:
    """The text with one key renamed wherever it stands in such tables; the same text where it stands nowhere.

    Args:
        text: of a TOML file.
        table: the keys that lead to it, `*` for any one.
        before: the key.
        after: the key then.

    Raises:
        NotRenamedError: it is no TOML, holds both keys, or writes the key as only a person can change it.
    """
    try:
        held = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise NotRenamedError(f"is no TOML: {error}") from error
    found = [each for each in _tables(held, table) if before in each]
    if not found:
        return text
    for each in found:
        if after in each:
            raise NotRenamedError(f"has both `{before}` and `{after}` in [{'.'.join(table)}]")
        each[after] = each.pop(before)
    renamed = "".join(_lines(text, table, before, after))
    try:
        same = tomllib.loads(renamed) == held
    except tomllib.TOMLDecodeError:
        same = False
    if not same:
        raise NotRenamedError(
            f"writes `{before}` of [{'.'.join(table)}] in a way that only a person can change"
        )
    return renamed


def _tables(held: Any, table: tuple[str, ...]) -> Iterator[dict[str, Any]]:
    """Every table that the keys lead to."""
    if isinstance(held, list):
        for each in held:
            yield from _tables(each, table)
    elif isinstance(held, dict) and not table:
        yield held
    elif isinstance(held, dict):
        for key, value in held.items():
            if table[0] in {"*", key}:
                yield from _tables(value, table[1:])


def _lines(text: str, table: tuple[str, ...], before: str, after: str) -> Iterator[str]:
    written = re.compile(
        rf"^(\s*)(?:{re.escape(before)}|\"{re.escape(before)}\"|'{re.escape(before)}')(?=\s*[=.])"
    )
    here: tuple[str, ...] = ()
    for line in text.splitlines(keepends=True):
        header = _HEADER.match(line.rstrip("\r\n"))
        path = _path(header[2]) if header is not None else None
        if header is None or path is None:
            yield written.sub(lambda found: found[1] + _key(after), line) if _leads(here, table) else line
            continue
        here = path
        if len(path) > len(table) and _leads(path[: len(table)], table) and path[len(table)] == before:
            keys = (*path[: len(table)], after, *path[len(table) + 1 :])
            ending = line[len(line.rstrip("\r\n")) :]
            yield header[1] + ".".join(map(_key, keys)) + header[3] + ending
        else:
            yield line


def _leads(path: tuple[str, ...], table: tuple[str, ...]) -> bool:
    return len(path) == len(table) and all(want in {"*", key} for key, want in zip(path, table, strict=True))


def _path(header: str) -> tuple[str, ...] | None:
    """The keys of a header; None where the line only looks like one."""
    try:
        inner: Any = tomllib.loads(f"[{header}]")
    except tomllib.TOMLDecodeError:
        return None
    keys: list[str] = []
    while inner:
        [(key, inner)] = inner.items()
        keys.append(key)
    return tuple(keys)


def _key(name: str) -> str:
    return name if _BARE.fullmatch(name) else json.dumps(name, ensure_ascii=False)
