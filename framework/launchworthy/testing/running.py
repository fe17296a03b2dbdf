"""What does a team's test see of its server? A running one, and clients with the scopes they ask for."""

from collections.abc import Mapping
from pathlib import Path

from launchworthy.testing.client import MODERN, Client
from launchworthy.testing.process import ServerProcess
from launchworthy.testing.upstream import SimulatedUpstream
from launchworthy.testing.world import World


class RunningServer:
    """The project's own server, running in the simulated world; made by the `server` fixture."""

    def __init__(self, world: World, process: ServerProcess) -> None:
        """Put the two together."""
        self.world = world
        self.process = process

    @property
    def url(self) -> str:
        """The MCP endpoint."""
        return self.world.url

    @property
    def upstreams(self) -> Mapping[str, SimulatedUpstream]:
        """What the tools call, by the name of `[credentials.<name>]`: the requests that each has seen."""
        return self.world.lending.upstreams

    @property
    def audit_directory(self) -> Path:
        """Where its audit is written."""
        return self.world.audit_directory

    def client(self, *scopes: str, revision: str = MODERN, approve: bool | None = None) -> Client:
        """A caller whose token has exactly these scopes; `approve`: what its user says when asked."""
        return self.world.client(*scopes, revision=revision, approve=approve)

    def stranger(self, *, revision: str = MODERN) -> Client:
        """A caller without a token."""
        return self.world.stranger(revision=revision)
