"""What is a receiver of records? One method, which returns when the records are its own business."""

from dataclasses import dataclass
from typing import Protocol

from launchworthy.audit.reading import Record


class SinkUnavailable(Exception):
    """The receiver does not take records now; the text says why, without any record."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A record as it was read.

    Attributes:
        raw: the bytes of its line, without the newline: what the chain is about.
        record: the same, parsed.
    """

    raw: bytes
    record: Record


class Sink(Protocol):
    """A receiver."""

    def send(self, lines: tuple[Line, ...]) -> None:
        """Hand records over, in their order; when this returns they were taken.

        They may come a second time, after a failure: `stream` and `seq` tell.

        Raises:
            SinkUnavailable: it is not known that all were taken.
        """

    def close(self) -> None:
        """Let go of connections; may be called again."""
