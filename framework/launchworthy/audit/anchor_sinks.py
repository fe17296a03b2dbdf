"""Where is a checkpoint kept besides the file that it is about? On stdout, in a file, at a URL.

A newer checkpoint of a stream covers all that an older one does. So where a place is slow or dead, only the
newest of each stream waits, nothing ever queues up, and what was not taken is not lost: the next one says it
too. No anchor ever stops a record; a stream that has none is said by `audit verify`, and by a metric.
"""

import os
import sys
from collections.abc import Callable
from pathlib import Path
from threading import Condition, Thread
from typing import Protocol

from launchworthy.audit.anchors import anchor_line

_FLAGS = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC
_AGAIN_SECONDS = 5.0


class Anchor(Protocol):
    """Takes signed checkpoints."""

    def __call__(self, note: str) -> None:
        """Take one.

        Raises:
            OSError, ValueError: it was not taken.
        """

    def close(self) -> None:
        """Take what is left, for a short while, and end."""


class StdoutAnchor:
    """Prints each checkpoint: the collector of the output has it."""

    def __call__(self, note: str) -> None:
        """Print it."""
        sys.stdout.write(anchor_line(note) + "\n")
        sys.stdout.flush()

    def close(self) -> None:
        """Nothing is held."""


class FileAnchor:
    """Appends to a file that lies elsewhere: another volume, one that can only be added to."""

    def __init__(self, path: Path, *, kept: Callable[[str], None]) -> None:
        """Open it, or make it (0600).

        Args:
            path: of the file.
            kept: is told each note that was taken.

        Raises:
            OSError: it cannot be opened.
        """
        self._kept = kept
        self._descriptor = os.open(path, _FLAGS, 0o600)

    def __call__(self, note: str) -> None:
        """Append it, in one write, and wait for the disk."""
        line = anchor_line(note).encode() + b"\n"
        if os.write(self._descriptor, line) != len(line):
            raise OSError("half a checkpoint was written")
        os.fsync(self._descriptor)
        self._kept(note)

    def close(self) -> None:
        """Close the file."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1


class PostedAnchor:
    """Hands checkpoints to something slow, such as a URL, in a thread of its own.

    Attributes:
        failures: how often it was not taken.
    """

    def __init__(self, post: Callable[[str], None], *, kept: Callable[[str], None], seconds: float) -> None:
        """Begin.

        Args:
            post: hands a line over; raises `OSError` where it was not taken.
            kept: is told each note that was taken.
            seconds: how long `close` waits at most.
        """
        self.failures = 0
        self._post = post
        self._kept = kept
        self._seconds = seconds
        self._waiting: dict[str, str] = {}
        self._condition = Condition()
        self._closing = False
        self._thread = Thread(target=self._run, name="audit-anchor", daemon=True)
        self._thread.start()

    def __call__(self, note: str) -> None:
        """Let it wait for its turn, instead of an older one of the same stream."""
        with self._condition:
            self._waiting[note.partition("\n")[0]] = note
            self._condition.notify()

    def close(self) -> None:
        """Hand over what waits, once more, and end."""
        with self._condition:
            self._closing = True
            self._condition.notify()
        self._thread.join(self._seconds)

    def _run(self) -> None:
        while True:
            with self._condition:
                while not self._waiting and not self._closing:
                    self._condition.wait()
                batch, self._waiting = self._waiting, {}
                closing = self._closing
            for origin, note in batch.items():
                self._hand_over(origin, note)
            if closing:
                return
            if self._waiting:
                with self._condition:
                    self._condition.wait(_AGAIN_SECONDS)

    def _hand_over(self, origin: str, note: str) -> None:
        try:
            self._post(anchor_line(note))
            self._kept(note)
        except OSError:
            self.failures += 1
            with self._condition:
                self._waiting.setdefault(origin, note)  # unless a newer one waits by now
