"""How are the parts put together and kept alive? The composition root, startup stages, health, drain."""

from launchworthy.server.running import run

__all__ = ["run"]
