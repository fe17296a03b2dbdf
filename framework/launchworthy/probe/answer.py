"""What came back? An answer taken apart, with a real parser for its challenge (RFC 9110 §11.6.1)."""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import httpx2

_PARAMETER = re.compile(r'\s*([A-Za-z_]+)="((?:[^"\\]|\\.)*)"\s*(?:,|$)')
CALL_HEADER = "launchworthy-call"


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """One answer.

    Attributes:
        status: the HTTP status.
        headers: names in lower case.
        body: all of it.
        challenge: the parameters of the one Bearer challenge; None where there is none.
        message: the JSON-RPC message; empty where the body is none.
        call: the call id, or None.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes
    challenge: Mapping[str, str] | None
    message: Mapping[str, Any]
    call: str | None

    @property
    def error(self) -> Mapping[str, Any]:
        """The JSON-RPC error; empty where there is none."""
        return _table(self.message.get("error"))

    @property
    def result(self) -> Mapping[str, Any]:
        """The JSON-RPC result; empty where there is none."""
        return _table(self.message.get("result"))

    @property
    def data(self) -> Mapping[str, Any]:
        """What the error says to programs."""
        return _table(self.error.get("data"))

    def summary(self) -> str:
        """`401 invalid_token`, `200`, `200 isError`."""
        if self.result.get("isError") is True:
            return f"{self.status} isError"
        word = self.data.get("reason")
        return f"{self.status} {word}" if isinstance(word, str) else f"{self.status}"


def read_answer(
    response: httpx2.Response,
    *,
    body: bytes | None = None,
    challenge: Callable[[list[str]], Mapping[str, str] | None] | None = None,
) -> Answer:
    """Take an answer apart.

    Args:
        response: as it came.
        body: as far as it was read; all of it if not said.
        challenge: reads the values of `WWW-Authenticate`; `read_challenge` if not said.
    """
    body = response.content if body is None else body
    return Answer(
        status=response.status_code,
        headers={name.lower(): value for name, value in response.headers.items()},
        body=body,
        challenge=(challenge or read_challenge)(response.headers.get_list("www-authenticate")),
        message=read_message(response.headers.get("content-type", ""), body),
        call=response.headers.get(CALL_HEADER),
    )


def read_challenge(values: list[str]) -> Mapping[str, str] | None:
    """The parameters of exactly one Bearer challenge; what is malformed reads as no parameter at all."""
    if not values:
        return None
    if len(values) > 1 or not values[0].startswith("Bearer "):
        return {"malformed": values[0]}
    rest, found = values[0].removeprefix("Bearer "), dict[str, str]()
    while rest:
        parameter = _PARAMETER.match(rest)
        if parameter is None or parameter[1] in found:
            return {"malformed": values[0]}
        found[parameter[1]] = parameter[2]
        rest = rest[parameter.end() :]
    return found


def read_message(content_type: str, body: bytes) -> Mapping[str, Any]:
    """The message of a JSON body, or the last one of an event stream."""
    text = body.decode(errors="replace")
    if content_type.startswith("text/event-stream"):
        lines = [line.removeprefix("data:").strip() for line in text.splitlines() if line.startswith("data:")]
        text = lines[-1] if lines else ""
    try:
        return _table(json.loads(text))
    except (ValueError, RecursionError):
        return {}


def _table(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}
