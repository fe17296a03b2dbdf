"""Is this address one of the right world? In the simulated one that is this machine."""

from collections.abc import Container
from urllib.parse import urlsplit

from launchworthy.vocabulary import Environment

_LOOPBACK = frozenset({"127.0.0.1", "::1"})


def is_fit(url: str, environment: Environment, *, schemes: Container[str]) -> bool:
    """Whether an address may be named for an environment: in the simulated world one of this machine only.

    Args:
        url: as the trust policy has it.
        environment: for which it is named.
        schemes: which count in the real world.
    """
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
    except ValueError:
        return False
    if parts.username is not None or parts.query or parts.fragment:
        return False
    if environment.simulated:
        return host in _LOOPBACK
    there = "." in host and not host.endswith((".invalid", ".localhost")) and not host.startswith("127.")
    return parts.scheme in schemes and there
