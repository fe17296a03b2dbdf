"""Which answer does a refusal get? One table from reasons to answers, and the one function that writes them.

A caller learns a status, a wire word and, where a token could change the answer, the scopes it would need.
Every `token.*` looks alike; a target that is secret looks like one that is not there. Where no JSON-RPC or
MCP code fits, the code is the HTTP status: -32000 to -32099 are taken or reserved.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType
from typing import Final, NamedTuple

from pydantic_core import to_json

from launchworthy.enforcement.arguments import Fault
from launchworthy.enforcement.request import (
    ClientCannotAsk,
    HeaderSectionTooLarge,
    MethodNotAllowed,
    RequestId,
    UnknownResource,
    UnsupportedRevision,
)
from launchworthy.tokens.challenge import challenge
from launchworthy.vocabulary import CallId, Reason, Refused, wire_word

INVALID_REQUEST: Final = -32600
METHOD_NOT_FOUND: Final = -32601
INVALID_PARAMS: Final = -32602
INTERNAL_ERROR: Final = -32603
PARSE_ERROR: Final = -32700
HEADER_MISMATCH: Final = -32020
CANNOT_ASK: Final = -32021
UNSUPPORTED_VERSION: Final = -32022
RETRY_AFTER: Final = 5
"""Seconds, where a refusal that may pass by itself does not say how many."""

Header = tuple[bytes, bytes]


class Answer(NamedTuple):
    """One complete HTTP answer."""

    status: int
    headers: tuple[Header, ...]
    body: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """How one reason is answered.

    Attributes:
        status: the HTTP status.
        code: the JSON-RPC code; None is the HTTP status.
        message: for people; the same for every reason that must not be told apart.
        error: what the challenge says (RFC 6750 §3.1); None is a challenge without `error`.
        challenged: whether there is a challenge at all.
        retry: whether Retry-After is sent.
        close: whether the connection ends, since unread bytes of a body may still come.
    """

    status: int
    code: int | None
    message: str
    error: str | None = None
    challenged: bool = False
    retry: bool = False
    close: bool = False


def _token(reason_is: str) -> Row:
    return Row(status=401, code=None, message=reason_is, error="invalid_token", challenged=True)


_BAD_TOKEN: Final = _token("the token is not accepted here")
_NO_TOKEN: Final = Row(status=401, code=None, message="a bearer token is needed", challenged=True)
_TWO_TOKENS: Final = Row(
    status=400,
    code=INVALID_REQUEST,
    message="a token comes in exactly one Authorization header",
    error="invalid_request",
    challenged=True,
)
_DENIED: Final = Row(status=403, code=None, message="this call is not allowed")
_LATER: Final = Row(status=503, code=None, message="not available now", retry=True)
_LIMITED: Final = Row(status=429, code=None, message="too many calls", retry=True)
_OTHER_CONNECTION: Final = Row(
    status=421, code=INVALID_REQUEST, message="this connection is not good any more: make another", close=True
)
"""A client may send it again on another connection (RFC 9110 §15.5.20); its token is not at fault."""
_INTERNAL: Final = Row(status=500, code=INTERNAL_ERROR, message="internal error")

TABLE: Final[Mapping[Reason, Row]] = MappingProxyType(
    {
        Reason.HTTP_PATH: Row(status=404, code=INVALID_REQUEST, message="nothing is served here"),
        Reason.HTTP_METHOD: Row(status=405, code=INVALID_REQUEST, message="another method is served here"),
        Reason.HTTP_HOST: Row(
            status=421, code=INVALID_REQUEST, message="this is not the server of that host"
        ),
        Reason.HTTP_ORIGIN: Row(status=403, code=INVALID_REQUEST, message="the origin is not allowed"),
        Reason.HTTP_SIZE: Row(
            status=413, code=INVALID_REQUEST, message="the request is too large", close=True
        ),
        Reason.HTTP_CONTENT_TYPE: Row(
            status=415,
            code=INVALID_REQUEST,
            message="the body must be application/json in UTF-8, not compressed",
        ),
        Reason.HTTP_ACCEPT: Row(
            status=406,
            code=INVALID_REQUEST,
            message="Accept must list application/json and text/event-stream",
        ),
        Reason.HTTP_DEADLINE: Row(
            status=408, code=INVALID_REQUEST, message="the body did not come in time", close=True
        ),
        Reason.CREDENTIAL_MISSING: _NO_TOKEN,
        Reason.CREDENTIAL_SCHEME: _NO_TOKEN,
        Reason.CREDENTIAL_DUPLICATE: _TWO_TOKENS,
        Reason.CREDENTIAL_QUERY: _TWO_TOKENS,
        Reason.TOKEN_MALFORMED: _BAD_TOKEN,
        Reason.TOKEN_HEADER: _BAD_TOKEN,
        Reason.TOKEN_ALGORITHM: _BAD_TOKEN,
        Reason.TOKEN_KID: _BAD_TOKEN,
        Reason.TOKEN_KEY: _BAD_TOKEN,
        Reason.TOKEN_SIGNATURE: _BAD_TOKEN,
        Reason.TOKEN_ISSUER: _BAD_TOKEN,
        Reason.TOKEN_AUDIENCE: _BAD_TOKEN,
        Reason.TOKEN_EXPIRED: _BAD_TOKEN,
        Reason.TOKEN_NOT_YET: _BAD_TOKEN,
        Reason.TOKEN_LIFETIME: _BAD_TOKEN,
        Reason.TOKEN_TYPE: _BAD_TOKEN,
        Reason.TOKEN_CLAIMS: _BAD_TOKEN,
        Reason.TOKEN_BOUND: _BAD_TOKEN,
        Reason.TOKEN_INACTIVE: _BAD_TOKEN,
        Reason.TOKEN_DENIED: _BAD_TOKEN,
        Reason.KEYS_UNAVAILABLE: _LATER,
        Reason.IDENTITY_MISSING: _LATER,
        Reason.IDENTITY_EXPIRED: _LATER,
        Reason.IDENTITY_REVOKED: _LATER,
        Reason.IDENTITY_UNEXPECTED: _LATER,
        Reason.IDENTITY_SOURCE: _LATER,
        Reason.PEER_TLS: _OTHER_CONNECTION,
        Reason.PEER_MISSING: _OTHER_CONNECTION,
        Reason.PEER_NAME: _OTHER_CONNECTION,
        Reason.PEER_UNTRUSTED: _OTHER_CONNECTION,
        Reason.PEER_EXPIRED: _OTHER_CONNECTION,
        Reason.PEER_NOT_ALLOWED: _OTHER_CONNECTION,
        Reason.PEER_FORWARDED: Row(
            status=400, code=INVALID_REQUEST, message="what the proxy says of its peer cannot be read"
        ),
        Reason.PROTOCOL_JSON: Row(
            status=400, code=PARSE_ERROR, message="the body is not one strict JSON text"
        ),
        Reason.PROTOCOL_INVALID: Row(
            status=400, code=INVALID_REQUEST, message="not a request that is served here"
        ),
        Reason.PROTOCOL_REVISION: Row(
            status=400, code=UNSUPPORTED_VERSION, message="unsupported protocol version"
        ),
        Reason.PROTOCOL_MISMATCH: Row(
            status=400, code=HEADER_MISMATCH, message="a header does not say what the body says"
        ),
        Reason.PROTOCOL_METHOD: Row(status=404, code=METHOD_NOT_FOUND, message="method not found"),
        Reason.TOOL_UNKNOWN: Row(
            status=400, code=INVALID_PARAMS, message="nothing of that name is served here"
        ),
        Reason.TOOL_SCOPE: Row(
            status=403, code=None, message="this call needs", error="insufficient_scope", challenged=True
        ),
        Reason.TOOL_ARGUMENTS: Row(status=400, code=INVALID_PARAMS, message="the arguments do not fit"),
        Reason.TOOL_POLICY: _DENIED,
        Reason.TOOL_ENVIRONMENT: _DENIED,
        Reason.TOOL_STOPPED: Row(status=403, code=None, message="this is stopped for now"),
        Reason.TOOL_APPROVAL: _DENIED,
        Reason.TOOL_DISPATCH_MISMATCH: _DENIED,
        Reason.TOOL_EGRESS: _INTERNAL,  # it is a failure of the body by then
        Reason.POLICY_ENTITY_MISSING: _DENIED,
        Reason.LIMIT_RATE: _LIMITED,
        Reason.LIMIT_BUDGET: _LIMITED,
        Reason.LIMIT_CLAIM: _LIMITED,
        Reason.LIMIT_STORE: _LATER,
        Reason.AUDIT_UNWRITABLE: _LATER,
        Reason.CONTROL_STALE: _LATER,
        Reason.INTERNAL: _INTERNAL,
        **{reason: _LATER for reason in Reason if reason.family == "startup"},
    }
)
"""Every reason has a row (a test); those of the startup never reach a request."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Challenges:
    """What a challenge names besides the error.

    Attributes:
        entry: the scopes of a first read; the same in every 401, so that strangers learn nothing.
        resource_metadata: URL of the protected resource metadata (RFC 9728 §5.1).
    """

    entry: tuple[str, ...]
    resource_metadata: str


def row_of(refused: Refused) -> Row:
    """The row of a refusal; its reason's, but for what one reason cannot say."""
    if isinstance(refused, HeaderSectionTooLarge):
        return Row(status=431, code=INVALID_REQUEST, message="the header section is too large", close=True)
    if isinstance(refused, ClientCannotAsk):
        return Row(
            status=400, code=CANNOT_ASK, message="somebody must approve this: the client has to ask its user"
        )
    return TABLE[refused.reason]


def refusal(
    refused: Refused, *, call: CallId, request_id: RequestId | None, challenges: Challenges
) -> Answer:
    """Write the answer to a refusal, from its reason alone.

    Args:
        refused: why; its detail is not looked at.
        call: the call id, which stands in the answer.
        request_id: of the body, once it was read.
        challenges: what a challenge names.
    """
    row = row_of(refused)
    message = (
        f"{row.message} {_needed(refused.scopes)}" if refused.reason is Reason.TOOL_SCOPE else row.message
    )
    error = {"code": _code(refused, row, request_id), "message": message, "data": _data(refused, call)}
    return Answer(
        status=row.status,
        headers=(*json_headers(call), *_more_headers(refused, row, challenges)),
        body=to_json({"jsonrpc": "2.0", "id": request_id, "error": error}),
    )


def json_headers(call: CallId) -> tuple[Header, ...]:
    """The headers of every JSON answer."""
    return ((b"content-type", b"application/json"), *common_headers(call))


def common_headers(call: CallId) -> tuple[Header, ...]:
    """The headers of every answer but the metadata document's."""
    return ((b"cache-control", b"no-store"), (b"launchworthy-call", call.encode("ascii")))


def _code(refused: Refused, row: Row, request_id: RequestId | None) -> int:
    if refused.reason is Reason.PROTOCOL_INVALID and request_id is not None:
        return INVALID_PARAMS  # a request it is; what it says of itself does not fit
    return row.code if row.code is not None else row.status


def _data(refused: Refused, call: CallId) -> dict[str, object]:
    data: dict[str, object] = {"reason": wire_word(refused.reason).value, "call": call}
    if refused.reason is Reason.TOOL_SCOPE:
        data["scopes"] = list(refused.scopes)
    if isinstance(refused, UnknownResource) and refused.uri:
        data["uri"] = refused.uri
    if isinstance(refused, ClientCannotAsk):
        data["requiredCapabilities"] = dict(refused.required)
    if isinstance(refused, UnsupportedRevision):
        data |= {"supported": list(refused.supported), "requested": refused.requested}
    return data


def _more_headers(refused: Refused, row: Row, challenges: Challenges) -> tuple[Header, ...]:
    headers: list[Header] = []
    if row.challenged:
        scope = refused.scopes if refused.reason is Reason.TOOL_SCOPE else challenges.entry
        headers.append((b"www-authenticate", _challenge(row.error, scope, challenges.resource_metadata)))
    if row.retry:
        seconds = refused.retry_after if refused.retry_after is not None else RETRY_AFTER
        headers.append((b"retry-after", str(seconds).encode("ascii")))
    if isinstance(refused, MethodNotAllowed):
        headers.append((b"allow", refused.allow.encode("ascii")))
    if row.close:
        headers.append((b"connection", b"close"))
    return tuple(headers)


@lru_cache(maxsize=256)
def _challenge(error: str | None, scope: tuple[str, ...], resource_metadata: str) -> bytes:
    """The value of `WWW-Authenticate`; there are as many as there are sets of scopes in the manifests."""
    value = challenge(error=error, scope=scope, resource_metadata=resource_metadata, description=None)
    return value.encode("ascii")


def _needed(scopes: tuple[str, ...]) -> str:
    return f"the scope{'s' if len(scopes) > 1 else ''} " + ", ".join(f"`{scope}`" for scope in scopes)


def unfit(faults: Iterable[Fault], *, call: CallId, request_id: RequestId | None, modern: bool) -> Answer:
    """A tool's result that tells a model what to correct: field and kind, never a value.

    Args:
        faults: what does not fit.
        call: the call id.
        request_id: of the body.
        modern: whether results say that they are complete (2026-07-28).
    """
    told = ", ".join(f"`{fault.field}` ({fault.kind})" for fault in faults)
    text = f"the arguments do not fit: {told}; call {call}"
    result: dict[str, object] = {"content": [{"type": "text", "text": text}], "isError": True}
    if modern:
        result["resultType"] = "complete"
    body = to_json({"jsonrpc": "2.0", "id": request_id, "result": result})
    return Answer(status=200, headers=json_headers(call), body=body)
