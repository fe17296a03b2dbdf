"""What does a TOML file say that people wrote? Bytes in; data as JSON knows it, or every problem, out."""

import datetime as dt
import re
import tomllib
from collections.abc import Iterator
from typing import Any

from launchworthy.manifest.hidden import find_hidden
from launchworthy.manifest.mistakes import SourceFile
from launchworthy.vocabulary import Problem, ProblemError

MAX_FILE = 1024 * 1024
LARGEST = 2.0**63
"""TOML's integers have 64 bits; `inf` and `nan` are not in JSON at all."""
_LINE = re.compile(r"\(at line (\d+)")


def read_toml(path: str, content: bytes, *, topic: str) -> tuple[SourceFile, dict[str, Any]]:
    """Read a file as TOML in which nothing is hidden.

    Args:
        path: as people name it.
        content: the whole file.
        topic: what `launchworthy explain` calls its fields.

    Returns:
        The text, for the lines of later problems, and its data; dates and times are text as in JSON.

    Raises:
        ProblemError: `not-utf8`, `not-toml` or `hidden-character`.
    """
    if len(content) > MAX_FILE:
        raise ProblemError(_unreadable(path, "not-toml", f"is larger than {MAX_FILE} bytes", "split it"))
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise ProblemError(
            _unreadable(f"{path}:{line}", "not-utf8", "is not UTF-8", "save the file as UTF-8")
        ) from None
    source = SourceFile(path=path, text=text, topic=topic)
    data = _parse(source)
    problems = tuple(hidden_characters(source)) or tuple(_hidden_values(source, data, ()))
    if problems:
        raise ProblemError(*problems)
    return source, data


def hidden_characters(source: SourceFile) -> Iterator[Problem]:
    """Tell every hidden character of a text that people review, comments included."""
    for hidden in find_hidden(source.text):
        where = f"{source.path}:{hidden.line}"
        yield _unreadable(
            where,
            "hidden-character",
            f"holds {hidden.name} in column {hidden.column}",
            "take the character out",
        )


def _parse(source: SourceFile) -> dict[str, Any]:
    try:
        data = tomllib.loads(source.text.replace("\r\n", "\n"))
    except ValueError as error:
        line = _LINE.search(str(error))
        where = f"{source.path}:{line[1]}" if line else source.path
        told = _LINE.split(str(error))[0].strip()
        raise ProblemError(
            _unreadable(where, "not-toml", f"is no TOML: {told[:1].lower()}{told[1:]}", "correct it")
        ) from None
    except RecursionError:
        raise ProblemError(
            _unreadable(source.path, "not-toml", "is nested too deeply", "flatten it")
        ) from None
    return {key: _as_json(value) for key, value in data.items()}


def _as_json(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _as_json(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_as_json(inner) for inner in value]
    if isinstance(value, dt.date | dt.time):
        return value.isoformat()
    return value


def _hidden_values(source: SourceFile, value: Any, key: tuple[str, ...]) -> Iterator[Problem]:
    """What only the data shows: hidden characters that were escapes, numbers that are none in JSON."""
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from _hidden_values(source, name, (*key, name))
            yield from _hidden_values(source, inner, (*key, name))
    elif isinstance(value, list):
        for number, inner in enumerate(value):
            yield from _hidden_values(source, inner, (*key, str(number)))
    elif isinstance(value, str):
        for hidden in find_hidden(value):
            what = f"writes {hidden.name} as an escape"
            yield source.problem("hidden-character", key, what, "take the character out")
    elif isinstance(value, int | float) and not abs(value) < LARGEST:
        yield source.problem(
            "bad-value", key, f"has a number in `{key[-1]}` that is none in JSON", "correct it"
        )


def _unreadable(where: str, reason: str, what: str, fix: str) -> Problem:
    return Problem(reason=reason, where=where, what=what, fix=(fix,))
