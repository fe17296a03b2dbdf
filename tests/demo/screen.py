"""What is on the screen while the demo runs? A line as soon as it is known, a mark when a step is done."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console
from rich.text import Text

_NAME, _WHAT, _LINE = 14, 36, 92


class StepFailedError(Exception):
    """A step does not do what it says; holds what was expected."""


class Screen:
    """Rich on a terminal, plain lines in a pipe; the log of every step goes to a file besides."""

    def __init__(self, logs: Path) -> None:
        """Write logs below this folder."""
        self._console = Console(highlight=False, soft_wrap=True, width=None if sys.stdout.isatty() else 100)
        self._logs = logs
        self._number = 0
        self._pending: str | None = None
        self._first = True
        self.log = logs / "start.txt"

    def title(self, text: str) -> None:
        """The headline."""
        self._console.print(f"\n [bold]{text}[/bold]\n")

    def say(self, text: str) -> None:
        """A line that belongs to no step."""
        self._console.print(Text(f" {text}"))

    @contextmanager
    def step(self, name: str) -> Iterator["Screen"]:
        """One step: its lines, then the time it took and its mark."""
        self._number += 1
        self._first, self._pending = True, None
        self.name = name
        self.log = self._logs / f"{self._number}-{name}.txt"
        began = time.monotonic()
        try:
            yield self
        except StepFailedError:
            self._flush(f"{time.monotonic() - began:.1f} s", done=False)
            raise
        self._flush(f"{time.monotonic() - began:.1f} s", done=True)

    def line(self, what: str, outcome: str) -> None:
        """One thing that was done, and what came of it."""
        if self._pending is not None:
            self._console.print(Text(self._pending))
        lead = f"{self._number:>3} {self.name:<{_NAME - 4}}" if self._first else " " * _NAME
        self._first = False
        self._pending = f"{lead}{what:<{_WHAT - 1}} {outcome}"

    def fail(self, what: str, seen: str, expected: str) -> None:
        """Show what is not as it should be, and end the step.

        Raises:
            StepFailedError: always.
        """
        self.line(what, f"{seen}  expected {expected}")
        raise StepFailedError(expected)

    @property
    def number(self) -> int:
        """The step that runs, or ran last."""
        return self._number

    def _flush(self, took: str, *, done: bool) -> None:
        text = Text(self._pending or "")
        text.pad_right(max(1, _LINE - len(text) - len(took)))
        text.append(took, style="dim")
        text.append("  ✓" if done else "  ✗", style="bold green" if done else "bold red")
        self._console.print(text)
        self._pending = None
