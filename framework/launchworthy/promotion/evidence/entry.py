"""Is this inventory entry the one of this server? Any registry's JSON, compared by what only we are.

A name can be taken by anybody, so it is not enough: the entry must hold the resource that our tokens name,
byte for byte, and an id by which the registry finds it again. The `server.json` of the MCP registry is read
as it is.
"""

from collections.abc import Iterator, Mapping
from typing import Final

from launchworthy.promotion.evidence.pieces import object_of

_IDS: Final = frozenset({"id", "serverId", "server_id", "entryId", "entry_id", "uuid"})
_URLS: Final = frozenset({"url", "resource", "endpoint"})


class NotOurs(Exception):
    """Why an entry is not this server's."""


def read_entry(content: bytes, *, name: str, resource: str) -> str:
    """The id of the entry.

    Args:
        content: of the registry's answer.
        name: of the server, by its manifest.
        resource: that its tokens name.

    Raises:
        NotOurs: it is another's, or none.
    """
    try:
        said = object_of(content)
    except ValueError:
        raise NotOurs("is no JSON object: export the entry as the registry has it") from None
    called = str(said.get("name", ""))
    if called.rpartition("/")[2] != name:
        raise NotOurs(f"is of the server `{called}`")
    addresses = {value for key, value in _texts(said) if key in _URLS}
    if resource not in addresses:
        told = ", ".join(f"`{each}`" for each in sorted(addresses)) or "no address"
        raise NotOurs(f"is of a server of that name at {told}")
    ids = sorted(value for key, value in _texts(said) if key in _IDS and value)
    if not ids:
        raise NotOurs("has no id by which the registry finds it again")
    return ids[0]


def _texts(value: object) -> Iterator[tuple[str, str]]:
    """Every text of the entry with the key that it stands under."""
    if isinstance(value, Mapping):
        for key, inner in value.items():
            if isinstance(inner, str):
                yield str(key), inner
            else:
                yield from _texts(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _texts(inner)
