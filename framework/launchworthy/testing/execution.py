"""Did a tool run? The inner enforcement point writes one byte here as the last thing before a body."""

import os
from pathlib import Path
from typing import Self


class ExecutionPipe:
    """A named pipe that counts how often a body was entered, whatever the team's code says."""

    def __init__(self, path: Path) -> None:
        """Make the pipe; it is opened for both ends, so that neither side ever waits."""
        os.mkfifo(path, 0o600)
        self.path = path
        self._read = os.open(path, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)

    def __enter__(self) -> Self:
        """Nothing more to do."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close it."""
        self.close()

    def taken(self) -> int:
        """How many bodies were entered since the last time this was asked."""
        entered = 0
        while True:
            try:
                chunk = os.read(self._read, 65536)
            except BlockingIOError:
                return entered
            entered += len(chunk)

    def close(self) -> None:
        """Close and remove the pipe."""
        os.close(self._read)
        self.path.unlink(missing_ok=True)
