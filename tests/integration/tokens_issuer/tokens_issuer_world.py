"""What the tests of the simulated issuer share: its clock, and ways to ask it."""

import time
from typing import Any

import httpx2
from joserfc import jwt
from joserfc.jwk import KeySet
from joserfc.jws import JWSRegistry

from launchworthy.testing.issuer import ABSENT, SimulatedIssuer
from launchworthy.testing.issuer_clients import ASSERTION_TYPE

ORDERS, PAYMENTS = "https://orders.acme.example/mcp", "https://payments.acme.example"
CALLBACK = "http://127.0.0.1:9/callback"
DOCUMENT = "https://agent.acme.example/client.json"
ALGORITHMS = ("ES256", "RS256", "Ed25519", "PS256")


class Clock:
    def __init__(self) -> None:
        self.ahead = 0

    def __call__(self) -> float:
        return time.time() + self.ahead


CLOCK = Clock()


def metadata_of(client_id: str) -> dict[str, Any]:
    return {
        "client_id": DOCUMENT if client_id == DOCUMENT else "https://else.example",
        "redirect_uris": [CALLBACK],
    }


def form(issuer: SimulatedIssuer, **changes: Any) -> dict[str, str]:
    fields = {
        "grant_type": "client_credentials",
        "client_assertion_type": ASSERTION_TYPE,
        "client_assertion": issuer.client.assertion(issuer.issuer, int(CLOCK())),
        "resource": ORDERS,
        "scope": "orders:read",
    } | changes
    return {name: value for name, value in fields.items() if value is not ABSENT}


def ask(http: httpx2.Client, issuer: SimulatedIssuer, **changes: Any) -> httpx2.Response:
    return http.post(issuer.token_endpoint, data=form(issuer, **changes))


def error(response: httpx2.Response) -> tuple[int, str]:
    return response.status_code, response.json()["error"]


def claims(issuer: SimulatedIssuer, http: httpx2.Client, token: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Header and claims, checked with another implementation of JWT."""
    keys = KeySet.import_key_set(http.get(issuer.jwks_uri).json())
    registry = JWSRegistry(algorithms=ALGORITHMS)
    read = jwt.decode(token, keys, registry=registry)
    return read.header, read.claims
