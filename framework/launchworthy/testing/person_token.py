"""How does a client come to a token of the simulated person? As any client does: it registers, they sign in.

RFC 7591, RFC 6749 §4.1, RFC 7636, RFC 8707. For `launchworthy dev call`, where a tool asks its caller: a
machine's own token has nobody to ask.
"""

import secrets
from typing import Final
from urllib.parse import parse_qsl, urlsplit

import httpx2

from launchworthy.testing.visitor import PERSON, Visitor
from launchworthy.tokens.authorization_request import authorization_address

_REDIRECT: Final = "http://127.0.0.1/signed-in"


def person_token(token_endpoint: str, *, resource: str, scopes: tuple[str, ...]) -> httpx2.Response:
    """Ask a simulated issuer for a token of its simulated person; returns its answer.

    Args:
        token_endpoint: of the issuer; the others lie beside it.
        resource: what the token is for.
        scopes: what it is good for.
    """
    origin = token_endpoint.removesuffix("/token")
    verifier = secrets.token_urlsafe(48)
    with httpx2.Client(timeout=5.0, trust_env=False) as http, Visitor(tls=None) as person:
        registered = http.post(f"{origin}/register", json={"redirect_uris": [_REDIRECT]}).json()
        address = authorization_address(
            f"{origin}/authorize",
            client=registered["client_id"],
            redirect_uri=_REDIRECT,
            state=secrets.token_urlsafe(16),
            verifier=verifier,
            asked={"scope": " ".join(scopes), "resource": resource},
        )
        back = person.authenticate(address, PERSON)
        form = {
            "grant_type": "authorization_code",
            "client_id": registered["client_id"],
            "code": dict(parse_qsl(urlsplit(back).query)).get("code", ""),
            "redirect_uri": _REDIRECT,
            "code_verifier": verifier,
            "resource": resource,
        }
        return http.post(token_endpoint, data=form)
