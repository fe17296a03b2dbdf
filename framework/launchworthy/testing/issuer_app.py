"""Which path of the simulated issuer answers what? RFC 8414, RFC 7517, RFC 7591, RFC 7009."""

import asyncio
import json
from dataclasses import dataclass
from typing import Any

from joserfc.util import urlsafe_b64encode
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from launchworthy.testing.issuer_clients import Clients
from launchworthy.testing.issuer_device import DEVICE_CODE, DeviceSignIns
from launchworthy.testing.issuer_errors import NO_STORE, OAuthError, answer_error, read_parameters
from launchworthy.testing.issuer_faults import Counts, Fault, Faults, answer
from launchworthy.testing.issuer_grants import Grants
from launchworthy.testing.issuer_keys import ALGORITHMS, SigningKeys
from launchworthy.testing.issuer_opaque import OpaqueTokens
from launchworthy.testing.issuer_sign_in import SignIn

SIGNING_ENDPOINT = "launchworthy_signing_endpoint"
"""Where a simulated issuer signs what it is told to; no other issuer has anything like it."""


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
        opaque: its opaque tokens.
        sign_in: where people say yes.
        device: where they say yes for a device.
        faults: what is broken now.
        counts: how often each endpoint was asked.
    """

    issuer: str
    path: str
    scopes: tuple[str, ...]
    keys: SigningKeys
    clients: Clients
    grants: Grants
    opaque: OpaqueTokens
    sign_in: SignIn
    device: DeviceSignIns
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
            "introspection_endpoint": f"{origin}/introspect",
            SIGNING_ENDPOINT: f"{origin}/sign",
            "response_types_supported": ["code"],
            "grant_types_supported": list(self.grants.types),
            "token_endpoint_auth_methods_supported": list(self.clients.methods),
            "token_endpoint_auth_signing_alg_values_supported": list(ALGORITHMS),
            "code_challenge_methods_supported": ["S256"],
            "scopes_supported": list(self.scopes),
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": list(ALGORITHMS),
            "authorization_response_iss_parameter_supported": True,
            "client_id_metadata_document_supported": self.clients.reads_documents,
            **({"device_authorization_endpoint": f"{origin}/device"} if self.device.offered else {}),
        } | dict(self.faults.metadata)


def build_app(realm: Realm, ended: asyncio.Event, well_known: tuple[str, ...]) -> Starlette:
    """The issuer as an ASGI application.

    Args:
        realm: what it is made of.
        ended: set when it stops, so that nothing hangs longer.
        well_known: the paths at which its metadata stand.
    """
    endpoints = _Endpoints(realm, ended, well_known)
    return Starlette(
        routes=[
            *(Route(path, endpoints.discovery, methods=["GET"]) for path in well_known),
            Route("/keys", endpoints.keys, methods=["GET"]),
            Route("/elsewhere", endpoints.elsewhere, methods=["GET"]),
            Route("/authorize", realm.sign_in.show, methods=["GET"]),
            Route("/authorize", realm.sign_in.decide, methods=["POST"]),
            Route("/device", endpoints.device, methods=["POST"]),
            Route("/token", endpoints.token, methods=["POST"]),
            Route("/revoke", endpoints.revoke, methods=["POST"]),
            Route("/introspect", endpoints.introspect, methods=["POST"]),
            Route("/sign", endpoints.sign, methods=["POST"]),
            Route("/register", endpoints.register, methods=["POST"]),
        ],
        exception_handlers={OAuthError: answer_error},
    )


class _Endpoints:
    """What each path answers."""

    def __init__(self, realm: Realm, ended: asyncio.Event, well_known: tuple[str, ...]) -> None:
        self._realm = realm
        self._ended = ended
        self._well_known = well_known

    async def discovery(self, request: Request) -> Response:
        self._realm.counts.add("discovery")
        if self._well_known.index(request.url.path) < self._realm.faults.missing_places:
            return await answer(Fault.NOT_FOUND, {}, self._ended)
        return await answer(self._realm.faults.discovery, self._realm.metadata(), self._ended)

    async def keys(self, _: Request) -> Response:
        self._realm.counts.add("keys")
        document = self._realm.faults.key_document
        good = self._realm.keys.document() if document is None else document
        return await answer(self._realm.faults.keys, good, self._ended)

    async def elsewhere(self, _: Request) -> Response:
        self._realm.counts.add("redirected")
        return JSONResponse(self._realm.keys.document())

    async def token(self, request: Request) -> Response:
        self._realm.counts.add("token")
        if self._realm.faults.token is not Fault.NONE:
            return await answer(self._realm.faults.token, {}, self._ended)
        form = await _form(request)
        if self._realm.faults.lending is not Fault.NONE and form.get("grant_type") != "authorization_code":
            return await answer(self._realm.faults.lending, {}, self._ended)
        client = self._realm.clients.authenticate(form, request.headers.get("authorization"))
        if form.get("grant_type") == DEVICE_CODE and self._realm.device.offered:
            said = self._realm.grants.answer(self._realm.device.redeem(client, form))
        else:
            said = self._realm.grants.issue(client, form)
        return JSONResponse(said, headers=dict(NO_STORE))

    async def device(self, request: Request) -> Response:
        self._realm.counts.add("device")
        said = self._realm.device.begin(await _form(request), f"{self._realm.origin}/device")
        return JSONResponse(said, headers=dict(NO_STORE))

    async def revoke(self, request: Request) -> Response:
        self._realm.counts.add("revoke")
        if self._realm.faults.revocation is not Fault.NONE:
            return await answer(self._realm.faults.revocation, {}, self._ended)
        form = await _form(request)
        self._realm.clients.authenticate(form, request.headers.get("authorization"))
        self._realm.grants.revoke(form.get("token", ""))
        self._realm.opaque.revoke(form.get("token", ""))
        return Response(headers=dict(NO_STORE))

    async def introspect(self, request: Request) -> Response:
        self._realm.counts.add("introspect")
        form = await _form(request)
        self._realm.clients.authenticate(form, request.headers.get("authorization"))
        good: object = self._realm.opaque.answer(form.get("token", ""))
        told = self._realm.faults.introspection_document
        return await answer(self._realm.faults.introspection, good if told is None else told, self._ended)

    async def sign(self, request: Request) -> Response:
        """Sign whatever a client wrote, so that a probe in another process can write wrong tokens too."""
        self._realm.counts.add("sign")
        form = await _form(request)
        if self._realm.clients.authenticate(form, request.headers.get("authorization")).keys is None:
            raise OAuthError("invalid_client", "a public client cannot ask for signatures", status=401)
        key = self._realm.keys.active()
        signature = urlsafe_b64encode(key.sign(form.get("input", "").encode("ascii"))).decode("ascii")
        answered = {"kid": key.kid, "alg": key.algorithm, "signature": signature, "jwk": key.public()}
        return JSONResponse(answered, headers=dict(NO_STORE))

    async def register(self, request: Request) -> Response:
        self._realm.counts.add("register")
        metadata = _registration(await request.body())
        client = self._realm.clients.register(metadata)
        answered = {"token_endpoint_auth_method": "none", **metadata, "client_id": client.client_id}
        return JSONResponse(answered, status_code=201, headers=dict(NO_STORE))


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
