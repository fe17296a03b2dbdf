"""What does the server tell the people who run it? The operations log: structlog, safe whatever is logged.

`configure` is called before anything else is. From then on everything that logs, ours, the SDK's, the
server's and the team's, through structlog or the standard library, goes the same way:

1. only plain values are shown; of anything else its type, so no claim set, header or token is formatted
2. of an exception its type and where it passed: never the local variables, and its text, which may hold
   whatever it was about, in development only (elsewhere the system's own words for what the system refused)
3. tokens and keys are scrubbed, then the one sanitiser of `audit.sanitiser` makes every text safe
4. one line: JSON in ASCII, or with `readable` a line for a terminal

It is no part of the audit and cannot touch it: the audit knows neither structlog nor logging levels, and what
is configured here, or later by a library, changes no record. A log that cannot be written never stops a call.
"""

import json
import logging
import math
import sys
import traceback
from collections.abc import Callable, Mapping, MutableMapping
from enum import Enum
from pathlib import PurePath
from typing import Any, TextIO, cast

import structlog
from structlog.typing import FilteringBoundLogger

from launchworthy.audit.canonical import MAX_INTEGER
from launchworthy.audit.moment import rfc3339
from launchworthy.audit.sanitiser import sanitise, sanitise_name
from launchworthy.audit.scrubber import Scrubber

_MAX_SCRUBBED = 8192
_MAX_ITEMS = 32
_MAX_DEPTH = 4
_MAX_FRAMES = 20
_MAX_CAUSES = 4
_Event = MutableMapping[str, Any]


class OperationsLog:
    """Where log lines go, and the loggers that lead there.

    Attributes:
        scrubber: counts what should never have come here.
        lost: lines that could not be written.
    """

    def __init__(self, output: TextIO, *, readable: bool, level: int, clock: Callable[[], int]) -> None:
        """Write to `output`; use `configure`, which also catches what others log."""
        self.scrubber = Scrubber()
        self.lost = 0
        self._output = output
        self._readable = readable
        self._clock = clock
        self._processors = (
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            self._render,
        )
        self._wrapper = structlog.make_filtering_bound_logger(level)

    def logger(self, **bound: object) -> FilteringBoundLogger:
        """A logger that no later `structlog.configure` can redirect or silence."""
        wrapped = structlog.wrap_logger(
            _Sink(self),
            processors=self._processors,
            wrapper_class=self._wrapper,
            context_class=dict,
            cache_logger_on_first_use=True,
        )
        return cast("FilteringBoundLogger", wrapped.bind(**bound))

    def write(self, line: str) -> None:
        """Write one line; one that cannot be written is counted."""
        try:
            self._output.write(line + "\n")
            self._output.flush()
        except (OSError, ValueError):
            self.lost += 1

    def use_for_structlog(self) -> None:
        """Make this what `structlog.get_logger()` leads to."""
        structlog.configure(
            processors=self._processors,
            wrapper_class=self._wrapper,
            context_class=dict,
            logger_factory=lambda *_: _Sink(self),
            cache_logger_on_first_use=False,
        )

    def message(self, record: logging.LogRecord) -> str:
        """The message of a standard log record; its arguments are made safe before they are put in."""
        template = record.msg if isinstance(record.msg, str) else str(self._safe(record.msg, _MAX_DEPTH))
        if not record.args:
            return template
        try:
            if isinstance(record.args, Mapping):
                return template % {name: self._safe(value, _MAX_DEPTH) for name, value in record.args.items()}
            return template % tuple(self._safe(value, _MAX_DEPTH) for value in record.args)
        except (TypeError, ValueError, KeyError):
            return f"{template} (its arguments do not fit)"

    def line(self, event: Mapping[str, Any]) -> str:
        """One safe line for an event."""
        safe = {sanitise_name(name): self._safe(value, _MAX_DEPTH) for name, value in _ordered(event).items()}
        text = _readable(safe) if self._readable else json.dumps(safe, ensure_ascii=True, allow_nan=False)
        return self.scrubber.scrub(text)

    def told(self, failure: BaseException) -> list[dict[str, object]]:
        """An exception and its causes, outermost first, without any value."""
        return _told(failure, _message if self._readable else _plain_message)

    def _render(self, _logger: object, _method: str, event: _Event) -> str:
        """The last processor: from what was logged to the line."""
        failure = _failure(event.pop("exc_info", None))
        if failure is not None:
            event["exception"] = self.told(failure)
        event.pop("stack_info", None)
        return self.line({"time": rfc3339(self._clock()), **event})

    def _safe(self, value: object, depth: int) -> object:
        """A value as it may be shown."""
        text = _text(value, _message if self._readable else _plain_message)
        if text is not None:
            return sanitise(self.scrubber.scrub(text[:_MAX_SCRUBBED]))
        if value is None or isinstance(value, int | float):
            return _number(value)
        if depth and isinstance(value, Mapping):
            items = list(value.items())[:_MAX_ITEMS]
            return {
                sanitise_name(name if isinstance(name, str) else type(name).__name__): self._safe(
                    item, depth - 1
                )
                for name, item in items
            }
        if depth and isinstance(value, list | tuple | set | frozenset):
            return [self._safe(item, depth - 1) for item in list(value)[:_MAX_ITEMS]]
        return f"<{sanitise_name(type(value).__qualname__)}>"


class _Sink:
    """What structlog calls with the rendered line, whatever the level's name."""

    def __init__(self, log: OperationsLog) -> None:
        self._log = log

    def msg(self, line: str) -> None:
        self._log.write(line)

    log = debug = info = warn = warning = error = critical = fatal = exception = failure = err = msg


class _Handler(logging.Handler):
    """Brings what the standard library's loggers say the same way."""

    def __init__(self, log: OperationsLog, clock: Callable[[], int]) -> None:
        super().__init__()
        self._log = log
        self._clock = clock

    def emit(self, record: logging.LogRecord) -> None:
        """Write a record."""
        event: dict[str, Any] = {
            "time": rfc3339(self._clock()),
            "event": self._log.message(record),
            "level": record.levelname.lower(),
            "logger": record.name,
        }
        failure = _failure(record.exc_info)
        if failure is not None:
            event["exception"] = self._log.told(failure)
        self._log.write(self._log.line(event))


def configure(
    output: TextIO, *, readable: bool, clock: Callable[[], int], level: int = logging.INFO
) -> OperationsLog:
    """Set up the operations log of this process; to be called before anything else is.

    Args:
        output: usually `sys.stderr`.
        readable: lines for a terminal (development) rather than JSON (everywhere else).
        clock: nanoseconds since the epoch.
        level: the least that is shown.
    """
    log = OperationsLog(output, readable=readable, level=level, clock=clock)
    log.use_for_structlog()
    root = logging.getLogger()
    for handler in root.handlers[:]:
        root.removeHandler(handler)
    root.addHandler(_Handler(log, clock))
    root.setLevel(level)
    logging.raiseExceptions = False
    return log


def _ordered(event: Mapping[str, Any]) -> dict[str, Any]:
    """Time, level and event first."""
    first = {name: event[name] for name in ("time", "level", "event") if name in event}
    return {**first, **event}


def _readable(event: Mapping[str, object]) -> str:
    """`03:02:11.482 info    ready  resource=…`."""
    time, level, what = event.get("time", ""), event.get("level", ""), event.get("event", "")
    rest = (
        f"{name}={_plain(value)}" for name, value in event.items() if name not in ("time", "level", "event")
    )
    return "  ".join((f"{str(time)[11:23]} {level!s:<8} {what}", *rest))


def _plain(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=True)


def _failure(info: object) -> BaseException | None:
    """The exception that is meant by `exc_info`, in any of its forms."""
    if isinstance(info, BaseException):
        return info
    if isinstance(info, tuple):
        return cast("BaseException | None", info[1])
    return sys.exc_info()[1] if info else None


def _text(value: object, message: Callable[[BaseException], str]) -> str | None:
    """The text of what is one; no other value's own idea of a text is asked for, it might hold a secret."""
    if isinstance(value, Enum):
        return str(value.value)
    if isinstance(value, BaseException):
        return f"{type(value).__qualname__}: {message(value)}".removesuffix(": ")
    return str(value) if isinstance(value, str | PurePath) else None


def _number(value: float | None) -> float | str | None:
    """A number that JSON can hold; others as text."""
    if value is None or isinstance(value, bool) or (isinstance(value, int) and abs(value) <= MAX_INTEGER):
        return value
    if isinstance(value, int):
        return hex(value)[:_MAX_ITEMS]
    return value if math.isfinite(value) else str(value)


def _message(failure: BaseException) -> str:
    """What an exception was given as text and numbers; `str()` of one may show what it was about."""
    return "; ".join(str(part) for part in failure.args if isinstance(part, str | int))


def _plain_message(failure: BaseException) -> str:
    """What the system has said of what it refused; any other text may be about a secret."""
    return failure.strerror or "" if isinstance(failure, OSError) else ""


def _told(failure: BaseException, message: Callable[[BaseException], str]) -> list[dict[str, object]]:
    """An exception and its causes, outermost first: type, message, and where it passed, without any value."""
    told: list[dict[str, object]] = []
    current: BaseException | None = failure
    while current is not None and len(told) < _MAX_CAUSES:
        frames = traceback.extract_tb(current.__traceback__)[-_MAX_FRAMES:]
        told.append(
            {
                "type": type(current).__qualname__,
                **({"message": message(current)} if message(current) else {}),
                "where": [f"{PurePath(frame.filename).name}:{frame.lineno} {frame.name}" for frame in frames],
            }
        )
        current = current.__cause__ or (None if current.__suppress_context__ else current.__context__)
    return told
