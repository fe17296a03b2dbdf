"""A real server of Valkey or Redis on loopback, started and stopped by the tests."""

import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from launchworthy.testing.waiting import free_port

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "unit" / "state"))
SERVER = shutil.which("valkey-server") or shutil.which("redis-server")


class Running:
    """One server; `port` stays the same when it is started again."""

    def __init__(self, directory: Path, *options: str) -> None:
        self.port = free_port()
        self._directory = directory
        self._options = options
        self.start()

    def start(self) -> None:
        assert SERVER is not None
        self.process = subprocess.Popen(
            [SERVER, "--bind", "127.0.0.1", "--port", str(self.port), "--save", "", "--appendonly", "no",
             "--dir", str(self._directory), "--repl-diskless-sync-delay", "0", *self._options],
            stdout=subprocess.DEVNULL,
        )  # fmt: skip
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline:
            try:
                if self.ask("PING").startswith((b"+PONG", b"-NOAUTH")):
                    return
            except OSError:
                time.sleep(0.02)
        raise TimeoutError("the store does not start")

    def ask(self, *words: str) -> bytes:
        """One command over a plain socket: what somebody else would write."""
        said = b"*%d\r\n" % len(words)
        said += b"".join(b"$%d\r\n%s\r\n" % (len(each.encode()), each.encode()) for each in words)
        with socket.create_connection(("127.0.0.1", self.port), timeout=2) as connection:
            connection.sendall(said)
            return connection.recv(65536)

    def stop(self) -> None:
        self.process.kill()
        self.process.wait()


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def run(tmp_path: Path) -> Iterator[Callable[..., Running]]:
    if SERVER is None:
        pytest.skip("neither valkey-server nor redis-server is installed: apt-get install redis-server")
    with ExitStack() as stack:

        def start(*options: str) -> Running:
            made = Running(tmp_path, *options)
            stack.callback(made.stop)
            return made

        yield start
