"""On which line of a TOML text does a key stand?

`tomllib` reads values and forgets where they were. This is a scanner, not a second parser: it is run on
texts that `tomllib` has accepted, finds where keys begin and steps over values. What it does not understand
ends the scan; it never raises, because it only serves messages.
"""

import re
import tomllib
from contextlib import suppress
from functools import lru_cache

_BLANK = re.compile(r"(?:[ \t\r\n]|#[^\n]*)*")
_SPACE = re.compile(r"[ \t]*")
_STRING = re.compile(
    r'"""(?:[^\\"]|\\.|"{1,2}(?!"))*"{3,5}'
    r"|'''(?:[^']|'{1,2}(?!'))*'{3,5}"
    r'|"(?:[^"\\\n]|\\.)*"'
    r"|'[^'\n]*'",
    re.DOTALL,
)
_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")
_SCALAR = re.compile(r"[^,\]}\n#]+")
_MAX_DEPTH = 64

Path = tuple[str, ...]


def line_of(text: str, key: tuple[str, ...]) -> int | None:
    """Find the line of a dotted key, or of the nearest table around it.

    Args:
        text: a TOML document.
        key: its parts, quoted ones unquoted; the elements of an array count from "0":
            `("cases", "2", "expect")`.

    Returns:
        A line, counted from 1; None where not even the first part is there.
    """
    lines = _lines(text)
    for length in range(len(key), 0, -1):
        line = lines.get(key[:length])
        if line is not None:
            return line
    return None


@lru_cache(maxsize=64)
def _lines(text: str) -> dict[Path, int]:
    scanner = _Scanner(text)
    with suppress(_NotUnderstoodError):
        scanner.document()
    return scanner.lines


class _NotUnderstoodError(Exception):
    """The text is not what this scanner knows as TOML."""


class _Scanner:
    def __init__(self, text: str) -> None:
        self.lines: dict[Path, int] = {}
        self._text = text
        self._at = 0
        self._counted = 0
        self._line = 1
        self._elements: dict[Path, int] = {}

    def document(self) -> None:
        table: Path = ()
        self._skip(_BLANK)
        while self._at < len(self._text):
            if self._take("[["):
                table = self._header(is_array=True)
                self._expect("]]")
            elif self._take("["):
                table = self._header(is_array=False)
                self._expect("]")
            else:
                self._pair(table, 0)
            self._skip(_BLANK)

    def _header(self, *, is_array: bool) -> Path:
        self._skip(_SPACE)
        line = self._here()
        *parents, last = self._key()
        self._skip(_SPACE)
        path: Path = ()
        for part in parents:
            path = self._newest((*path, part), line)
        path = (*path, last)
        self.lines.setdefault(path, line)
        if is_array:
            self._elements[path] = self._elements.get(path, -1) + 1
            path = (*path, str(self._elements[path]))
            self.lines[path] = line
        return path

    def _newest(self, path: Path, line: int) -> Path:
        """The path itself, or of the array's element that `[a.b]` now speaks about."""
        self.lines.setdefault(path, line)
        return (*path, str(self._elements[path])) if path in self._elements else path

    def _pair(self, table: Path, depth: int) -> None:
        line = self._here()
        path = table
        for part in self._key():
            path = (*path, part)
            self.lines.setdefault(path, line)
        self._skip(_SPACE)
        self._expect("=")
        self._skip(_SPACE)
        self._value(path, depth)

    def _key(self) -> Path:
        parts = [self._simple_key()]
        while True:
            self._skip(_SPACE)
            if not self._take("."):
                return tuple(parts)
            self._skip(_SPACE)
            parts.append(self._simple_key())

    def _simple_key(self) -> str:
        if quoted := self._match(_STRING):
            try:
                return str(tomllib.loads(f"key = {quoted}")["key"])
            except tomllib.TOMLDecodeError:
                raise _NotUnderstoodError from None
        bare = self._match(_BARE_KEY)
        if bare is None:
            raise _NotUnderstoodError
        return bare

    def _value(self, path: Path, depth: int) -> None:
        if depth > _MAX_DEPTH:
            raise _NotUnderstoodError
        if self._match(_STRING) is not None:
            return
        if self._take("{"):
            self._inline_table(path, depth)
        elif self._take("["):
            self._array(path, depth)
        elif self._match(_SCALAR) is None:
            raise _NotUnderstoodError

    def _inline_table(self, path: Path, depth: int) -> None:
        self._skip(_BLANK)
        while not self._take("}"):
            self._pair(path, depth + 1)
            self._skip(_BLANK)
            self._take(",")
            self._skip(_BLANK)

    def _array(self, path: Path, depth: int) -> None:
        index = 0
        self._skip(_BLANK)
        while not self._take("]"):
            element = (*path, str(index))
            self.lines[element] = self._here()
            self._value(element, depth + 1)
            index += 1
            self._skip(_BLANK)
            self._take(",")
            self._skip(_BLANK)

    def _here(self) -> int:
        self._line += self._text.count("\n", self._counted, self._at)
        self._counted = self._at
        return self._line

    def _match(self, pattern: re.Pattern[str]) -> str | None:
        found = pattern.match(self._text, self._at)
        if found is None:
            return None
        self._at = found.end()
        return found.group()

    def _skip(self, pattern: re.Pattern[str]) -> None:
        self._match(pattern)

    def _take(self, literal: str) -> bool:
        if not self._text.startswith(literal, self._at):
            return False
        self._at += len(literal)
        return True

    def _expect(self, literal: str) -> None:
        if not self._take(literal):
            raise _NotUnderstoodError
