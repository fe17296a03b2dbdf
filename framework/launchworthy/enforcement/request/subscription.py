"""Which changes does a client want to hear of? The parameters of `subscriptions/listen`, read strictly."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from launchworthy.enforcement.request.resource_uri import MAX_URI
from launchworthy.vocabulary import Reason, Refused

MAX_URIS: Final = 64
"""Resources that one stream can be about."""
LISTS: Final = ("toolsListChanged", "promptsListChanged", "resourcesListChanged")


@dataclass(frozen=True, slots=True, kw_only=True)
class Listened:
    """What a stream is to be about.

    Attributes:
        lists: those of `LISTS` that were asked for.
        uris: of resources, each once.
    """

    lists: tuple[str, ...]
    uris: tuple[str, ...]


def read_listen(params: Mapping[str, object]) -> Listened:
    """Read what is asked for; kinds of notifications that nobody knows here are left out.

    Raises:
        Refused: `protocol.invalid`.
    """
    wanted = params.get("notifications")
    if not isinstance(wanted, dict):
        raise _invalid("`notifications` is no object")
    lists = []
    for name in LISTS:
        flag = wanted.get(name)
        if flag is not None and not isinstance(flag, bool):
            raise _invalid(f"`{name}` is neither true nor false")
        if flag:
            lists.append(name)
    uris = wanted.get("resourceSubscriptions")
    uris = [] if uris is None else uris
    if not isinstance(uris, list) or len(uris) > MAX_URIS:
        raise _invalid(f"`resourceSubscriptions` is no list of at most {MAX_URIS} URIs")
    if any(not isinstance(uri, str) or len(uri) > MAX_URI for uri in uris):
        raise _invalid("a URI is no text, or too long")
    return Listened(lists=tuple(lists), uris=tuple(dict.fromkeys(uris)))


def _invalid(detail: str) -> Refused:
    return Refused(Reason.PROTOCOL_INVALID, detail)
