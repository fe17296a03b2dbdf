"""The server under test: the production command as a child process, in an environment made for it.

Nothing of the harness's own environment reaches it, its output goes to files, and it is gone, with
everything it started, when `stop` returns.
"""

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

import httpx2

_PASSED_ON = (
    "PATH",
    "LANG",
    "LC_ALL",
    "TZ",
    "VIRTUAL_ENV",
    "COVERAGE_PROCESS_CONFIG",
    "COVERAGE_PROCESS_START",
)
"""All that a child gets of the harness's environment: how to find programs, and how to write text."""


class NotStarted(Exception):
    """The server ended, or was not ready in time. `exit_code` is None where it still ran."""

    def __init__(self, exit_code: int | None, stderr: str) -> None:
        """Hold how it ended and what it said."""
        super().__init__(f"exit {exit_code}: {stderr.strip() or 'nothing on stderr'}")
        self.exit_code = exit_code
        self.stderr = stderr


class ServerProcess:
    """`python -m <package>`, its two output files, and the ways to end it."""

    def __init__(  # noqa: PLR0913 - what a process is started with
        self,
        package: str,
        *,
        environment: Mapping[str, str],
        directory: Path,
        readiness_url: str,
        python: str = sys.executable,
        arguments: Sequence[str] = (),
        inherit_output: bool = False,
    ) -> None:
        """Name the command; nothing is started yet.

        Args:
            package: what follows `python -m`.
            environment: the `LAUNCHWORTHY_…` variables; PATH and the locale are added.
            directory: the working directory, and where `stdout.txt` and `stderr.txt` are written.
            readiness_url: `http://127.0.0.1:…/readyz`.
            python: the interpreter of the project's environment.
            arguments: further interpreter arguments, before `-m`.
            inherit_output: write errors to the terminal of the harness instead of `stderr.txt`; what is
                printed, the audit's checkpoints above all, still goes to `stdout.txt`.
        """
        self._command = [python, *arguments, "-m", package]
        own = os.environ
        passed = {name: own[name] for name in _PASSED_ON if name in own}
        self._environment = {**passed, "PYTHONUNBUFFERED": "1", **environment}
        self._directory = directory
        self._readiness_url = readiness_url
        self._inherit_output = inherit_output
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        """Start it and wait until it is ready."""
        self.start()
        self.wait_ready()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End it."""
        self.stop()

    @property
    def pid(self) -> int:
        """The process id of the running server."""
        return self._running().pid

    @property
    def running(self) -> bool:
        """Whether it has not ended."""
        return self._process is not None and self._process.poll() is None

    @property
    def stdout(self) -> str:
        """All it wrote so far."""
        return self._written("stdout.txt")

    @property
    def stderr(self) -> str:
        """All it wrote so far."""
        return self._written("stderr.txt")

    def start(self) -> None:
        """Start it in a process group of its own."""
        self._directory.mkdir(parents=True, exist_ok=True)
        with (
            (self._directory / "stdout.txt").open("ab") as out,
            (self._directory / "stderr.txt").open("ab") as err,
        ):
            self._process = subprocess.Popen(  # noqa: S603 - the command is ours
                self._command,
                env=self._environment,
                cwd=self._directory,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=None if self._inherit_output else err,
                start_new_session=True,
            )

    def wait_ready(self, timeout: float = 30.0) -> None:
        """Wait until `/readyz` says so.

        Raises:
            NotStarted: it ended first, or `timeout` seconds passed.
        """
        process = self._running()
        deadline = time.monotonic() + timeout
        with httpx2.Client(timeout=1.0, trust_env=False) as http:
            while time.monotonic() < deadline:
                if process.poll() is not None:
                    raise NotStarted(process.returncode, self.stderr)
                try:
                    if http.get(self._readiness_url).status_code == httpx2.codes.OK:
                        return
                except httpx2.TransportError:
                    pass
                time.sleep(0.02)
        raise NotStarted(None, self.stderr)

    def readiness(self) -> tuple[int, dict[str, object]]:
        """Status and body of `/readyz` now."""
        with httpx2.Client(timeout=2.0, trust_env=False) as http:
            response = http.get(self._readiness_url)
        body: dict[str, object] = response.json()
        return response.status_code, body

    def wait(self, timeout: float | None = 30.0) -> int:
        """Wait until it has ended by itself; returns its exit code.

        Args:
            timeout: seconds; None waits for ever.

        Raises:
            TimeoutError: it still runs after `timeout` seconds; it is ended then.
        """
        process = self._running()
        try:
            return process.wait(timeout)
        except subprocess.TimeoutExpired:
            self.kill()
            raise TimeoutError(f"still running after {timeout} s") from None

    def terminate(self) -> None:
        """SIGTERM, as an orchestrator sends it."""
        self._running().send_signal(signal.SIGTERM)

    def stop(self, timeout: float = 10.0) -> int | None:
        """SIGTERM, then SIGKILL for what is left of its group; returns the exit code."""
        if self._process is None:
            return None
        if self._process.poll() is None:
            self.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(timeout)
        self.kill()
        return self._process.returncode

    def kill(self) -> None:
        """SIGKILL to the group, and wait."""
        process = self._running()
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()

    def _written(self, name: str) -> str:
        path = self._directory / name
        return path.read_text(errors="replace") if path.exists() else ""

    def _running(self) -> subprocess.Popen[bytes]:
        if self._process is None:
            raise RuntimeError("the server was not started")
        return self._process
