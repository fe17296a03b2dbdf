"""Which port is free, and has it happened yet? What tests of servers ask, with bounds."""

import socket
import time
from contextlib import ExitStack
from typing import Any


def free_ports(count: int) -> list[int]:
    """Ports of 127.0.0.1 that nobody listens on now, all different."""
    with ExitStack() as stack:
        found = [stack.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(count)]
        return [each.getsockname()[1] for each in found]


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
