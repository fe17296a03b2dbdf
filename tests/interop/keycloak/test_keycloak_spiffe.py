"""Our token client at Keycloak, which knows it by its SVID: SPIFFE client authentication, a preview feature.

Keycloak reads the trust bundle of the simulated authority at a bundle endpoint, as it would read SPIRE's, and
takes a JWT-SVID for a client's assertion. There is no secret anywhere.
"""

import asyncio
import base64
import json
import secrets
import time
from types import SimpleNamespace

import pytest
from starlette.applications import Starlette
from starlette.responses import JSONResponse
from starlette.routing import Route

from launchworthy.credentials import CredentialRequest
from launchworthy.credentials.brokers.client_credentials import ClientCredentials
from launchworthy.credentials.client_proof import ClientProof, ProofKind
from launchworthy.credentials.errors import BrokerError
from launchworthy.credentials.token_server import TokenServer
from launchworthy.testing.authority import SimulatedAuthority
from launchworthy.testing.listening import Listening
from launchworthy.testing.world import free_port
from launchworthy.tokens.fetch import system_network
from launchworthy.vocabulary import CallId, Secret

pytestmark = pytest.mark.foreign
PAYMENTS = "https://payments.acme.example"
ALIAS = "acme-workloads"


class Identity:
    """A workload's, by the simulated authority."""

    def __init__(self, authority, name, *, ttl=300, audience=None):
        self.subject = authority.spiffe_id(name)
        self._mint = lambda asked: authority.mint_jwt(self.subject, (audience or asked,), ttl=ttl)

    def require(self):
        """It is always there."""

    async def assertion(self, audience):
        return Secret(self._mint(audience))

    def on_change(self, callback):
        """It never changes."""


@pytest.fixture(scope="module")
def authority():
    return SimulatedAuthority(clock=time.time)


@pytest.fixture(scope="module")
def bundle_endpoint(authority):
    """What SPIRE's bundle endpoint answers: a SPIFFE bundle (SPIFFE Trust Domain and Bundle §4)."""

    async def bundle(_):
        keys = [key | {"use": "jwt-svid"} for key in authority.jwks()["keys"]]
        return JSONResponse({"keys": keys, "spiffe_sequence": 1, "spiffe_refresh_hint": 60})

    port = free_port()
    listening = Listening(
        lambda _: Starlette(routes=[Route("/bundle", bundle)]), port, name="bundle-endpoint"
    )
    yield f"http://127.0.0.1:{port}/bundle"
    listening.stop()


@pytest.fixture(scope="module")
def issuer(place, keycloak, authority, bundle_endpoint):
    _, realm = place
    name = realm.issuer.rpartition("/")[2]
    keycloak.admin(
        "POST",
        f"/{name}/identity-provider/instances",
        {
            "alias": ALIAS, "providerId": "spiffe", "enabled": True,
            "config": {"trustDomain": "spiffe://dev.invalid", "bundleEndpoint": bundle_endpoint},
        },
    )  # fmt: skip
    spiffe_id = authority.spiffe_id("orders")
    keycloak.admin(
        "POST",
        f"/{name}/clients",
        {
            "clientId": spiffe_id, "serviceAccountsEnabled": True, "standardFlowEnabled": False,
            "clientAuthenticatorType": "federated-jwt",
            "attributes": {"jwt.credential.issuer": ALIAS, "jwt.credential.sub": spiffe_id},
            "defaultClientScopes": ["basic", "service_account"],
            "optionalClientScopes": ["payments:read"],
        },
    )  # fmt: skip
    return realm.issuer


def lend(issuer, identity):
    """What our `client-credentials` broker gets."""
    proof = ClientProof(
        ProofKind.JWT_SPIFFE, identity.subject, identity, clock=time.time, random_bits=secrets.randbits
    )
    request = CredentialRequest(
        credential="payments", scopes=("payments:read",), ttl=3600, call=CallId("4T7K-9QX2-M0DV"),
        target="refund_order", principal=SimpleNamespace(), subject_token=None,
    )  # fmt: skip

    async def run():
        server = TokenServer(
            issuer, endpoint=None, proof=proof, network=system_network(), simulated=True,
            monotonic=time.monotonic,
        )  # fmt: skip
        broker = ClientCredentials(
            server, PAYMENTS, identity=identity, assertion_is_grant=False, clock=time.time, new_id=lambda: "x"
        )
        try:
            return await broker.issue(request)
        finally:
            await broker.aclose()

    return asyncio.run(run())


def claims_of(token):
    return json.loads(base64.urlsafe_b64decode(token.split(".")[1] + "=="))


def test_a_jwt_svid_is_the_client_and_there_is_no_secret(issuer, authority):
    lease = lend(issuer, Identity(authority, "orders"))
    claims = claims_of(lease.secret.reveal())
    assert (claims["iss"], claims["aud"]) == (issuer, PAYMENTS)
    assert claims["azp"] == authority.spiffe_id("orders")
    assert "payments:read" in claims["scope"].split()


@pytest.mark.parametrize(
    "wrong", ["another workload", "another authority", "another audience", "its time is over"]
)
def test_any_other_jwt_svid_is_nobody(issuer, authority, wrong):
    identity = {
        "another workload": lambda: Identity(authority, "billing"),
        "another authority": lambda: Identity(SimulatedAuthority(clock=time.time), "orders"),
        "another audience": lambda: Identity(authority, "orders", audience="https://login.acme.example"),
        "its time is over": lambda: Identity(authority, "orders", ttl=-60),
    }[wrong]()
    with pytest.raises(BrokerError, match=r"refused with 40[01]"):
        lend(issuer, identity)
    assert lend(issuer, Identity(authority, "orders")).secret
