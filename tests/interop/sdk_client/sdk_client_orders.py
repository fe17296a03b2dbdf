"""The example, the SDK's own clients with each of their ways to a token, and what they were seen to do."""

import asyncio
import json
import re
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlsplit

import httpx2
from mcp.client.auth import OAuthClientProvider
from mcp.client.auth.extensions.client_credentials import (
    ClientCredentialsOAuthProvider,
    PrivateKeyJWTOAuthProvider,
)
from mcp.client.auth.extensions.identity_assertion import IdentityAssertionOAuthProvider
from mcp.client.auth.oauth2 import AuthorizationCodeResult
from mcp.shared.auth import OAuthClientMetadata
from orders_server import running_orders
from sdk_access import Storage, connected

from launchworthy.testing.issuer import PERSON, SimulatedIssuer
from launchworthy.testing.issuer_clients import RegisteredClient
from launchworthy.testing.world import World

CALLBACK = "http://127.0.0.1:9/callback"
DOCUMENT = "https://agent.acme.example/client.json"
SHARED, ENTERPRISE = "shared-secret-agent", "enterprise-agent"


@dataclass(frozen=True)
class Company:
    """A server, the issuer it trusts, and the company's sign-in whose word that issuer takes."""

    world: World
    provider: SimulatedIssuer
    secret: str

    @property
    def issuer(self) -> SimulatedIssuer:
        return self.world.issuer


def documents(client_id: str) -> Mapping[str, Any]:
    """The web, as far as clients publish themselves there; one document is another client's."""
    named = DOCUMENT if client_id == DOCUMENT else "https://somebody-else.acme.example/client.json"
    return {"client_id": named, "redirect_uris": [CALLBACK]}


@contextmanager
def company(scratch: Path, secret: str) -> Iterator[Company]:
    """Start all of it."""
    with running_orders(scratch, fetch_client_metadata=documents) as (world, _):
        provider = SimulatedIssuer({world.url: world.scopes})
        world.issuer.trust(provider)
        for name in (SHARED, ENTERPRISE):
            world.issuer.clients.add(
                RegisteredClient(client_id=name, keys=None, redirect_uris=(), secret=secret)
            )
        yield Company(world=world, provider=provider, secret=secret)


class Person:
    """Somebody with a browser: opens the page, answers it, and is sent back to the client."""

    def __init__(self, answer: str = "yes") -> None:
        self._answer = answer
        self._address = ""

    async def open(self, url: str) -> None:
        async with httpx2.AsyncClient(trust_env=False) as browser:
            page = await browser.get(url)
            if page.status_code != 200:
                self._address = page.headers.get("location", f"{CALLBACK}?error=not-shown")
                return
            found = re.search(r'name="request" value="([^"]+)"', page.text)
            assert found is not None, page.text
            form = {"request": found[1], "answer": self._answer}
            back = await browser.post(str(page.url.join("/authorize")), data=form)
            self._address = back.headers["location"]

    async def come_back(self) -> AuthorizationCodeResult:
        query = {name: values[0] for name, values in parse_qs(urlsplit(self._address).query).items()}
        return AuthorizationCodeResult(
            code=query.get("code", ""), state=query.get("state"), iss=query.get("iss")
        )


def by_secret(place: Company, method: Any = "client_secret_basic", **changes: Any) -> httpx2.Auth:
    known = {"client_id": SHARED, "client_secret": place.secret, "issuer": place.issuer.issuer} | changes
    return ClientCredentialsOAuthProvider(
        place.world.url, Storage(), token_endpoint_auth_method=method, **known
    )


def by_key(place: Company, **changes: Any) -> httpx2.Auth:
    client = place.issuer.client

    async def assertion(audience: str) -> str:
        return client.assertion(audience, int(time.time()), **changes)

    return PrivateKeyJWTOAuthProvider(
        place.world.url, Storage(), client.client_id, assertion, issuer=place.issuer.issuer
    )


def by_assertion(
    place: Company, *, held: tuple[str, ...] = ("orders:read", "orders:write"), **changes: Any
) -> httpx2.Auth:
    """Enterprise-managed authorization: the company's sign-in vouches for a person (ID-JAG)."""

    async def vouched(audience: str, resource: str) -> str:
        grant = place.provider.grant(resource=resource, scopes=held, subject=PERSON, client=ENTERPRISE)
        return place.provider.vouch(audience, grant, **changes)

    return IdentityAssertionOAuthProvider(
        place.world.url, Storage(), ENTERPRISE, place.secret, place.issuer.issuer, vouched, "orders:read"
    )


def by_sign_in(place: Company, document: str | None = DOCUMENT, person: Person | None = None) -> httpx2.Auth:
    person = Person() if person is None else person
    return OAuthClientProvider(
        place.world.url,
        OAuthClientMetadata.model_validate({"redirect_uris": [CALLBACK], "client_name": "Agent"}),
        Storage(),
        person.open,
        person.come_back,
        client_metadata_url=document,
    )


def by_registration(place: Company) -> httpx2.Auth:
    return by_sign_in(place, None)


WAYS: dict[str, tuple[Callable[[Company], httpx2.Auth], str, str | None]] = {
    "client_secret_basic": (by_secret, SHARED, SHARED),
    "client_secret_post": (lambda place: by_secret(place, "client_secret_post"), SHARED, SHARED),
    "private_key_jwt": (by_key, "simulated-agent", "simulated-agent"),
    "identity_assertion": (by_assertion, PERSON, ENTERPRISE),
    "metadata_document": (by_sign_in, PERSON, DOCUMENT),
    "dynamic_registration": (by_registration, PERSON, None),
}
"""Each way to a token: how, whom the token is about, and which client it names (None: one made up)."""


@dataclass(frozen=True)
class Seen:
    """One request of a client, and its answer."""

    method: str
    path: str
    status: int
    challenge: str | None
    form: Mapping[str, str]
    granted: str | None

    @property
    def short(self) -> str:
        return f"{self.method} {self.path} {self.status}"


@asynccontextmanager
async def watched(place: Company, auth: httpx2.Auth, mode: str) -> Any:
    """The SDK's client, and the list of all it sends."""
    seen: list[Seen] = []

    async def note(response: httpx2.Response) -> None:
        request = response.request
        token = request.url.path == "/token" and response.status_code == 200
        is_form = request.headers.get("content-type") == "application/x-www-form-urlencoded"
        seen.append(
            Seen(
                method=request.method,
                path=request.url.path,
                status=response.status_code,
                challenge=response.headers.get("www-authenticate"),
                form=dict(parse_qsl(request.content.decode())) if is_form else {},
                granted=json.loads(await response.aread())["scope"] if token else None,
            )
        )

    async with connected(place.world, auth, mode, response=[note]) as client:
        yield client, seen


def run(scenario: Any) -> Any:
    return asyncio.run(scenario())
