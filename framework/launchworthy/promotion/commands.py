"""How does the gate run a program that starts others? In a group of its own, which ends as a whole.

Whoever is interrupted kills the group; so does a time that is over. What runs in a thread is ended from
outside, by `end`.
"""

import os
import signal
import subprocess
import threading
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from launchworthy.promotion.interruption import undisturbed


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """How a program ended.

    Attributes:
        code: its exit code.
        stdout: all that it printed.
        stderr: all that it complained about.
    """

    code: int
    stdout: bytes
    stderr: bytes


class Commands:
    """Programs of one run of the gate; none of them outlives `end`."""

    def __init__(self) -> None:
        """Nothing runs yet."""
        self._lock = threading.Lock()
        self._running: set[subprocess.Popen[bytes]] = set()
        self._ended = False

    def run(self, command: list[str], *, cwd: Path, env: Mapping[str, str], seconds: float) -> Done:
        """Run one to its end.

        Raises:
            TimeoutError: it took longer; it and what it started are gone.
            InterruptedError: `end` came first.
        """
        process: subprocess.Popen[bytes] | None = None
        try:
            with undisturbed():
                process = self._start(command, cwd, env)
            stdout, stderr = process.communicate(timeout=seconds)
        except subprocess.TimeoutExpired:
            raise TimeoutError(f"took longer than {seconds:.0f} s") from None
        finally:
            if process is not None:
                self._kill(process)
        with self._lock:
            if self._ended:
                raise InterruptedError("the gate is ending")
        return Done(code=process.returncode, stdout=stdout, stderr=stderr)

    def end(self) -> None:
        """Kill all that runs, and start no more; from any thread."""
        with self._lock:
            self._ended = True
            running = tuple(self._running)
        for process in running:
            _kill_group(process)

    def _start(self, command: list[str], cwd: Path, env: Mapping[str, str]) -> "subprocess.Popen[bytes]":
        with self._lock:
            if self._ended:
                raise InterruptedError("the gate is ending")
            process = subprocess.Popen(  # noqa: S603 - a program of ours, found outside the project
                command,
                cwd=cwd,
                env=env,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                start_new_session=True,
            )
            self._running.add(process)
            return process

    def _kill(self, process: "subprocess.Popen[bytes]") -> None:
        """Kill what is left of its group, and forget it."""
        _kill_group(process)
        process.wait()
        for pipe in (process.stdout, process.stderr):
            if pipe is not None:
                pipe.close()
        with self._lock:
            self._running.discard(process)


def _kill_group(process: "subprocess.Popen[bytes]") -> None:
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
