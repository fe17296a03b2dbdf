"""How does a person's browser bring a code back to this machine?

The authorization code flow of a public client with PKCE (RFC 6749 §4.1, RFC 7636, RFC 8252 §7.3): the browser
comes back to a port of this machine that is open for this one answer.
"""

import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from hmac import compare_digest
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Final, Self
from urllib.parse import parse_qs, urlsplit

from launchworthy.tokens.authorization_request import authorization_address
from launchworthy.tokens.shown import shown

WAIT_SECONDS: Final = 300.0
"""For a person to sign in."""
_REQUEST_SECONDS: Final = 2.0
"""For a request to be there once something has connected: browsers open connections that they may need."""
_LOOK_SECONDS: Final = 0.5
_DONE: Final = b"<!doctype html><meta charset=utf-8><title>Done</title><p>You can close this page."


class CodeFlowError(Exception):
    """The browser brought no code that is an answer to this question; the message is for the person."""


def _secret() -> str:
    return secrets.token_urlsafe(36)


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeFlow:
    """One question to one person, by their browser.

    Attributes:
        issuer: who asks them.
        client: who we are there: a public client.
        redirect_uri: where they come back to.
        state: what tells the answer to this question from others.
        verifier: what proves that whoever redeems the code has asked for it.
    """

    issuer: str
    client: str
    redirect_uri: str
    state: str = field(default_factory=_secret, repr=False)
    verifier: str = field(default_factory=_secret, repr=False)

    def address(self, endpoint: str, asked: Mapping[str, str]) -> str:
        """The address to open.

        Args:
            endpoint: the issuer's authorization endpoint.
            asked: `scope` and whatever else is asked for.
        """
        return authorization_address(
            endpoint,
            client=self.client,
            redirect_uri=self.redirect_uri,
            state=self.state,
            verifier=self.verifier,
            asked=asked,
        )

    def code_of(self, answer: Mapping[str, str]) -> str:
        """The code, if this is the issuer's answer to this question.

        Raises:
            CodeFlowError: it is another's, to another, or a no.
        """
        if not compare_digest(answer.get("state", "").encode(), self.state.encode()):
            raise CodeFlowError("the answer was to another question")
        if answer.get("iss", self.issuer) != self.issuer:  # RFC 9207
            raise CodeFlowError(f"{shown(answer['iss'])} answered")
        if "error" in answer or not answer.get("code"):
            raise CodeFlowError(f"it answered {shown(answer.get('error'))}")
        return answer["code"]

    def form(self, code: str) -> dict[str, str]:
        """What the token endpoint is sent for a code, beside `grant_type`."""
        return {
            "code": code,
            "redirect_uri": self.redirect_uri,
            "client_id": self.client,
            "code_verifier": self.verifier,
        }


class Redirect:
    """A port of this machine that waits for one browser."""

    def __init__(self) -> None:
        """Take a free port."""
        answers: list[dict[str, str]] = []

        class Handler(BaseHTTPRequestHandler):
            timeout = _REQUEST_SECONDS

            def do_GET(self) -> None:
                parts = urlsplit(self.path)
                if parts.path != "/callback":
                    self.send_error(404)
                    return
                said = parse_qs(parts.query)
                if any(len(values) > 1 for values in said.values()):  # RFC 6749 §3.1: nothing is said twice
                    self.send_error(400)
                    return
                answers.append({name: values[0] for name, values in said.items()})
                self.send_response(200)
                self.send_header("Content-Type", "text/html")
                self.send_header("Cache-Control", "no-store")
                self.end_headers()
                self.wfile.write(_DONE)

            def log_message(self, *_: object) -> None:
                """Print nothing: the address holds the code."""

        self._answers = answers
        self._server = HTTPServer(("127.0.0.1", 0), Handler)
        self.uri = f"http://127.0.0.1:{self._server.server_port}/callback"

    def __enter__(self) -> Self:
        """Wait."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close the port."""
        self._server.server_close()

    def answer(self, seconds: float, given_up: Callable[[], bool] = lambda: False) -> dict[str, str] | None:
        """What the browser brought; None if nobody came in time, or `given_up` says that nobody waits."""
        self._server.timeout = _LOOK_SECONDS
        end = time.monotonic() + seconds  # whoever else connects meanwhile takes none of it
        while not given_up():
            self._server.handle_request()
            if self._answers:
                return self._answers[0]
            if time.monotonic() >= end:
                return None
        return None
