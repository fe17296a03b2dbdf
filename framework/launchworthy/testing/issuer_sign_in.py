"""How does a person say yes? One page with a button, and a code for the client. RFC 6749 §4.1, RFC 7636.

The page exists so that a browser, a headless client and a test all walk the same way as with a real
issuer. What cannot be sent back to a registered address is shown here and goes nowhere (§4.1.2.1).
"""

import re
import secrets
from collections.abc import Callable
from dataclasses import replace
from html import escape
from string import Template
from typing import Final
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from launchworthy.testing.issuer_clients import Clients
from launchworthy.testing.issuer_errors import NO_STORE, OAuthError, read_parameters
from launchworthy.testing.issuer_grants import CODE_SECONDS, Authorization, Grants, is_sign_in
from launchworthy.testing.visitor import PERSON

_LOOPBACK_PORT: Final = re.compile(r"^(http://127\.0\.0\.1):[0-9]{1,5}(?=/)")
_CHALLENGE_LENGTH: Final = 43
_HEADERS: Final = {
    **NO_STORE,
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
}
_PERSON: Final = Template('<p><button name="person" value="$person">Sign in as $person</button></p>')
_PAGE: Final = Template(
    """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Simulated sign-in</title>
<style>body { font: 16px/1.5 system-ui; max-width: 34em; margin: 4em auto; padding: 0 1em }
button { font: inherit; padding: .5em 1em }</style></head>
<body><h1>Simulated sign-in</h1>
<p><b>$client</b> asks to act for you at <b>$resource</b>.</p>
<p>It would get: $scopes</p>
<form method="post" action="/authorize"><input type="hidden" name="request" value="$request">
$people
<button name="answer" value="no">No</button></form>
</body></html>
"""
)


class SignIn:
    """The authorization endpoint of one issuer."""

    def __init__(self, issuer: str, clients: Clients, grants: Grants, clock: Callable[[], float]) -> None:
        """Nobody is signing in yet."""
        self._issuer = issuer
        self._clients = clients
        self._grants = grants
        self._clock = clock
        self._waiting: dict[str, tuple[Authorization, str]] = {}

    async def show(self, request: Request) -> Response:
        """The page (GET)."""
        parameters = read_parameters(request.url.query)
        client = self._clients.find(parameters.get("client_id", ""))
        redirect_uri = parameters.get("redirect_uri", "")
        if _without_loopback_port(redirect_uri) not in map(_without_loopback_port, client.redirect_uris):
            raise OAuthError("invalid_request", "`redirect_uri` is not registered")
        state = parameters.get("state", "")
        try:
            resource, scopes = self._grants.target(parameters)
            _check_flow(parameters)
        except OAuthError as error:
            return self._back(redirect_uri, state, error=error.code, error_description=error.description)
        handle = secrets.token_urlsafe(16)
        self._waiting[handle] = (
            Authorization(
                client_id=client.client_id,
                redirect_uri=redirect_uri,
                code_challenge=parameters["code_challenge"],
                resource=resource,
                scopes=scopes,
                subject=PERSON,  # or whoever signs in
                expires_at=self._clock() + CODE_SECONDS,
                openid=is_sign_in(parameters),
                nonce=parameters.get("nonce"),
                acr=parameters.get("acr_values", "").partition(" ")[0] or None,
            ),
            state,
        )
        page = _PAGE.substitute(
            client=escape(client.client_id),
            resource=escape(resource or "itself"),
            scopes=escape(" ".join(scopes) or "nothing in particular"),
            request=handle,
            people="\n".join(_PERSON.substitute(person=escape(person)) for person in self._grants.people),
        )
        return HTMLResponse(page, headers=_HEADERS)

    async def decide(self, request: Request) -> Response:
        """The button (POST)."""
        form = read_parameters((await request.body()).decode())
        waiting = self._waiting.pop(form.get("request", ""), None)
        if waiting is None:
            raise OAuthError("invalid_request", "this page was answered before")
        authorization, state = waiting
        if form.get("answer", "yes") != "yes":
            return self._back(authorization.redirect_uri, state, error="access_denied")
        authorization = replace(authorization, subject=form.get("person", PERSON))
        return self._back(authorization.redirect_uri, state, code=self._grants.authorize(authorization))

    def _back(self, redirect_uri: str, state: str, **answer: str) -> Response:
        """Send the person back, with the issuer's name beside the answer (RFC 9207)."""
        query = urlencode({**answer, **({"state": state} if state else {}), "iss": self._issuer})
        separator = "&" if "?" in redirect_uri else "?"
        return RedirectResponse(f"{redirect_uri}{separator}{query}", status_code=303, headers=_HEADERS)


def _without_loopback_port(uri: str) -> str:
    """A native client comes back to a port of its machine that nobody knows before (RFC 8252 §7.3)."""
    return _LOOPBACK_PORT.sub(r"\1", uri)


def _check_flow(parameters: dict[str, str]) -> None:
    """Only codes, and only with PKCE by SHA-256 (RFC 7636 §4.3)."""
    if parameters.get("response_type") != "code":
        raise OAuthError("unsupported_response_type", "only `code` is supported")
    if parameters.get("code_challenge_method") != "S256":
        raise OAuthError("invalid_request", "`code_challenge_method` is not S256")
    if len(parameters.get("code_challenge", "")) != _CHALLENGE_LENGTH:
        raise OAuthError("invalid_request", "`code_challenge` is no SHA-256")
