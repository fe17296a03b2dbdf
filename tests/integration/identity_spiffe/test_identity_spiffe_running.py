"""An identity in use: rotations, faults, outages, expiry and revocation, each with its way back."""

import asyncio
from dataclasses import replace

import pytest

from launchworthy.identity import IdentityUnavailable, Phase
from launchworthy.testing.authority import SimulatedAuthority
from launchworthy.testing.workload_api import Fault, Rpc
from launchworthy.vocabulary import Reason

pytestmark = pytest.mark.anyio

HARMLESS = {
    Fault.UNAVAILABLE: "the agent cannot serve",
    Fault.INVALID_ARGUMENT: "what listens refuses the request of a workload",
    Fault.EMPTY: "the agent's answer cannot be read",
    Fault.GARBAGE: "the agent's answer cannot be read",
    Fault.STREAM_END: "the agent ended the stream",
    Fault.EXPIRED: "the SVID that came expired at",
}


@pytest.mark.parametrize("fault", HARMLESS)
async def test_a_fault_keeps_the_last_good_identity_and_is_told_and_passes(world, until, fault):
    async with world.ready() as identity:
        before = identity.x509()
        world.api.set_fault(fault)
        await until(lambda: identity.status().detail.startswith(HARMLESS[fault]))
        assert identity.status().phase is Phase.READY
        assert identity.x509() is before
        world.api.set_fault(Fault.NONE)
        world.api.rotate()
        await until(lambda: identity.x509().serial != before.serial)
        assert identity.status().detail == ""
        await until(lambda: world.kinds()[-1] == "rotated")
        assert world.kinds()[:2] == ["acquired", "refresh_failed"]


async def test_a_rotation_is_taken_at_once_and_told_with_its_serial(world, until):
    async with world.ready() as identity:
        before = identity.x509()
        world.api.rotate()
        assert await until(lambda: identity.x509().serial != before.serial) < 1
        await until(lambda: world.kinds() == ["acquired", "rotated"])
        assert [change.serial for change in world.told] == [before.serial, identity.x509().serial]
        assert world.told[-1].not_after == identity.x509().not_after
        assert world.api.calls(Rpc.X509) == 1


async def test_the_same_state_again_is_no_change(world, until):
    async with world.ready() as identity:
        before = identity.x509()
        world.api.push()
        world.api.rotate()
        await until(lambda: identity.x509().serial != before.serial)
        await until(lambda: world.kinds() == ["acquired", "rotated"])


async def test_svids_of_four_seconds_are_renewed_before_they_expire(world):
    world.api.set_x509_ttl(4)
    async with world.ready() as identity:
        first, serials = identity.x509(), set()
        async with asyncio.timeout(10):
            while len(serials) < 3 or world.clock() <= first.not_after:
                serials.add(identity.x509().serial)
                assert identity.x509().not_after > world.clock()
                await asyncio.sleep(0.02)
        assert set(world.kinds()) == {"acquired", "rotated"}


async def test_with_a_grace_a_denial_of_a_moment_stops_no_call_and_lends_nothing_new(world, until):
    async with world.ready(revocation_grace=20.0) as identity:
        await identity.assertion("https://login.acme.example")
        world.api.set_fault(Fault.PERMISSION_DENIED)
        await until(lambda: identity.status().doubted)
        identity.require()
        with pytest.raises(IdentityUnavailable, match="no entry"):
            await identity.assertion("https://login.acme.example")
        world.api.set_fault(Fault.NONE)
        await until(lambda: not identity.status().doubted)
        await identity.assertion("https://login.acme.example")
        assert "revoked" not in world.kinds()


async def test_with_a_grace_a_denial_that_stays_revokes_within_it(world, until):
    async with world.ready(revocation_grace=1.0) as identity:
        world.api.set_fault(Fault.PERMISSION_DENIED)
        await until(lambda: identity.status().doubted)
        identity.require()
        assert await until(lambda: identity.status().phase is Phase.REVOKED) <= 1.5
        await until(lambda: world.kinds()[-1] == "revoked")


async def test_a_withdrawn_entry_revokes_at_once_and_a_new_one_brings_it_back(world, until):
    async with world.ready() as identity:
        world.api.set_fault(Fault.PERMISSION_DENIED)
        assert await until(lambda: identity.status().phase is Phase.REVOKED) < 1
        assert identity.status().reason is Reason.IDENTITY_REVOKED
        for use in (identity.require, identity.x509, lambda: identity.bundle_for("dev.invalid")):
            with pytest.raises(IdentityUnavailable, match="REVOKED"):
                use()
        with pytest.raises(IdentityUnavailable, match="REVOKED"):
            await identity.assertion("https://login.dev.invalid")
        with pytest.raises(IdentityUnavailable, match="REVOKED"):
            await identity.prove(b"payload")
        world.api.set_fault(Fault.NONE)
        assert await until(lambda: identity.status().phase is Phase.READY) < 1.5
        await until(lambda: world.kinds() == ["acquired", "revoked", "acquired"])


async def test_an_entry_deleted_at_the_agent_is_a_revocation(world, until):
    async with world.ready() as identity:
        world.api.set_identities()
        await until(lambda: identity.status().phase is Phase.REVOKED)
        world.api.set_identities("payments", "orders")
        await until(lambda: identity.status().phase is Phase.READY)


@pytest.mark.parametrize("trust_domain", ["dev.invalid", "partner.dev.invalid"])
async def test_a_state_that_names_somebody_else_is_a_withdrawal_of_ours(world, until, trust_domain):
    async with world.ready() as identity:
        other = SimulatedAuthority(clock=world.clock, trust_domain=trust_domain)
        world.api.present(other.mint_x509("payments", ttl=60))
        await until(lambda: identity.status().phase is Phase.REVOKED)
        assert f"the agent gives `spiffe://{trust_domain}/simulated/payments`" in identity.status().detail
        world.api.rotate()
        await until(lambda: identity.status().phase is Phase.READY)


async def test_an_svid_whose_key_does_not_match_is_refused_and_the_old_one_stays(world, until):
    async with world.ready() as identity:
        before = identity.x509()
        mine, other = (world.authority.mint_x509("orders", ttl=60) for _ in range(2))
        world.api.present(replace(mine, key_der=other.key_der))
        await until(lambda: "does not belong to the certificate" in identity.status().detail)
        assert identity.x509() is before
        world.api.present(mine)
        await until(lambda: identity.x509().serial != before.serial)


async def test_an_svid_of_a_foreign_authority_is_refused_and_the_old_one_stays(world, until):
    async with world.ready() as identity:
        before = identity.x509()
        forger = SimulatedAuthority(clock=world.clock)
        forged = forger.mint_x509("orders", ttl=60)
        world.api.present(replace(forged, bundle_der=world.authority.bundle_der()))
        await until(lambda: "does not verify" in identity.status().detail)
        assert identity.x509() is before
        world.api.rotate()
        await until(lambda: identity.x509().serial != before.serial)


async def test_a_new_root_is_trusted_with_the_update_that_brings_it(world, until):
    async with world.ready() as identity:
        assert len(identity.bundle_for("dev.invalid")) == 1
        world.authority.add_root()
        world.api.rotate()
        await until(lambda: len(identity.bundle_for("dev.invalid")) == 2)
        world.authority.drop_old_roots()
        world.api.rotate()
        await until(lambda: identity.bundle_for("dev.invalid") == world.authority.roots)
        await until(lambda: world.kinds().count("bundle_changed") == 2)


async def test_a_federated_bundle_that_is_absent_from_an_update_is_withdrawn_at_once(world, until):
    partner = SimulatedAuthority(clock=world.clock, trust_domain="partner.dev.invalid")
    async with world.ready(trust_domains=("dev.invalid", "partner.dev.invalid")) as identity:
        with pytest.raises(IdentityUnavailable, match="is not trusted here"):
            identity.bundle_for("partner.dev.invalid")
        world.api.federate(partner)
        await until(lambda: "bundle_changed" in world.kinds())
        assert identity.bundle_for("partner.dev.invalid") == partner.roots
        world.api.end_federation("partner.dev.invalid")
        await until(lambda: world.kinds().count("bundle_changed") == 2)
        assert world.told[-1].detail == "`partner.dev.invalid` is not trusted any more"
        with pytest.raises(IdentityUnavailable) as refused:
            identity.bundle_for("partner.dev.invalid")
        assert refused.value.status.reason is Reason.IDENTITY_UNEXPECTED
        assert identity.bundle_for("dev.invalid") == world.authority.roots


async def test_a_federation_that_nobody_configured_is_not_taken(world, until):
    async with world.ready() as identity:
        before = identity.x509()
        world.api.federate(SimulatedAuthority(clock=world.clock, trust_domain="partner.dev.invalid"))
        world.api.rotate()
        await until(lambda: identity.x509().serial != before.serial)
        with pytest.raises(IdentityUnavailable):
            identity.bundle_for("partner.dev.invalid")
        assert "bundle_changed" not in world.kinds()


async def test_an_outage_shorter_than_the_svid_is_not_felt(world, until):
    async with world.ready() as identity:
        with world.api.outage():
            await until(lambda: "nothing listens on" in identity.status().detail)
            assert identity.status().phase is Phase.READY
        assert await until(lambda: identity.status().detail == "") < 1.5
        await until(lambda: world.kinds()[-1] == "rotated")


async def test_an_outage_past_the_expiry_fails_closed_and_ends_within_a_moment(world, until):
    async with world.ready() as identity:
        with world.api.outage():
            world.clock.ahead += 3000
            assert identity.status().phase is Phase.STALE
            identity.require()
            world.clock.ahead += 700
            assert identity.status().phase is Phase.EXPIRED
            assert identity.status().reason is Reason.IDENTITY_EXPIRED
            with pytest.raises(IdentityUnavailable, match="EXPIRED"):
                identity.x509()
            await until(lambda: world.kinds().count("expired") == 1)
        assert await until(lambda: identity.status().phase is Phase.READY) < 1.2
        await until(lambda: world.kinds()[-1] == "acquired")
        assert identity.x509().not_after > world.clock()


async def test_an_agent_that_never_renews_makes_it_stale_and_then_expired(world, until):
    world.api.set_x509_ttl(2, renews=False)
    async with world.ready() as identity:
        await until(lambda: identity.status().phase is Phase.STALE)
        identity.require()
        await until(lambda: world.api.calls(Rpc.X509) > 1)
        await until(lambda: identity.status().phase is Phase.EXPIRED)
        await until(lambda: "expired" in world.kinds())
        world.api.rotate()
        assert await until(lambda: identity.status().phase is Phase.READY) < 1.2


async def test_a_stream_that_is_silent_past_the_time_of_a_renewal_is_noticed(world, until):
    world.api.set_x509_ttl(3)
    async with world.ready(call_timeout=0.3) as identity:
        before = identity.x509()
        world.api.set_fault(Fault.HANG)
        await until(lambda: identity.status().phase is Phase.STALE)
        await until(lambda: "gave no answer within 0.3 s" in identity.status().detail)
        assert identity.x509() is before
        world.api.set_fault(Fault.NONE)
        assert await until(lambda: identity.status().phase is Phase.READY) < 1.5
        assert identity.x509().serial != before.serial
        await until(lambda: set(world.kinds()) == {"acquired", "refresh_failed", "rotated"})


async def test_a_defect_of_ours_is_told_and_ends_no_supervisor(world, until):
    async with world.ready() as identity:
        before, identity._supervisor._watch = identity._supervisor._watch, None
        world.api.set_fault(Fault.STREAM_END)
        world.api.set_fault(Fault.NONE)
        await until(lambda: identity.status().detail.startswith("TypeError"))
        assert identity.status().phase is Phase.READY
        identity._supervisor._watch = before
        await until(lambda: identity.status().detail == "")


async def test_closing_leaves_no_thread_and_no_stream(world, until):
    for _ in range(3):
        async with world.ready() as identity:
            assert world.api.open_streams() == 1
        await until(lambda: world.api.open_streams() == 0)
        assert identity.status().phase is Phase.CLOSED
        with pytest.raises(IdentityUnavailable, match="CLOSED"):
            identity.x509()
        await identity.aclose()
