"""Is this a request that is looked at at all? Decided before one byte of its body is.

Rows 1 to 3 of the order, the first that fails answers:

1. the path is the resource's (byte for byte, no trailing slash, nothing encoded), one of the metadata
   document's, or one of the approval page's; the method is one that is served there
2. one Host, and it is the resource's; no Origin, or one that is allowed (DNS rebinding)
3. a bounded header section; a body of a declared size that fits, or of an undeclared one; JSON in UTF-8,
   not compressed; a client that accepts both forms of an answer

Headers are looked at in their raw form: a folded mapping hides what stands there twice.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import Enum
from itertools import chain
from typing import NamedTuple
from urllib.parse import urlsplit

from launchworthy.audit.canary import HEADER as CANARY_HEADER
from launchworthy.enforcement.request.refusals import HeaderSectionTooLarge, MethodNotAllowed
from launchworthy.vocabulary import Reason, Refused

MAX_FIELDS = 64
MAX_SECTION = 32 * 1024
_DEFAULT_PORTS = {"http": 80, "https": 443}
_WHITE_SPACE = b" \t"
_JSON = b"application/json"
_BOTH_FORMS = b"application/json, text/event-stream"


PageRoute = tuple[re.Pattern[bytes], tuple[str, ...]]
"""A whole path, and the methods that are served there."""


class Place(Enum):
    """What a path names."""

    CALLS = "the endpoint"
    DOCUMENT = "the metadata document"
    PAGE = "the approval page"


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """What the resource URL and the settings say about a request.

    Attributes:
        path: where calls go; raw, as in the request line.
        documents: where the protected resource metadata is.
        pages: where people approve calls, and by which methods; empty where nothing is asked on a page.
        authorities: what Host may be, in lower case.
        origins: what Origin may be, if there is one.
        max_body: bytes.
    """

    path: bytes
    documents: frozenset[bytes]
    pages: tuple[PageRoute, ...]
    authorities: frozenset[bytes]
    origins: frozenset[bytes]
    max_body: int


def endpoint_of(
    resource: str,
    *,
    documents: Iterable[str],
    pages: Iterable[PageRoute],
    allowed_origins: Iterable[str],
    max_body: int,
) -> Endpoint:
    """Derive what requests must look like from the canonical resource URL."""
    parts = urlsplit(resource)
    host = parts.hostname or ""
    host = f"[{host}]" if ":" in host else host
    default = _DEFAULT_PORTS.get(parts.scheme)
    port = parts.port if parts.port is not None else default
    authorities = {f"{host}:{port}"}
    if port == default:
        authorities.add(host)
    own = f"{parts.scheme}://{host}" if port == default else f"{parts.scheme}://{host}:{port}"
    return Endpoint(
        path=(parts.path or "/").encode("ascii"),
        documents=frozenset(path.encode("ascii") for path in documents),
        pages=tuple(pages),
        authorities=frozenset(authority.encode("ascii") for authority in authorities),
        origins=frozenset(origin.encode("ascii") for origin in {own, *allowed_origins}),
        max_body=max_body,
    )


class RoutingHeaders(NamedTuple):
    """What the headers claim about the body; believed only where the body says the same.

    Attributes:
        version: `MCP-Protocol-Version`.
        method: `Mcp-Method`.
        name: `Mcp-Name`.
        params: the `Mcp-Param-*` fields in their order, names in lower case.
        repeated: the first of these that stands there twice.
    """

    version: str | None
    method: str | None
    name: str | None
    params: tuple[tuple[str, str], ...]
    repeated: str | None


class Head(NamedTuple):
    """A request that may be looked at.

    Attributes:
        place: what is asked; but for calls, nothing else here counts.
        authorization: the values of its Authorization fields, unchecked.
        routing: what its headers claim about the body.
        canary: a nonce, where the caller asks what was seen of the request.
    """

    place: Place
    authorization: tuple[bytes, ...]
    routing: RoutingHeaders
    canary: str | None = None


def read_head(
    endpoint: Endpoint, *, method: str, raw_path: bytes, headers: Iterable[tuple[bytes, bytes]]
) -> Head:
    """Check rows 1 to 3.

    Args:
        endpoint: what requests must look like.
        method: of the request line.
        raw_path: of the request line, without the query.
        headers: every field as it came; names in lower case.

    Raises:
        Refused: `http.*`; `protocol.invalid` where the length of the body is ambiguous.
    """
    place = _check_target(endpoint, method, raw_path)
    headers = tuple(headers)
    fields, repeated = _fields(headers)
    _check_host(endpoint, fields, repeated, browsing=place is Place.PAGE)
    if len(headers) > MAX_FIELDS:
        raise HeaderSectionTooLarge(f"more than {MAX_FIELDS} header fields")
    if sum(map(len, chain.from_iterable(headers))) + 4 * len(headers) > MAX_SECTION:
        raise HeaderSectionTooLarge(f"more than {MAX_SECTION} bytes of header fields")
    if place is Place.CALLS:
        _check_size(endpoint, fields, repeated)
        _check_types(fields, repeated)
    return Head(
        place=place,
        authorization=_every(b"authorization", headers, fields, repeated),
        routing=_routing(headers, fields, repeated),
        canary=_text(fields.get(_CANARY)),
    )


def _check_target(endpoint: Endpoint, method: str, raw_path: bytes) -> Place:
    allow: tuple[str, ...]
    if raw_path == endpoint.path:
        allow, place = ("POST",), Place.CALLS
    elif raw_path in endpoint.documents:
        allow, place = ("GET",), Place.DOCUMENT
    else:
        allow, place = _methods_of_page(endpoint, raw_path), Place.PAGE
    if method not in allow:
        raise MethodNotAllowed(", ".join(allow))
    return place


def _methods_of_page(endpoint: Endpoint, raw_path: bytes) -> tuple[str, ...]:
    for pattern, methods in endpoint.pages:
        if pattern.fullmatch(raw_path) is not None:
            return methods
    raise Refused(Reason.HTTP_PATH, "nothing is served at this path")


def _fields(headers: tuple[tuple[bytes, bytes], ...]) -> tuple[dict[bytes, bytes], set[bytes]]:
    """The first value of each name, and the names that came again."""
    fields: dict[bytes, bytes] = {}
    repeated: set[bytes] = set()
    for name, value in headers:
        if name in fields:
            repeated.add(name)
            if name == b"accept":  # a list: several lines are one (RFC 9110 §5.3)
                fields[name] += b"," + value
        else:
            fields[name] = value
    return fields, repeated


def _every(
    wanted: bytes,
    headers: tuple[tuple[bytes, bytes], ...],
    fields: Mapping[bytes, bytes],
    repeated: set[bytes],
) -> tuple[bytes, ...]:
    """All values of one name."""
    if wanted in repeated:
        return tuple(value.strip(_WHITE_SPACE) for name, value in headers if name == wanted)
    return (fields[wanted].strip(_WHITE_SPACE),) if wanted in fields else ()


def _check_host(
    endpoint: Endpoint, fields: Mapping[bytes, bytes], repeated: set[bytes], *, browsing: bool
) -> None:
    """Host and Origin; a page that sends no referrer has the origin `null`, and is judged by its own form."""
    host = fields.get(b"host", b"").strip(_WHITE_SPACE).lower()
    if host not in endpoint.authorities or b"host" in repeated:
        raise Refused(Reason.HTTP_HOST, "the Host is not the resource's")
    origin = fields.get(b"origin")
    if browsing and origin == b"null":
        return
    if origin is not None and (origin.strip(_WHITE_SPACE) not in endpoint.origins or b"origin" in repeated):
        raise Refused(Reason.HTTP_ORIGIN, "the Origin is not allowed")


def _check_size(endpoint: Endpoint, fields: Mapping[bytes, bytes], repeated: set[bytes]) -> None:
    coding = fields.get(b"transfer-encoding", b"chunked").strip(_WHITE_SPACE).lower()
    if coding != b"chunked" or b"transfer-encoding" in repeated:
        raise Refused(Reason.PROTOCOL_INVALID, "the body is in another transfer coding than chunked")
    declared = fields.get(b"content-length")
    if declared is None:
        return
    if b"content-length" in repeated or b"transfer-encoding" in fields:
        raise Refused(Reason.PROTOCOL_INVALID, "the length of the body is ambiguous")  # RFC 9112 §6.3
    digits = declared.strip(_WHITE_SPACE)
    if not digits.isdigit() or len(digits) > 12 or int(digits) > endpoint.max_body:  # noqa: PLR2004 - no huge int()
        raise Refused(Reason.HTTP_SIZE, f"a body of more than {endpoint.max_body} bytes is declared")


def _check_types(fields: Mapping[bytes, bytes], repeated: set[bytes]) -> None:
    content_type = fields.get(b"content-type", b"")
    if (content_type != _JSON and not _is_json(content_type)) or b"content-type" in repeated:
        raise Refused(Reason.HTTP_CONTENT_TYPE, "the body is not application/json in UTF-8")
    if fields.get(b"content-encoding", b"identity").strip(_WHITE_SPACE).lower() != b"identity":
        raise Refused(Reason.HTTP_CONTENT_TYPE, "the body is compressed")
    accept = fields.get(b"accept", b"")
    if accept != _BOTH_FORMS and not _accepts_both_forms(accept):
        raise Refused(Reason.HTTP_ACCEPT, "Accept must list application/json and text/event-stream")


def _is_json(content_type: bytes) -> bool:
    """`application/json`, alone or with `charset=utf-8`; case does not matter, any other parameter does."""
    essence, semicolon, parameters = content_type.lower().partition(b";")
    if essence.strip(_WHITE_SPACE) != _JSON:
        return False
    return not semicolon or parameters.strip(_WHITE_SPACE) in {b"charset=utf-8", b'charset="utf-8"'}


def _accepts_both_forms(accept: bytes) -> bool:
    """Whether JSON and an event stream are both acceptable (streamable HTTP: the client lists both)."""
    ranges = {essence for essence in map(_acceptable, accept.lower().split(b",")) if essence is not None}
    json_accepted = not ranges.isdisjoint({_JSON, b"application/*", b"*/*"})
    return json_accepted and not ranges.isdisjoint({b"text/event-stream", b"text/*", b"*/*"})


def _acceptable(media_range: bytes) -> bytes | None:
    essence, *parameters = (part.strip(_WHITE_SPACE) for part in media_range.split(b";"))
    refused = any(part.replace(b" ", b"") in {b"q=0", b"q=0.0", b"q=0.00", b"q=0.000"} for part in parameters)
    return None if refused else essence


def _routing(
    headers: tuple[tuple[bytes, bytes], ...], fields: Mapping[bytes, bytes], repeated: set[bytes]
) -> RoutingHeaders:
    twice = (
        [name for name in sorted(repeated) if name in _ROUTING or name.startswith(_PARAM)] if repeated else []
    )
    mirrored = [name for name in fields if name.startswith(_PARAM)]
    params = [field for field in headers if field[0].startswith(_PARAM)] if mirrored else []
    return RoutingHeaders(
        version=_text(fields.get(b"mcp-protocol-version")),
        method=_text(fields.get(b"mcp-method")),
        name=_text(fields.get(b"mcp-name")),
        params=tuple(
            (name.decode("latin-1"), value.strip(_WHITE_SPACE).decode("latin-1")) for name, value in params
        ),
        repeated=twice[0].decode("latin-1") if twice else None,
    )


_CANARY = CANARY_HEADER.encode("ascii")
_PARAM = b"mcp-param-"
_ROUTING = frozenset({b"mcp-protocol-version", b"mcp-method", b"mcp-name"})


def _text(value: bytes | None) -> str | None:
    return None if value is None else value.strip(_WHITE_SPACE).decode("latin-1")
