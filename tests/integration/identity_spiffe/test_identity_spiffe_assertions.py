"""Assertions from an agent, and the proof that binds an audit stream."""

import asyncio
import base64
from pathlib import Path

import pytest
from cryptography import x509
from joserfc import jwt
from joserfc.jwk import KeySet

from launchworthy.audit.binding import BindingError, check_binding
from launchworthy.identity import IdentityUnavailable
from launchworthy.testing.workload_api import Fault, Rpc

pytestmark = pytest.mark.anyio

LOGIN = "https://login.dev.invalid"


async def test_an_assertion_is_ours_for_one_audience_and_verifies(world):
    async with world.ready() as identity:
        secret = await identity.assertion(LOGIN)
        token = jwt.decode(secret.reveal(), KeySet.import_key_set(world.authority.jwks()))
        assert token.claims["sub"] == world.authority.spiffe_id("orders")
        assert token.claims["aud"] == [LOGIN]
        assert {"iss", "jti"}.isdisjoint(token.claims)
        assert secret.reveal() not in repr(secret)


async def test_many_callers_are_one_request(world):
    async with world.ready() as identity:
        secrets = await asyncio.gather(*(identity.assertion(LOGIN) for _ in range(50)))
        assert len({secret.reveal() for secret in secrets}) == 1
        assert world.api.calls(Rpc.JWT) == 1
        await identity.assertion("https://other.dev.invalid")
        assert world.api.calls(Rpc.JWT) == 2


FAULTS = {
    Fault.PERMISSION_DENIED: "no entry for this process",
    Fault.UNAVAILABLE: "cannot serve",
    Fault.INVALID_ARGUMENT: "refuses the request",
    Fault.HANG: "does not answer",
    Fault.EMPTY: "cannot be read",
    Fault.GARBAGE: "cannot be read",
    Fault.STREAM_END: "cannot serve",
    Fault.EXPIRED: "cannot be read",
}


@pytest.mark.parametrize("fault", FAULTS)
async def test_a_fault_gives_no_assertion_and_passes(world, fault):
    async with world.ready(call_timeout=0.3 if fault is Fault.HANG else 3.0) as identity:
        world.api.set_fault(fault, Rpc.JWT)
        with pytest.raises(IdentityUnavailable, match=FAULTS[fault]):
            await identity.assertion(LOGIN)
        assert identity.status().usable
        world.api.set_fault(Fault.NONE, Rpc.JWT)
        assert await identity.assertion(LOGIN)


async def test_an_outage_is_bridged_by_the_one_in_hand_until_too_little_is_left(world):
    async with world.ready() as identity:
        first = await identity.assertion(LOGIN)
        with world.api.outage():
            world.clock.ahead += 280
            assert await identity.assertion(LOGIN) == first
            world.clock.ahead += 10
            with pytest.raises(IdentityUnavailable, match="nothing listens"):
                await identity.assertion(LOGIN)
        assert await identity.assertion(LOGIN) != first


async def test_after_a_revocation_no_old_assertion_comes_back(world, until):
    async with world.ready() as identity:
        first = await identity.assertion(LOGIN)
        world.api.set_fault(Fault.PERMISSION_DENIED)
        await until(lambda: "revoked" in world.kinds())
        with pytest.raises(IdentityUnavailable, match="REVOKED"):
            await identity.assertion(LOGIN)
        world.api.set_fault(Fault.NONE)
        await until(lambda: identity.status().usable)
        assert await identity.assertion(LOGIN) != first


async def test_one_that_lives_too_long_is_refused(world):
    world.api.set_jwt_ttl(3700)
    async with world.ready() as identity:
        with pytest.raises(IdentityUnavailable, match="lives longer than 3600 s"):
            await identity.assertion(LOGIN)
        world.api.set_jwt_ttl(3500)
        assert await identity.assertion(LOGIN)


async def test_one_that_comes_when_our_own_identity_is_over_is_not_handed_out(world):
    async with world.ready() as identity:

        def an_hour_passes():
            world.clock.ahead += 3700
            return world.clock()

        world.authority._clock = an_hour_passes
        with pytest.raises(IdentityUnavailable, match="EXPIRED"):
            await identity.assertion(LOGIN)


async def test_a_socket_that_others_can_replace_gives_no_assertion(world):
    async with world.ready() as identity:
        directory = Path(world.api.endpoint.removeprefix("unix://")).parent
        directory.chmod(0o777)
        with pytest.raises(IdentityUnavailable, match="can be written by others"):
            await identity.assertion(LOGIN)
        assert world.api.calls(Rpc.JWT) == 0
        directory.chmod(0o700)
        assert await identity.assertion(LOGIN)


async def test_after_closing_there_is_none(world):
    async with world.ready() as identity:
        await identity.assertion(LOGIN)
    with pytest.raises(IdentityUnavailable, match="CLOSED"):
        await identity.assertion(LOGIN)


@pytest.mark.parametrize(
    ("claims", "says"),
    [
        (
            {"sub": "spiffe://dev.invalid/simulated/payments"},
            "is about `spiffe://dev.invalid/simulated/payments`",
        ),
        ({"aud": [LOGIN, "https://evil.example"]}, "not for the audience that was asked for"),
        ({"aud": ["https://evil.example"]}, "cannot be read"),
        ({"exp": 2e9 + 0.5}, "does not say when it expires"),
        ({"exp": None}, "cannot be read"),
        ({"sub": "orders"}, "cannot be read"),
    ],
)
async def test_an_assertion_that_is_not_exactly_ours_is_refused(world, claims, says):
    async with world.ready() as identity:
        world.api.set_jwt_claims(**claims)
        with pytest.raises(IdentityUnavailable, match=says):
            await identity.assertion(LOGIN)
        world.api.set_jwt_claims()
        assert await identity.assertion(LOGIN)


async def test_an_audience_must_be_named(world):
    async with world.ready() as identity:
        with pytest.raises(ValueError, match="would be good everywhere"):
            await identity.assertion("")
        assert world.api.calls(Rpc.JWT) == 0


async def test_a_proof_is_a_signature_by_the_svid_over_exactly_that_payload(world):
    async with world.ready() as identity:
        proof = await identity.prove(b"launchworthy-audit-key/1")
        assert (proof.kind, proof.algorithm, proof.token) == ("x509", "ES256", None)
        leaf = x509.load_der_x509_certificate(base64.b64decode(proof.chain[0]))
        [root] = [x509.load_der_x509_certificate(base64.b64decode(der)) for der in proof.bundle]
        leaf.verify_directly_issued_by(root)
        check_binding(proof, b"launchworthy-audit-key/1", world.authority.spiffe_id("orders"))
        with pytest.raises(BindingError, match="has not signed"):
            check_binding(proof, b"launchworthy-audit-key/2", world.authority.spiffe_id("orders"))
