"""Which revision of the protocol does this message speak, and do its headers say what it says?

Everything is decided on the one parsed body; headers are compared with it and never believed (rule 27):

1. a body whose `_meta` names a version is modern. Its header must be there and equal, or it is a
   mismatch: a modern body under an older header executes on stacks that route by the header alone
2. any other body under the modern header lacks its envelope
3. any other body is of the older revision: its header is exactly `2025-11-25`; none at all is allowed on
   `initialize` only, since its answer is what tells the client
4. an `initialize` for another revision is agreed to as `2025-11-25` (its lifecycle demands an offer, not
   an error); every other revision is refused with the ones that are served
5. `Mcp-Method` and `Mcp-Name` are required of modern requests, and in both revisions what is there is equal
"""

import base64
import binascii
import re
from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Final, NamedTuple

from launchworthy.enforcement.request.head import RoutingHeaders
from launchworthy.enforcement.request.message import Message
from launchworthy.enforcement.request.refusals import UnsupportedRevision
from launchworthy.vocabulary import Reason, Refused

VERSION_KEY: Final = "io.modelcontextprotocol/protocolVersion"
CLIENT_INFO_KEY: Final = "io.modelcontextprotocol/clientInfo"
CAPABILITIES_KEY: Final = "io.modelcontextprotocol/clientCapabilities"
NAMED_BY: Final[Mapping[str, str]] = MappingProxyType(
    {"tools/call": "name", "prompts/get": "name", "resources/read": "uri"}
)
"""Method → the parameter that `Mcp-Name` repeats."""

_SENTINEL = re.compile(r"=\?base64\?(?P<payload>.*)\?=")


class Revision(StrEnum):
    """The revisions of the protocol that can be served."""

    MODERN = "2026-07-28"
    LEGACY = "2025-11-25"


class Settled(NamedTuple):
    """A message whose revision is known and whose headers agree with it.

    Attributes:
        revision: which one.
        message: the message, an `initialize` with the revision agreed to.
        client_info: what the client says of itself, as it came.
        capabilities: what the client says it can do, as it came.
    """

    revision: Revision
    message: Message
    client_info: object
    capabilities: object


def settle(message: Message, routing: RoutingHeaders, served: tuple[str, ...]) -> Settled:
    """Decide the revision and compare the headers.

    Args:
        message: the one parsed body.
        routing: what the headers claim.
        served: the revisions of the settings, in the order they are offered.

    Raises:
        Refused: `protocol.mismatch`, `protocol.revision`, `protocol.invalid`.
    """
    if routing.repeated is not None:
        raise _mismatch(f"`{routing.repeated}` stands there twice")
    meta = message.params.get("_meta")
    if isinstance(meta, dict) and VERSION_KEY in meta:
        return _modern(message, meta, routing, served)
    if routing.version == Revision.MODERN and Revision.MODERN in served:
        raise Refused(Reason.PROTOCOL_INVALID, f"`_meta` lacks {VERSION_KEY}")
    return _legacy(message, routing, served)


def _modern(
    message: Message, meta: dict[str, object], routing: RoutingHeaders, served: tuple[str, ...]
) -> Settled:
    version = meta[VERSION_KEY]
    if CAPABILITIES_KEY not in meta:
        raise Refused(Reason.PROTOCOL_INVALID, f"`_meta` lacks {CAPABILITIES_KEY}")
    if routing.version is None or routing.version != version:
        raise _mismatch("MCP-Protocol-Version differs from the body's")
    if routing.method is None:
        raise _mismatch("Mcp-Method is missing")
    _compare(message, routing, name_required=True)
    if version != Revision.MODERN or Revision.MODERN not in served:
        raise UnsupportedRevision(str(version), _modern_ones(served))
    return Settled(
        revision=Revision.MODERN,
        message=message,
        client_info=meta.get(CLIENT_INFO_KEY),
        capabilities=meta[CAPABILITIES_KEY],
    )


def _modern_ones(served: tuple[str, ...]) -> tuple[str, ...]:
    """What a client with an envelope may use next: what `server/discover` says, where that is served."""
    return tuple(one for one in served if one != Revision.LEGACY) or served


def _legacy(message: Message, routing: RoutingHeaders, served: tuple[str, ...]) -> Settled:
    opening = message.method == "initialize"
    if routing.version is None and not opening:
        raise UnsupportedRevision("", served)
    if routing.version not in {None, Revision.LEGACY.value} or Revision.LEGACY not in served:
        raise UnsupportedRevision(routing.version or _offered(message), served)
    _compare(message, routing, name_required=False)
    if not opening:
        return Settled(revision=Revision.LEGACY, message=message, client_info=None, capabilities=None)
    params = dict(message.params)
    if isinstance(params.get("protocolVersion"), str):
        params["protocolVersion"] = Revision.LEGACY.value
    agreed = Message(id=message.id, method=message.method, params=params)
    return Settled(
        revision=Revision.LEGACY, message=agreed, client_info=params.get("clientInfo"), capabilities=None
    )


def _offered(message: Message) -> str:
    offered = message.params.get("protocolVersion")
    return offered if isinstance(offered, str) else ""


def _compare(message: Message, routing: RoutingHeaders, *, name_required: bool) -> None:
    if routing.method is not None and routing.method != message.method:
        raise _mismatch("Mcp-Method differs from the body's method")
    key = NAMED_BY.get(message.method)
    named = message.params.get(key) if key is not None else None
    if routing.name is None:
        if name_required and named is not None:
            raise _mismatch("Mcp-Name is missing")
    elif named is None or decode_header_value(routing.name) != named:
        raise _mismatch("Mcp-Name differs from what the body names")


def decode_header_value(value: str) -> str:
    """Undo `=?base64?…?=`, which carries what a header cannot (MCP 2026-07-28, streamable HTTP).

    Raises:
        Refused: `protocol.mismatch`: it is not the canonical encoding of anything.
    """
    sentinel = _SENTINEL.fullmatch(value)
    if sentinel is None:
        return value
    payload = sentinel["payload"]
    try:
        decoded = base64.b64decode(payload, validate=True)
        text = decoded.decode()
    except (binascii.Error, ValueError):
        raise _mismatch("a header's base64 cannot be decoded") from None
    if base64.b64encode(decoded).decode("ascii") != payload:
        raise _mismatch("a header's base64 is not canonical")
    return text


def _mismatch(detail: str) -> Refused:
    return Refused(Reason.PROTOCOL_MISMATCH, detail)
