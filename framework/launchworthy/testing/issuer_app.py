"""Which path of the simulated issuer answers what? RFC 8414, RFC 7517, RFC 7591, RFC 7009."""

import asyncio
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from launchworthy.testing.issuer_clients import Clients
from launchworthy.testing.issuer_errors import NO_STORE, OAuthError, answer_error, read_parameters
from launchworthy.testing.issuer_faults import Counts, Fault, Faults, answer
from launchworthy.testing.issuer_grants import EXCHANGE, Grants
from launchworthy.testing.issuer_keys import ALGORITHMS, SigningKeys
from launchworthy.testing.issuer_sign_in import SignIn


@dataclass(frozen=True, slots=True, kw_only=True)
class Realm:
    """Everything one simulated issuer is made of.

    Attributes:
        issuer: its name, which is its URL.
        path: the path of that URL; empty or `/…`.
        scopes: all that its resources offer.
        keys: what it signs with.
        clients: whom it knows.
        grants: what it issues.
        sign_in: where people say yes.
        faults: what is broken now.
        counts: how often each endpoint was asked.
    """

    issuer: str
    path: str
    scopes: tuple[str, ...]
    keys: SigningKeys
    clients: Clients
    grants: Grants
    sign_in: SignIn
    faults: Faults
    counts: Counts

    @property
    def origin(self) -> str:
        """The issuer without its path."""
        return self.issuer.removesuffix(self.path) if self.path else self.issuer

    def metadata(self) -> dict[str, Any]:
        """RFC 8414 §2, RFC 9207, OpenID Connect Discovery §3."""
        origin = self.origin
        return {
            "issuer": self.issuer,
            "jwks_uri": f"{origin}/keys",
            "authorization_endpoint": f"{origin}/authorize",
            "token_endpoint": f"{origin}/token",
            "registration_endpoint": f"{origin}/register",
            "revocation_endpoint": f"{origin}/revoke",
            "response_types_supported": ["code"],
            "grant_types_supported": ["client_credentials", "authorization_code", EXCHANGE],
            "token_endpoint_auth_methods_supported": ["private_key_jwt", "none"],
            "token_endpoint_auth_signing_alg_values_supported": list(ALGORITHMS),
            "code_challenge_methods_supported": ["S256"],
            "scopes_supported": list(self.scopes),
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": list(ALGORITHMS),
            "authorization_response_iss_parameter_supported": True,
            "client_id_metadata_document_supported": True,
        } | dict(self.faults.metadata)


def build_app(realm: Realm, ended: asyncio.Event, well_known: tuple[str, ...]) -> Starlette:
    """The issuer as an ASGI application.

    Args:
        realm: what it is made of.
        ended: set when it stops, so that nothing hangs longer.
        well_known: the paths at which its metadata stand.
    """

    async def discovery(_: Request) -> Response:
        realm.counts.add("discovery")
        return await answer(realm.faults.discovery, realm.metadata(), ended)

    async def keys(_: Request) -> Response:
        realm.counts.add("keys")
        document = realm.faults.key_document
        good = realm.keys.document() if document is None else document
        return await answer(realm.faults.keys, good, ended)

    async def elsewhere(_: Request) -> Response:
        realm.counts.add("redirected")
        return JSONResponse(realm.keys.document())

    async def token(request: Request) -> Response:
        realm.counts.add("token")
        if realm.faults.token is not Fault.NONE:
            return await answer(realm.faults.token, {}, ended)
        form = await _form(request)
        client = realm.clients.authenticate(form)
        return JSONResponse(realm.grants.issue(client, form), headers=dict(NO_STORE))

    async def revoke(request: Request) -> Response:
        realm.counts.add("revoke")
        form = await _form(request)
        realm.clients.authenticate(form)
        realm.grants.revoke(form.get("token", ""))
        return Response(headers=dict(NO_STORE))

    async def register(request: Request) -> Response:
        realm.counts.add("register")
        metadata = _registration(await request.body())
        client = realm.clients.register(metadata)
        answered = {"token_endpoint_auth_method": "none", **metadata, "client_id": client.client_id}
        return JSONResponse(answered, status_code=201, headers=dict(NO_STORE))

    posts: Mapping[str, Callable[[Request], Any]] = {
        "/token": token,
        "/revoke": revoke,
        "/register": register,
    }
    return Starlette(
        routes=[
            *(Route(path, discovery, methods=["GET"]) for path in well_known),
            Route("/keys", keys, methods=["GET"]),
            Route("/elsewhere", elsewhere, methods=["GET"]),
            Route("/authorize", realm.sign_in.show, methods=["GET"]),
            Route("/authorize", realm.sign_in.decide, methods=["POST"]),
            *(Route(path, endpoint, methods=["POST"]) for path, endpoint in posts.items()),
        ],
        exception_handlers={OAuthError: answer_error},
    )


async def _form(request: Request) -> dict[str, str]:
    try:
        return read_parameters((await request.body()).decode("ascii"))
    except UnicodeDecodeError:
        raise OAuthError("invalid_request", "a form is ASCII") from None


def _registration(body: bytes) -> dict[str, Any]:
    try:
        metadata = json.loads(body)
    except ValueError:
        metadata = None
    if not isinstance(metadata, dict):
        raise OAuthError("invalid_client_metadata", "the body is not a JSON object")
    return metadata
