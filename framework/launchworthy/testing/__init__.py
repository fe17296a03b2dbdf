"""What does a believable simulated world look like? Issuer, Workload API, server process, client.

`Refused` and `RunningServer` are what a team's tests use; the `server` fixture comes with the plugin
`launchworthy.testing.plugin`.
"""

from typing import TYPE_CHECKING, Any

from launchworthy.testing.client import Client, Refused

if TYPE_CHECKING:
    from launchworthy.testing.running import RunningServer

__all__ = ["Client", "Refused", "RunningServer"]


def __getattr__(name: str) -> Any:
    """Load `RunningServer` on first use: it brings the whole simulated world (PEP 562)."""
    if name == "RunningServer":
        from launchworthy.testing.running import RunningServer  # noqa: PLC0415

        return RunningServer
    raise AttributeError(f"module `launchworthy.testing` has no attribute `{name}`")
