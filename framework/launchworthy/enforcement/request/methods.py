"""Which methods of which revision are served, and what decides about each?

Every method that is served has a row; anything else does not exist here (rule 32): tasks, logging,
extensions. `ping` and `initialize` ended with 2025-11-25, `server/discover` began
with 2026-07-28.
"""

from collections.abc import Iterable, Mapping
from enum import Enum
from types import MappingProxyType
from typing import Final

from launchworthy.enforcement.request.message import Message
from launchworthy.enforcement.request.revision import Revision, Settled
from launchworthy.manifest import TargetManifest
from launchworthy.vocabulary import Reason, Refused


class Row(Enum):
    """What decides about a method."""

    TOOL = "the tool's manifest"
    RESOURCE = "the resource's manifest"
    PROMPT = "the prompt's manifest"
    COMPLETION = "the manifest of what is completed"
    LISTEN = "each resource as if it were read"
    LIST = "a good token; filtered by what it may do"
    PLAIN = "a good token"
    IGNORED = "a good token; accepted, and nothing happens"


_BOTH: Final[Mapping[str, Row]] = {
    "tools/call": Row.TOOL,
    "resources/read": Row.RESOURCE,
    "prompts/get": Row.PROMPT,
    "completion/complete": Row.COMPLETION,
    "tools/list": Row.LIST,
    "resources/list": Row.LIST,
    "resources/templates/list": Row.LIST,
    "prompts/list": Row.LIST,
}
REQUESTS: Final[Mapping[Revision, Mapping[str, Row]]] = MappingProxyType(
    {
        Revision.MODERN: MappingProxyType(
            {**_BOTH, "server/discover": Row.PLAIN, "subscriptions/listen": Row.LISTEN}
        ),
        Revision.LEGACY: MappingProxyType({**_BOTH, "initialize": Row.PLAIN, "ping": Row.PLAIN}),
    }
)
NOTIFICATIONS: Final[Mapping[Revision, frozenset[str]]] = MappingProxyType(
    {
        Revision.MODERN: frozenset(),
        Revision.LEGACY: frozenset({"notifications/initialized", "notifications/cancelled"}),
    }
)


def row_of(settled: Settled, served: frozenset[Row]) -> Row:
    """Find the row of a message.

    Args:
        settled: the message.
        served: the rows that this server has; what nothing declared needs is not there.

    Raises:
        Refused: `protocol.method` for a request that has none; `protocol.invalid` for a notification that
            has none, which is also what a request without an id is.
    """
    message = settled.message
    if message.id is None:
        return _notification(message, settled.revision)
    row = REQUESTS[settled.revision].get(message.method)
    if row is None or row not in served:
        raise Refused(Reason.PROTOCOL_METHOD, "the method is not served in this revision")
    if row is Row.LIST and message.params.get("cursor") is not None:
        raise Refused(Reason.PROTOCOL_INVALID, "lists come whole; no cursor was ever given out")
    return row


def rows_of(declared: Iterable[TargetManifest]) -> frozenset[Row]:
    """The rows that a server has: every one, but completion where nothing offers any."""
    every = frozenset(Row)
    return every if any(one.completions for one in declared) else every - {Row.COMPLETION}


def _notification(message: Message, revision: Revision) -> Row:
    if message.method in NOTIFICATIONS[revision]:
        return Row.IGNORED
    raise Refused(Reason.PROTOCOL_INVALID, "nothing is done for this notification")
