"""A JWT-SVID of a real SPIRE as a client's assertion: what the issuer finds in it, and what it refuses."""

import asyncio
import secrets
import time

import pytest
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from launchworthy.credentials.client_proof import ClientProof, ProofKind
from launchworthy.credentials.token_answer import Expected
from launchworthy.credentials.token_server import TokenRequest, TokenServer
from launchworthy.identity import IdentityUnavailable
from launchworthy.testing.issuer import SimulatedIssuer
from launchworthy.testing.issuer_workloads import Workload
from launchworthy.tokens.fetch import system_network

UPSTREAM = "https://payments.acme.example"
REQUEST = TokenRequest(
    grant="client_credentials",
    resource=UPSTREAM,
    scopes=("refunds:create",),
    parameters={},
    secrets={},
    expected=Expected(token_type="bearer", issued_token_type=None, scopes=("refunds:create",)),
)
ISSUER = "https://login.acme.example"


def key_set(spire):
    """SPIRE's bundle as an issuer takes it: `use` is `jwt-svid` there, which is no use of RFC 7517."""
    return KeySet.import_key_set({"keys": without_use(spire)})


def without_use(spire):
    return [{name: value for name, value in key.items() if name != "use"} for key in spire.jwks()["keys"]]


def verified(spire, token, audience):
    """As an issuer does (draft-ietf-oauth-spiffe-client-auth): signature, sole audience, life, name."""
    decoded = jwt.decode(token, key_set(spire), algorithms=["ES256", "RS256"])
    claims = decoded.claims
    if claims["aud"] not in (audience, [audience]):
        raise ValueError("it is for somebody else")
    if not time.time() < claims["exp"] <= time.time() + 3600:
        raise ValueError("it is not good now")
    return claims["sub"]


def test_an_assertion_for_the_issuer_alone_verifies_to_the_bundle(spire, identity, run):
    spire.entry("simulated/orders")

    async def test():
        ours = identity(spire, "simulated/orders")
        await ours.start(30)
        token = (await ours.assertion(ISSUER)).reveal()
        assert verified(spire, token, ISSUER) == spire.id("simulated/orders")
        with pytest.raises(ValueError, match="somebody else"):
            verified(spire, token, "https://login.partner.example")
        head, body, signature = token.split(".")
        with pytest.raises(JoseError):
            verified(spire, f"{head}.{body}.{signature[::-1]}", ISSUER)
        assert (await ours.assertion(ISSUER)).reveal() == token  # kept: an agent attests at every request
        await ours.aclose()

    run(test())


@pytest.mark.parametrize("kind", [ProofKind.JWT_SPIFFE, ProofKind.PRIVATE_KEY_JWT])
def test_the_issuer_gives_tokens_for_what_a_real_spire_vouches_for_and_no_longer(spire, identity, run, kind):
    entry = spire.entry("simulated/orders")
    ours = identity(spire, "simulated/orders")
    issuer = SimulatedIssuer({"https://orders.acme.example/mcp": ("orders:read",)})
    issuer.offer(UPSTREAM, ("refunds:create",), lifetime=120)
    issuer.admit(
        Workload(
            client_id=spire.id("simulated/orders"),
            subject=spire.id("simulated/orders"),
            keys=lambda: {"keys": without_use(spire)},
            roots=lambda: ours.bundle_for(spire.trust_domain),
        )
    )

    async def test():
        await ours.start(30)
        proof = ClientProof(
            kind, spire.id("simulated/orders"), ours, clock=time.time, random_bits=secrets.randbits
        )
        server = TokenServer(
            issuer.issuer,
            endpoint=None,
            proof=proof,
            network=system_network(),
            simulated=True,
            monotonic=time.monotonic,
        )
        issued = await server.ask(REQUEST)
        assert issued.scopes == ("refunds:create",)
        spire.delete(entry)
        while ours.status().usable:  # noqa: ASYNC110 - the agent's sync; `run` has a deadline
            await asyncio.sleep(0.05)
        with pytest.raises(IdentityUnavailable):
            await server.ask(REQUEST)
        await server.aclose()
        await ours.aclose()

    with issuer:
        run(test(), 60)
