"""The SDK's own clients get from a bare 401 to a good call, and up to a further scope, without help."""

import asyncio
import re
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx2
from mcp.client.auth import OAuthClientProvider
from mcp.client.auth.extensions.client_credentials import PrivateKeyJWTOAuthProvider
from mcp.client.auth.oauth2 import AuthorizationCodeResult
from mcp.shared.auth import OAuthClientInformationFull, OAuthClientMetadata, OAuthToken
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from launchworthy.testing.issuer import PERSON, SimulatedIssuer
from launchworthy.tokens import (
    IssuerPolicy,
    NobodyDenied,
    challenge,
    metadata_paths,
    metadata_url,
    parse_authorization,
    protected_resource_metadata,
)
from launchworthy.tokens.verifier import TokenVerifier
from launchworthy.vocabulary import PrincipalKind, Refused

RESOURCE = "https://orders.acme.example/mcp"
CALLBACK = "http://127.0.0.1:9/callback"
DOCUMENT = "https://agent.acme.example/client.json"
NEEDED = {"/mcp": ("orders:read",), "/mcp/write": ("orders:read", "orders:write")}


class Storage:
    """What the SDK's client remembers."""

    def __init__(self) -> None:
        self.tokens: OAuthToken | None = None
        self.client: OAuthClientInformationFull | None = None

    async def get_tokens(self) -> OAuthToken | None:
        return self.tokens

    async def set_tokens(self, tokens: OAuthToken) -> None:
        self.tokens = tokens

    async def get_client_info(self) -> OAuthClientInformationFull | None:
        return self.client

    async def set_client_info(self, client_info: OAuthClientInformationFull) -> None:
        self.client = client_info


def protected(verifier: TokenVerifier, issuer: SimulatedIssuer) -> Starlette:
    """A resource server made of nothing but this package."""

    def refused(status: int, error: str | None, scopes: tuple[str, ...]) -> Response:
        value = challenge(
            error=error, scope=scopes, resource_metadata=metadata_url(RESOURCE), description=None
        )
        return Response(status_code=status, headers={"WWW-Authenticate": value})

    async def endpoint(request: Request) -> Response:
        try:
            values = [value for name, value in request.headers.raw if name == b"authorization"]
            token = parse_authorization(values, request.url.query.encode())
            principal = await verifier.verify(token, int(time.time()))
        except Refused as refusal:
            error = "invalid_token" if refusal.reason.family == "token" else None
            return refused(401, error, NEEDED["/mcp"])
        needed = NEEDED[request.url.path]
        if not principal.scopes.issuperset(needed):
            return refused(403, "insufficient_scope", needed)
        return JSONResponse(
            {"subject": principal.subject, "client": principal.client, "kind": principal.kind}
        )

    async def metadata(_: Request) -> Response:
        return JSONResponse(protected_resource_metadata(RESOURCE, [issuer.issuer], NEEDED["/mcp"], "Orders"))

    return Starlette(
        routes=[
            *(Route(path, metadata) for path in metadata_paths(RESOURCE)),
            *(Route(path, endpoint, methods=["POST"]) for path in NEEDED),
        ]
    )


@asynccontextmanager
async def world(
    auth: Callable[[SimulatedIssuer], httpx2.Auth],
) -> AsyncIterator[tuple[httpx2.AsyncClient, SimulatedIssuer]]:
    issuer = SimulatedIssuer(
        {RESOURCE: ("orders:read", "orders:write")},
        fetch_client_metadata=lambda client_id: {"client_id": client_id, "redirect_uris": [CALLBACK]},
    )
    policy = IssuerPolicy(
        name="simulated",
        issuer=issuer.issuer,
        algorithms=("ES256",),
        max_lifetime=3600,
        leeway=30,
        jwks_uri=None,
        scope_claim="scope",
        person_claim="name",
        tenant_claim=None,
        key_fresh=300,
        key_stale=900,
        key_spacing=10,
        allow_loopback_http=True,
        single_audience=True,
        exceptions=(),
        introspection=None,
    )
    with issuer:
        verifier = TokenVerifier([policy], RESOURCE, {}, lambda _: None, time.monotonic, deny=NobodyDenied())
        await verifier.start(5)
        app = httpx2.ASGITransport(app=protected(verifier, issuer))
        async with httpx2.AsyncClient(
            auth=auth(issuer), trust_env=False, mounts={"https://orders.acme.example": app}
        ) as client:
            yield client, issuer
        await verifier.aclose()


async def called(client: httpx2.AsyncClient, path: str = "") -> dict[str, Any]:
    response = await client.post(f"{RESOURCE}{path}", headers={"MCP-Protocol-Version": "2026-07-28"})
    assert response.status_code == 200, response.headers
    answer = response.json()
    assert isinstance(answer, dict)
    return answer


def signing_in() -> tuple[Callable[[str], Awaitable[None]], Callable[[], Awaitable[AuthorizationCodeResult]]]:
    """A person with a browser: opens the page, clicks the button, and is sent back."""
    answers: list[str] = []

    async def open_page(url: str) -> None:
        async with httpx2.AsyncClient(trust_env=False) as browser:
            page = await browser.get(url)
            found = re.search(r'name="request" value="([^"]+)"', page.text)
            assert found is not None, page.text
            form = {"request": found[1], "answer": "yes"}
            back = await browser.post(str(page.url.join("/authorize")), data=form)
            answers.append(back.headers["location"])

    async def come_back() -> AuthorizationCodeResult:
        query = parse_qs(urlsplit(answers.pop()).query)
        return AuthorizationCodeResult(code=query["code"][0], state=query["state"][0], iss=query["iss"][0])

    return open_page, come_back


def browser_auth(document: str | None) -> httpx2.Auth:
    open_page, come_back = signing_in()
    return OAuthClientProvider(
        RESOURCE,
        OAuthClientMetadata.model_validate({"redirect_uris": [CALLBACK], "client_name": "x"}),
        Storage(),
        open_page,
        come_back,
        client_metadata_url=document,
    )


def agent_auth(issuer: SimulatedIssuer) -> httpx2.Auth:
    async def assertion(audience: str) -> str:
        return issuer.client.assertion(audience, int(time.time()))

    return PrivateKeyJWTOAuthProvider(
        RESOURCE, Storage(), issuer.client.client_id, assertion, issuer=issuer.issuer
    )


def test_an_agent_proves_itself_by_assertion_and_steps_up() -> None:
    async def scenario() -> None:
        async with world(agent_auth) as (client, issuer):
            first = await called(client)
            assert first == {
                "subject": "simulated-agent",
                "client": "simulated-agent",
                "kind": PrincipalKind.MACHINE,
            }
            assert issuer.counts["token"] == 1
            await called(client, "/write")
            assert issuer.counts["token"] == 2

    asyncio.run(scenario())


def test_a_person_signs_in_through_a_client_known_by_its_document() -> None:
    async def scenario() -> None:
        async with world(lambda _: browser_auth(DOCUMENT)) as (client, issuer):
            assert await called(client) == {
                "subject": PERSON,
                "client": DOCUMENT,
                "kind": PrincipalKind.PERSON,
            }
            assert issuer.counts["register"] == 0
            await called(client, "/write")

    asyncio.run(scenario())


def test_a_person_signs_in_through_a_client_that_registers_itself() -> None:
    async def scenario() -> None:
        async with world(lambda _: browser_auth(None)) as (client, issuer):
            answer = await called(client)
            assert (answer["subject"], answer["kind"]) == (PERSON, PrincipalKind.PERSON)
            assert issuer.counts["register"] == 1

    asyncio.run(scenario())
