"""What is an entry of `egress`? One host and one port: `payments.acme.example:443`, `[2001:db8::1]:5432`.

A host stands for itself and nothing below it; there is no wildcard, no range of ports, no "any".
"""

import re
from dataclasses import dataclass
from ipaddress import ip_address

_ENTRY = re.compile(r"(?P<host>\[[0-9a-f:.]+\]|[a-z0-9_.-]{1,253}):(?P<port>[1-9][0-9]{0,4})")
_NAME = re.compile(r"[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?)*")
_NUMERIC = re.compile(r"[0-9]+|0x[0-9a-f]*")
"""A last label of this form makes resolvers read a name as an IPv4 address (`127.1`, `0x7f.1`)."""
_LAST_PORT = 65535


@dataclass(frozen=True, slots=True, order=True)
class Destination:
    """Where a target's own code may connect to.

    Attributes:
        host: a plain name, or an IP address in its one spelling, without brackets.
        port: of TCP or UDP.
    """

    host: str
    port: int

    def __str__(self) -> str:
        """As the manifest writes it."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def read_destination(text: str) -> Destination:
    """Read one entry.

    Raises:
        ValueError: it is no host and port; the message says what is wrong.
    """
    entry = _ENTRY.fullmatch(text)
    if entry is None or int(entry["port"]) > _LAST_PORT:
        raise ValueError("no host and port in lower case: `payments.acme.example:443`")
    host = entry["host"]
    if host.startswith("["):
        return Destination(_address(host[1:-1]), int(entry["port"]))
    if _NUMERIC.fullmatch(host.rpartition(".")[2]):
        return Destination(_address(host), int(entry["port"]))
    if _NAME.fullmatch(host) is None:
        raise ValueError("no host and port in lower case: `payments.acme.example:443`")
    return Destination(host, int(entry["port"]))


def _address(text: str) -> str:
    try:
        return str(ip_address(text))
    except ValueError:
        raise ValueError("neither a plain name nor an IP address in its usual spelling") from None
