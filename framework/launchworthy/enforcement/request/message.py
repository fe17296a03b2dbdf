"""Is this parsed body one JSON-RPC request or notification? Nothing else is answered.

A batch, a response, an id that is null, true or a fraction, positional parameters: none of them has a
meaning here, and each is read differently by somebody (JSON-RPC 2.0 §4; MCP 2026-07-28, basic).
"""

from typing import NamedTuple

from launchworthy.vocabulary import Reason, Refused

MAX_ID = 256
"""Characters of an id; it stands in every answer."""
MAX_METHOD = 128

RequestId = str | int


class Message(NamedTuple):
    """One request, or with `id` None one notification.

    Attributes:
        id: what the answer will bear; None only for a notification.
        method: its method, unchecked.
        params: its parameters; an absent member is an empty object.
    """

    id: RequestId | None
    method: str
    params: dict[str, object]


def read_message(body: object) -> Message:
    """Narrow one parsed JSON text to a message.

    Raises:
        Refused: `protocol.invalid`.
    """
    if not isinstance(body, dict):
        raise _invalid("the body is not one object")
    if body.get("jsonrpc") != "2.0":
        raise _invalid("the body is not JSON-RPC 2.0")
    if "result" in body or "error" in body:
        raise _invalid("the body is a response; nothing was asked")
    method = body.get("method")
    if not isinstance(method, str) or not 0 < len(method) <= MAX_METHOD:
        raise _invalid("the body names no method")
    params = body.get("params", {})
    if not isinstance(params, dict):
        raise _invalid("the parameters are not an object")
    return Message(id=_read_id(body) if "id" in body else None, method=method, params=params)


def _read_id(body: dict[str, object]) -> RequestId:
    identifier = body["id"]
    if type(identifier) is int or (isinstance(identifier, str) and len(identifier) <= MAX_ID):
        return identifier
    raise _invalid("the id is neither a string nor an integer")


def _invalid(detail: str) -> Refused:
    return Refused(Reason.PROTOCOL_INVALID, detail)
