"""A JWT-SVID of a real SPIRE as a client's assertion: what the issuer finds in it, and what it refuses."""

import time

import pytest
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

ISSUER = "https://login.acme.example"


def key_set(spire):
    """SPIRE's bundle as an issuer takes it: `use` is `jwt-svid` there, which is no use of RFC 7517."""
    keys = [{name: value for name, value in key.items() if name != "use"} for key in spire.jwks()["keys"]]
    return KeySet.import_key_set({"keys": keys})


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
