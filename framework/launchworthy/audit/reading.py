"""What stands in a line and in a file? Lines become records, files become lines; a torn end is no line."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from pathlib import Path
from typing import Any, BinaryIO

from launchworthy.audit.canonical import CanonicalError, canonical, parse_canonical

TYPE_PREFIX = "launchworthy."
TYPE_SUFFIX = ".v1"
MAX_LINE = 1024 * 1024
"""A reader's own limit, far above a writer's: a file that is no audit file must not fill the memory."""

_ATTRIBUTES = frozenset(
    {"data", "id", "prev", "seq", "source", "specversion", "stream", "time", "type"},
)
_WITH_SUBJECT = _ATTRIBUTES | {"subject"}
_TIME = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]\.[0-9]{6}Z")
_DAY = slice(0, 10)
_TYPE = re.compile(r"launchworthy\.[a-z_]+\.[a-z_]+\.v1")
_REST = re.compile(
    rb'(?:,"subject":(?P<subject>"(?:[^"\\]|\\.)+"))?'
    rb',"time":"(?P<time>%b)","type":"launchworthy\.(?P<type>[a-z_]+\.[a-z_]+)\.v1"}' % _TIME.pattern.encode()
)
_TEXTS = ("id", "prev", "source", "stream")


class LineError(ValueError):
    """A line is no record; the text says why."""


@dataclass(frozen=True, slots=True)
class Record:
    """One record as it was read, the parts that tell a story; `type` is the short one: `tool.attempt`."""

    seq: int
    stream: str
    time: str
    type: str
    source: str
    subject: str | None
    data: Mapping[str, Any]


def parse_envelope(line: bytes) -> dict[str, Any]:
    """Read a line as a CloudEvents 1.0 event of this format, and nothing else.

    Raises:
        LineError: not canonical JSON, other attributes, or an attribute of another form.
    """
    try:
        value = parse_canonical(line)
    except CanonicalError as error:
        raise LineError(str(error)) from None
    if not isinstance(value, dict) or not (value.keys() == _ATTRIBUTES or value.keys() == _WITH_SUBJECT):
        raise LineError("not the attributes of a record")
    if not (type(value["seq"]) is int and isinstance(value["data"], dict) and value["specversion"] == "1.0"):
        raise LineError("an attribute of a record is of another form")
    if not all(isinstance(value[name], str) for name in _TEXTS) or not _is_moment_and_type(value):
        raise LineError("an attribute of a record is of another form")
    return value


class UsualLine:
    """Reads the lines of one stream by what must stand in them, which is most of every line.

    All attributes but data, subject, time and type are known before a line is read; where they stand in it,
    and the rest is in form, only data is left to parse. Any other line is for `parse_envelope`, which says
    what is wrong with it; both accept the same lines.
    """

    __slots__ = ("_known", "_stream")

    def __init__(self, stream: str, source: str) -> None:
        """Know the stream and the source of its records."""
        self._stream = stream.encode()
        self._known = b',"source":%b,"specversion":"1.0","stream":"%b"' % (canonical(source), self._stream)

    def parse(self, line: bytes, seq: int, prev: str) -> tuple[str, str, dict[str, Any]] | None:
        """Time, type and data of line `seq`, or None where it is not the usual one."""
        known = b',"id":"%b/%d","prev":"%b","seq":%d%b' % (self._stream, seq, prev.encode(), seq, self._known)
        at = line.rfind(known)
        rest = _REST.fullmatch(line, at + len(known)) if at > 0 else None
        if rest is None or not line.startswith(b'{"data":{') or not _is_day(rest["time"][_DAY].decode()):
            return None
        try:
            data = parse_canonical(line[len(b'{"data":') : at])
            if rest["subject"] is not None:
                parse_canonical(rest["subject"])
        except CanonicalError:
            return None
        return (rest["time"].decode(), rest["type"].decode(), data) if isinstance(data, dict) else None


def parse_record(line: bytes) -> Record:
    """Read a line for showing.

    Raises:
        LineError: as `parse_envelope`.
    """
    value = parse_envelope(line)
    return Record(
        seq=value["seq"],
        stream=value["stream"],
        time=value["time"],
        type=value["type"][len(TYPE_PREFIX) : -len(TYPE_SUFFIX)],
        source=value["source"],
        subject=value.get("subject"),
        data=value["data"],
    )


def whole_lines(file: BinaryIO) -> Iterator[tuple[bytes, bool]]:
    """The lines of a file without their newline, each with whether it is whole; only the last may not be.

    A line beyond the limit is given in part, as not whole, and nothing after it.
    """
    while line := file.readline(MAX_LINE):
        whole = line.endswith(b"\n")
        yield (line[:-1] if whole else line), whole
        if not whole:
            return


def read_records(file: BinaryIO) -> Iterator[Record]:
    """The records of a file or of a pipe; a torn end is passed over.

    Raises:
        LineError: a whole line is no record.
    """
    for line, whole in whole_lines(file):
        if whole:
            yield parse_record(line)


def audit_files(path: Path) -> tuple[Path, ...]:
    """The audit files of a directory in the order of their names, which is that of time; a file is itself."""
    return tuple(sorted(path.glob("*.jsonl"))) if path.is_dir() else (path,)


def _is_moment_and_type(value: Mapping[str, Any]) -> bool:
    time, kind, subject = value["time"], value["type"], value.get("subject", "-")
    return (
        isinstance(time, str)
        and isinstance(kind, str)
        and isinstance(subject, str)
        and subject != ""
        and _TIME.fullmatch(time) is not None
        and _is_day(time[_DAY])
        and _TYPE.fullmatch(kind) is not None
    )


@lru_cache(maxsize=64)
def _is_day(text: str) -> bool:
    """Whether a calendar has this day: whoever shows, ships or compares a record computes with it."""
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True
