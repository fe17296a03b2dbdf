"""How does a caller see the server? A small synchronous MCP client over real sockets.

It speaks one revision at a time, keeps no session, and shows refusals as `Refused` with what a client can
act on. It is for tests and rehearsals; the SDK's own client is run against the server elsewhere.
"""

import json
import ssl
from collections.abc import Callable, Mapping
from itertools import count
from typing import Any, Self

import httpx2

from launchworthy.testing.visitor import PERSON, Visitor
from launchworthy.vocabulary import Secret, ToolError

MODERN = "2026-07-28"
LEGACY = "2025-11-25"
_ROUNDS = 12
"""How often a question is answered before a client gives up: it comes again while nobody has answered."""
_NAMED_BY = {"tools/call": "name", "prompts/get": "name", "resources/read": "uri"}


class Refused(Exception):
    """What a client sees of a refusal.

    Attributes:
        status: the HTTP status.
        reason: the wire word (`insufficient_scope`, …), or None where the answer had none.
        scopes: what the next token needs (403 only).
        retry_after: seconds (503 and 429), or None.
        challenge: the `WWW-Authenticate` header, or None.
        call: the call id, to find it in the audit.
        code: the JSON-RPC error code, or None.
    """

    def __init__(self, response: httpx2.Response) -> None:
        """Read what a client may act on out of an answer."""
        error = _table(_object_or_none(response), "error")
        data = _table(error, "data")
        self.status = response.status_code
        self.reason: str | None = data.get("reason")
        self.scopes: tuple[str, ...] = tuple(data.get("scopes", ()))
        self.call: str | None = data.get("call")
        self.code: int | None = error.get("code")
        self.challenge = response.headers.get("www-authenticate")
        retry_after = response.headers.get("retry-after")
        self.retry_after = int(retry_after) if retry_after is not None else None
        super().__init__(f"{self.status} {self.reason}: {error.get('message', response.text[:200])}")


def _table(found: dict[str, Any] | None, name: str) -> dict[str, Any]:
    inner = None if found is None else found.get(name)
    return inner if isinstance(inner, dict) else {}


def _object_or_none(response: httpx2.Response) -> dict[str, Any] | None:
    try:
        body = response.json()
    except ValueError:
        return None
    return body if isinstance(body, dict) else None


class Client:
    """One caller with one token. Close it, or use it as a context manager."""

    def __init__(  # noqa: PLR0913 - each argument is one thing that tests vary
        self,
        url: str,
        token: Secret | None,
        *,
        revision: str = MODERN,
        timeout: float = 30.0,
        tls: ssl.SSLContext | None = None,
        approve: bool | Callable[[str], bool] | None = None,
        person: str = PERSON,
    ) -> None:
        """Talk to the MCP endpoint at `url`; without a token, as a stranger; over `tls` where it is given.

        `approve` is what its user says when asked about a call, or whom to show the question; None is a
        client that can ask nobody. Where the answer is given on a page, `True` or `False` is given there, by
        `person` where the caller answers; whoever is shown the address says whether they opened it.
        """
        self._url = url
        self._token = token
        self._revision = revision
        self._approve = approve
        self._person = person
        self._tls = tls
        self._visited: set[str] = set()
        self._ids = count(1)
        self._http = httpx2.Client(
            timeout=timeout, trust_env=False, follow_redirects=False, verify=tls if tls is not None else True
        )

    def __enter__(self) -> Self:
        """Nothing is sent yet."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close the connections."""
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def call(self, tool: str, /, **arguments: Any) -> Any:
        """Call a tool and return its result as data.

        Returns:
            The structured content; what the SDK wrapped as `{"result": …}` comes unwrapped.

        Raises:
            ToolError: the tool answered with an error.
            Refused: the call did not go through.
        """
        result = self.asked("tools/call", {"name": tool, "arguments": arguments})
        if result.get("isError"):
            raise ToolError(_text_of(result))
        structured = result.get("structuredContent")
        if isinstance(structured, dict) and set(structured) == {"result"}:
            return structured["result"]
        return structured

    def asked(self, method: str, params: Mapping[str, Any]) -> dict[str, Any]:
        """Send one request, answer what this client's user is asked about it, and return its result.

        Raises:
            Refused: the answer was no result.
        """
        result = self.request(method, params)
        for _ in range(_ROUNDS):
            if result.get("resultType") != "input_required":
                break
            result = self.request(method, {**params, **self.answer_to(result)})
        return result

    def answer_to(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        """What this client's user answers to the questions of a result, for the same call sent again."""
        answers = {key: self._says(question["params"]) for key, question in asked["inputRequests"].items()}
        return {"inputResponses": answers, "requestState": asked["requestState"]}

    def _says(self, question: Mapping[str, Any]) -> dict[str, Any]:
        if question.get("mode") == "url":
            return {"action": "accept"} if self._opens(question) else {"action": "decline"}
        message = question["message"]
        said = self._approve(message) if callable(self._approve) else self._approve
        return {"action": "accept", "content": {"approve": True}} if said else {"action": "decline"}

    def _opens(self, question: Mapping[str, Any]) -> bool:
        """Whether its user opens the address; once, however often the question comes again."""
        url = question["url"]
        if url in self._visited:
            return True
        self._visited.add(url)
        if callable(self._approve):
            return self._approve(f"{question['message']}\n{url}")
        with Visitor(tls=self._tls) as visitor:
            seen = visitor.answer(url, yes=self._approve is True, caller=self._person)
        return seen.status_code == httpx2.codes.OK

    def read(self, uri: str) -> Any:
        """Read a resource; JSON comes as data, anything else as text."""
        [content] = self.request("resources/read", {"uri": uri})["contents"]
        text = content["text"]
        return json.loads(text) if content.get("mimeType") == "application/json" else text

    def prompt(self, name: str, /, **arguments: str) -> list[dict[str, Any]]:
        """Get a prompt's messages."""
        messages: list[dict[str, Any]] = self.request("prompts/get", {"name": name, "arguments": arguments})[
            "messages"
        ]
        return messages

    def tools(self) -> list[dict[str, Any]]:
        """The tools that this caller may see."""
        tools: list[dict[str, Any]] = self.request("tools/list", {})["tools"]
        return tools

    def request(self, method: str, params: Mapping[str, Any]) -> dict[str, Any]:
        """Send one JSON-RPC request and return its result.

        Raises:
            Refused: the answer was no result.
        """
        response = self.send(method, params)
        body = _object_or_none(response)
        if response.status_code != httpx2.codes.OK or body is None or "result" not in body:
            raise Refused(response)
        result: dict[str, Any] = body["result"]
        return result

    def send(self, method: str, params: Mapping[str, Any]) -> httpx2.Response:
        """Send one JSON-RPC request and return the answer as it came."""
        message = self.message(method, params)
        return self._http.post(
            self._url, content=json.dumps(message).encode(), headers=self.headers(method, params)
        )

    def message(self, method: str, params: Mapping[str, Any]) -> dict[str, Any]:
        """The JSON-RPC request, with the envelope of the revision."""
        body: dict[str, Any] = dict(params)
        if self._revision == MODERN:
            body["_meta"] = {
                **body.get("_meta", {}),
                "io.modelcontextprotocol/protocolVersion": MODERN,
                "io.modelcontextprotocol/clientInfo": {"name": "launchworthy-testing", "version": "1"},
                "io.modelcontextprotocol/clientCapabilities": (
                    {} if self._approve is None else {"elicitation": {"form": {}, "url": {}}}
                ),
            }
        return {"jsonrpc": "2.0", "id": next(self._ids), "method": method, "params": body}

    def headers(self, method: str, params: Mapping[str, Any]) -> dict[str, str]:
        """The headers of the revision, and the token."""
        headers = {
            "content-type": "application/json",
            "accept": "application/json, text/event-stream",
            "mcp-protocol-version": self._revision,
        }
        if self._revision == MODERN:
            headers["mcp-method"] = method
            if method in _NAMED_BY:
                headers["mcp-name"] = str(params[_NAMED_BY[method]])
        if self._token is not None:
            headers["authorization"] = f"Bearer {self._token.reveal()}"
        return headers


def _text_of(result: Mapping[str, Any]) -> str:
    return "\n".join(part["text"] for part in result.get("content", ()) if part.get("type") == "text")
