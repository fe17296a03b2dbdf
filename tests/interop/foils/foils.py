"""Servers that teams would write otherwise, each in its own process beside a simulated issuer."""

import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from launchworthy.testing.issuer import SimulatedIssuer
from launchworthy.testing.world import free_port, wait_until

HERE = Path(__file__).parent
ADD = 'add={"a": 1, "b": 2, "note": "three"}'


@dataclass(frozen=True)
class Foil:
    """A running server, and an issuer that it trusts, if it trusts any."""

    url: str
    issuer: SimulatedIssuer


@contextmanager
def running(program: str, *, with_issuer: bool) -> Iterator[Foil]:
    """Start a foil; it is stopped in the end, by its own process."""
    port = free_port()
    url = f"http://127.0.0.1:{port}/mcp"
    with SimulatedIssuer({url: ("foil:use",)}) as issuer:
        more = [issuer.jwks_uri, issuer.issuer, url] if with_issuer else []
        command = [sys.executable, str(HERE / program), str(port), *more]
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            wait_until(lambda: _listens(port), timeout=60, what=program)
            yield Foil(url=url, issuer=issuer)
        finally:
            process.terminate()
            process.wait(timeout=20)


def _listens(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True
