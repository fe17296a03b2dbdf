"""Which of the SDK's runners takes a request? One for each revision, kept; a new one for `initialize` alone.

`mcp.server.runner.serve_one` makes a connection and a runner for each request, and afterwards unwinds the
connection's exit stack under a shield. No handler of ours keeps anything on a connection: so one connection
for each revision serves all callers, and it refuses to keep anything. What would have to be unwound raises.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final, NoReturn

from mcp.server.connection import Connection
from mcp.server.lowlevel import Server
from mcp.server.runner import ServerRunner, serve_one
from mcp.shared.dispatcher import DispatchContext
from mcp.shared.transport_context import TransportContext

from launchworthy.enforcement.request import Revision
from launchworthy.enforcement.sdk_context import NO_WAY_BACK

_OPENING: Final = "initialize"
"""The one method whose handling writes to its connection."""


class Runners:
    """The SDK's server, ready for requests of either revision."""

    __slots__ = ("_kept", "_server")

    def __init__(self, server: Server[dict[str, Any]]) -> None:
        """Make a runner for each revision."""
        self._server = server
        self._kept = {
            revision: ServerRunner(server, _shared(revision), {}).on_request for revision in Revision
        }

    async def run(
        self,
        revision: Revision,
        context: DispatchContext[TransportContext],
        method: str,
        params: Mapping[str, Any],
    ) -> dict[str, Any]:
        """Run one request and return its result.

        Raises:
            MCPError, ValidationError: what the SDK refused, or a handler did.
        """
        if method == _OPENING:
            fresh = Connection(NO_WAY_BACK, protocol_version=revision.value)
            fresh.initialized.set()
            return await serve_one(self._server, context, method, params, connection=fresh, lifespan_state={})
        return await self._kept[revision](context, method, params)


def _shared(revision: Revision) -> Connection:
    connection = Connection(NO_WAY_BACK, protocol_version=revision.value)
    connection.initialized.set()
    connection.state = MappingProxyType({})  # type: ignore[assignment]  # so that nothing is kept in it
    connection.exit_stack = _NothingToUnwind()  # type: ignore[assignment]  # so that nothing is left for its end
    return connection


class _NothingToUnwind:
    """In place of an exit stack: a connection of all callers has no end."""

    def __getattr__(self, name: str) -> NoReturn:
        raise RuntimeError(
            f"`{name}`: nothing can be kept for the end of a connection that all callers share"
        )
