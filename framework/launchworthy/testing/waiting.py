"""Which port is free, and has it happened yet? What tests of servers ask, with bounds."""

import secrets
import socket
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Final

_LOWEST: Final = 10_000
_EPHEMERAL: Final = Path("/proc/sys/net/ipv4/ip_local_port_range")
_ELSEWHERE: Final = 32_768
_ENOUGH: Final = 5_000
_TRIES: Final = 100


def free_port() -> int:
    """A port of 127.0.0.1 that nobody listens on now."""
    return free_ports(1)[0]


def free_ports(count: int) -> list[int]:
    """Ports of 127.0.0.1 that nobody listens on now, all different.

    Where it can be helped they are none of those that the system gives to outgoing connections: one of these
    could take a port between this answer and whoever listens there.
    """
    with ExitStack() as stack:
        found = [stack.enter_context(_listener()) for _ in range(count)]
        return [each.getsockname()[1] for each in found]


def _listener() -> socket.socket:
    room = _first_ephemeral() - _LOWEST
    if room >= _ENOUGH:
        for _ in range(_TRIES):
            try:
                return socket.create_server(("127.0.0.1", _LOWEST + secrets.randbelow(room)))
            except OSError:
                continue
    return socket.create_server(("127.0.0.1", 0))


def _first_ephemeral() -> int:
    try:
        return int(_EPHEMERAL.read_text().split()[0])
    except (OSError, ValueError, IndexError):
        return _ELSEWHERE


def wait_until(condition: Any, *, timeout: float = 10.0, what: str = "it") -> float:
    """Wait until `condition()` is true; returns the seconds it took.

    Raises:
        TimeoutError: it is not, after `timeout` seconds.
    """
    began = time.monotonic()
    while not condition():
        if time.monotonic() - began > timeout:
            raise TimeoutError(f"{what} did not happen within {timeout} s")
        time.sleep(0.02)
    return time.monotonic() - began
