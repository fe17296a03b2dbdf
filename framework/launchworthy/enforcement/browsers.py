"""What may a page in a browser of another site send here, and read of the answer? The Fetch standard's CORS.

Nothing, unless its origin is one of `allowed_origins`: then its preflight is answered for exactly that
origin, never for `*` and never with credentials (a page puts its token into a header; a cookie means nothing
here), and it may read the headers that tell a client what to do next. Whatever else calls itself a preflight
is a method that is not served. That an origin may call at all is decided elsewhere, for each request.
"""

from collections.abc import Iterable
from typing import Final

from launchworthy.enforcement.answers import Answer, common_headers
from launchworthy.enforcement.reply import Message, Send
from launchworthy.enforcement.request import Endpoint
from launchworthy.vocabulary import CallId

EXPOSED: Final = b"www-authenticate, retry-after, launchworthy-call"
"""What a page needs of a refusal: where tokens are, when to come back, and the id to ask about."""

PREFLIGHT_SECONDS: Final = b"600"
_ACCEPTED: Final = frozenset(
    {
        b"authorization", b"content-type", b"accept", b"last-event-id", b"mcp-method", b"mcp-name",
        b"mcp-protocol-version", b"mcp-session-id",
    }
)  # fmt: skip
_MIRRORED: Final = b"mcp-param-"
_TOKEN: Final = frozenset(b"abcdefghijklmnopqrstuvwxyz0123456789!#$%&'*+-.^_`|~")
_MOST_NAMES: Final = 32


class Browsers:
    """The pages of other sites that may call, and what their browsers are told."""

    __slots__ = ("_endpoint", "_origins")

    def __init__(self, endpoint: Endpoint, allowed_origins: Iterable[str]) -> None:
        """Know the origins that the settings name; the resource's own needs no permission."""
        self._endpoint = endpoint
        self._origins = frozenset(origin.encode("ascii") for origin in allowed_origins)

    def preflight(self, scope: Message, call: CallId) -> Answer | None:
        """The answer to a browser that asks beforehand, or None where nobody may ask that."""
        if scope["method"] != "OPTIONS" or not self._origins:
            return None
        origin = _only(scope, b"origin")
        host = _only(scope, b"host")
        if origin not in self._origins or host is None or host.lower() not in self._endpoint.authorities:
            return None
        served = self._method_at(scope.get("raw_path") or scope["path"].encode())
        if served is None or _only(scope, b"access-control-request-method") != served:
            return None
        headers = (
            *common_headers(call),
            (b"access-control-allow-origin", origin),
            (b"access-control-allow-methods", served),
            (b"access-control-allow-headers", _accepted(_only(scope, b"access-control-request-headers"))),
            (b"access-control-max-age", PREFLIGHT_SECONDS),
            (b"vary", b"origin"),
        )
        return Answer(status=204, headers=headers, body=b"")

    def exposing(self, scope: Message, send: Send) -> Send:
        """The same way out; a page of an allowed origin may read what comes, refusals too."""
        if not self._origins or scope["method"] == "OPTIONS":
            return send
        origin = _only(scope, b"origin")
        if origin not in self._origins or scope.get("raw_path") != self._endpoint.path:
            return send  # the document is anybody's, and a page where people decide is nobody else's
        readable = [
            (b"access-control-allow-origin", origin),
            (b"access-control-expose-headers", EXPOSED),
            (b"vary", b"origin"),
        ]

        async def sent(message: Message) -> None:
            if message["type"] == "http.response.start":
                message = {**message, "headers": [*message["headers"], *readable]}
            await send(message)

        return sent

    def _method_at(self, raw_path: bytes) -> bytes | None:
        if raw_path == self._endpoint.path:
            return b"POST"
        return b"GET" if raw_path in self._endpoint.documents else None


def _only(scope: Message, wanted: bytes) -> bytes | None:
    """The one value of a field; None where it is missing or stands there twice."""
    values = [value.strip(b" \t") for name, value in scope["headers"] if name == wanted]
    return values[0] if len(values) == 1 else None


def _accepted(asked: bytes | None) -> bytes:
    """Of the fields that a page wants to send, those that mean something here."""
    names = [] if asked is None else [name.strip(b" \t") for name in asked.lower().split(b",", _MOST_NAMES)]
    return b", ".join(name for name in names[:_MOST_NAMES] if name in _ACCEPTED or _is_mirrored(name))


def _is_mirrored(name: bytes) -> bool:
    return name.startswith(_MIRRORED) and _TOKEN.issuperset(name)
