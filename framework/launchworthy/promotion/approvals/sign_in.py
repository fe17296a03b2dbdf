"""How does a person prove who approves? They sign in at their issuer, for exactly this matter.

The authorization code flow with PKCE of a public client (RFC 6749 §4.1, RFC 7636, RFC 8252 §7.3, OpenID
Connect Core §3.1): the browser comes back to a port of this machine that is open for this one answer.
"""

import asyncio
import base64
import hashlib
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from hmac import compare_digest
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Final, NoReturn, Self
from urllib.parse import parse_qs, urlencode, urlsplit

from launchworthy.tokens.discovery import MetadataError, discover
from launchworthy.tokens.endpoint import EndpointError, read_endpoint
from launchworthy.tokens.fetch import Fetcher, FetchError, system_network
from launchworthy.tokens.shown import shown
from launchworthy.vocabulary import Problem, ProblemError

WAIT_SECONDS: Final = 300.0
_SCOPE: Final = "openid email groups"
_REQUEST_SECONDS: Final = 2.0
"""For a request to be there once something has connected: browsers open connections that they may need."""
_DONE: Final = b"<!doctype html><meta charset=utf-8><title>Done</title><p>You can close this page."


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a person signs in.

    Attributes:
        issuer: who vouches for them.
        client: the public client that is registered for approvals.
        simulated: whether the issuer is one of this machine.
    """

    issuer: str
    client: str
    simulated: bool


def sign_in(place: Place, nonce: str, *, show: Callable[[str], None], wait: float = WAIT_SECONDS) -> str:
    """Have a person sign in; returns the ID token, unverified.

    Args:
        place: where.
        nonce: what the ID token must hold.
        show: told the address to open.
        wait: seconds for the person.

    Raises:
        ProblemError: `sign-in-failed`.
    """
    try:
        authorize, token = asyncio.run(_endpoints(place))
    except (FetchError, MetadataError, EndpointError, TimeoutError) as error:
        _fail(place, f"its metadata cannot be had: {error}")
    verifier = secrets.token_urlsafe(48)
    state = secrets.token_urlsafe(24)
    with _Redirect() as redirect:
        challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
        asked = {
            "response_type": "code",
            "client_id": place.client,
            "redirect_uri": redirect.uri,
            "scope": _SCOPE,
            "state": state,
            "nonce": nonce,
            "code_challenge": challenge,
            "code_challenge_method": "S256",
            "prompt": "login",
        }
        show(f"{authorize}{'&' if '?' in authorize else '?'}{urlencode(asked)}")
        answer = redirect.answer(wait)
        if answer is None:
            _fail(place, f"nobody came back within {wait:.0f} s")
        _check_answer(place, answer, state)
        form = {
            "grant_type": "authorization_code",
            "code": answer.get("code", ""),
            "redirect_uri": redirect.uri,
            "client_id": place.client,
            "code_verifier": verifier,
        }
    return _redeem(place, token, form)


def _fetcher(place: Place) -> Fetcher:
    own = read_endpoint(place.issuer, allow_loopback_http=place.simulated, query=False)
    return Fetcher(own, system_network(), loopback=place.simulated)


async def _endpoints(place: Place) -> tuple[str, str]:
    """The authorization and token endpoints of the issuer, by metadata that are its own."""
    fetcher = _fetcher(place)
    found = partial(discover, fetcher, issuer=place.issuer, allow_loopback_http=place.simulated)
    async with asyncio.timeout(2 * fetcher.seconds):
        return await found("authorization_endpoint"), await found("token_endpoint")


def _check_answer(place: Place, answer: Mapping[str, str], state: str) -> None:
    if not compare_digest(answer.get("state", ""), state):
        _fail(place, "the answer was to another question")
    if answer.get("iss", place.issuer) != place.issuer:  # RFC 9207
        _fail(place, f"{shown(answer['iss'])} answered")
    if "error" in answer or "code" not in answer:
        _fail(place, f"it answered {shown(answer.get('error'))}")


def _redeem(place: Place, token: str, form: Mapping[str, str]) -> str:
    try:
        answer = asyncio.run(_posted(place, token, form))
    except (FetchError, EndpointError) as error:
        _fail(place, f"the code was not taken: {error}")
    except TimeoutError:
        _fail(place, "the code was not taken in time")
    given = answer.get("id_token")
    if not isinstance(given, str):
        _fail(place, "it gave no ID token")
    return given


async def _posted(place: Place, token: str, form: Mapping[str, str]) -> dict[str, object]:
    """The answer of the token endpoint, read within the bounds of any answer of an issuer."""
    fetcher = _fetcher(place)
    endpoint = read_endpoint(token, allow_loopback_http=place.simulated, query=True)
    async with asyncio.timeout(fetcher.seconds):
        return await fetcher.post(endpoint, urlencode(form).encode("ascii"))


def _fail(place: Place, why: str) -> NoReturn:
    what = f"the sign-in at {place.issuer} failed: {why}"
    fix = (f"look at the client `{place.client}` there: public, PKCE, redirects to http://127.0.0.1",)
    raise ProblemError(Problem(reason="sign-in-failed", what=what, fix=fix))


class _Redirect:
    """A port of this machine that waits for one browser."""

    def __init__(self) -> None:
        answers: list[dict[str, str]] = []

        class Handler(BaseHTTPRequestHandler):
            timeout = _REQUEST_SECONDS

            def do_GET(self) -> None:
                parts = urlsplit(self.path)
                if parts.path != "/callback":
                    self.send_error(404)
                    return
                answers.append({name: values[0] for name, values in parse_qs(parts.query).items()})
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
        return self

    def __exit__(self, *_: object) -> None:
        self._server.server_close()

    def answer(self, seconds: float) -> dict[str, str] | None:
        """What the browser brought, or None."""
        self._server.timeout = 0.5
        for _ in range(max(1, int(seconds / 0.5))):
            self._server.handle_request()
            if self._answers:
                return self._answers[0]
        return None
