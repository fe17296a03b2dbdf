"""Certificates and authorities change while connections come and go: nothing is dropped, nothing lingers."""

import asyncio
import contextlib
import os
import ssl
import time
from pathlib import Path

import httpx2
import pytest
from secured import CALLER, ORDERS, client

from launchworthy.identity import Phase
from launchworthy.identity.key_files import load_encrypted, load_from_memory
from launchworthy.identity.tls import client_tls
from launchworthy.testing.authority import SimulatedAuthority
from launchworthy.testing.caller_tls import caller_tls, identity_of
from launchworthy.testing.workload_api import Fault

FAILED = (httpx2.TransportError, ssl.SSLError, OSError)
ROTATIONS = 5


def test_rotations_of_both_sides_under_load_drop_no_call(each_way):
    async def test(world):
        seen, calls = set(), 0
        async with world.listening(), world.caller() as kept:
            context = kept._transport._pool._ssl_context  # the same identity, for fresh connections
            rotating = asyncio.create_task(rotate(world, seen))
            while not rotating.done():
                assert (await kept.get(world.url)).text == CALLER
                async with client(context) as fresh:
                    answer = await fresh.get(world.url)
                    assert answer.text == CALLER
                    secured = answer.extensions["network_stream"].get_extra_info("ssl_object")
                    seen.add(secured.getpeercert(binary_form=True))
                calls += 2
            await rotating
        assert calls >= 2 * ROTATIONS
        assert len(seen) > ROTATIONS // 2  # fresh connections saw new certificates
        assert world.rejected == []

    async def rotate(world, seen):
        for _ in range(ROTATIONS):
            before = len(seen)
            world.agent.rotate()
            world.callers.rotate()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(2):
                    while len(seen) == before:  # noqa: ASYNC110 - until a fresh connection saw the new one
                        await asyncio.sleep(0.01)

    each_way(test)


@pytest.mark.slow
def test_ten_thousand_calls_all_in_all_see_rotations_and_none_fails(each_way):
    """A quarter of them over each parser on each loop, every 25th on a connection of its own."""

    async def test(world):
        async with world.listening(), world.caller() as kept:
            context = kept._transport._pool._ssl_context
            for number in range(2_500):
                if number % 500 == 0:
                    world.agent.rotate()
                    world.callers.rotate()
                assert (await kept.get(world.url)).text == CALLER
                if number % 25 == 0:
                    async with client(context) as fresh:
                        assert (await fresh.get(world.url)).text == CALLER
        assert world.rejected == []

    each_way(test)


def test_an_authority_that_was_taken_out_lets_nobody_in_any_more(each_way, until):
    async def test(world):
        old = world.authority.mint_x509("caller", ttl=60)
        async with world.listening():
            stale = caller_tls(world.authority, old)
            async with client(stale) as http:
                assert (await http.get(world.url)).text == CALLER
                before = world.orders.x509()
                world.authority.add_root()
                world.agent.rotate()
                await until(lambda: world.orders.x509() is not before)
                assert (await http.get(world.url)).text == CALLER  # both roots count
                between = world.orders.x509()
                world.authority.drop_old_roots()
                world.agent.rotate()
                await until(lambda: world.orders.x509() is not between)
                answer = await http.get(world.url)
                assert (answer.status_code, answer.text) == (421, "peer.untrusted")
            async with client(caller_tls(world.authority, old)) as http:
                with pytest.raises(FAILED):
                    await http.get(world.url)
            assert world.reasons() == ["peer.untrusted"]
            new = world.authority.mint_x509("caller", ttl=60)
            async with client(caller_tls(world.authority, new)) as http:
                assert (await http.get(world.url)).text == CALLER

    each_way(test)


def test_a_federated_workload_is_let_in_and_its_authority_cannot_forge_ours(once, until):
    async def test(world):
        partner = SimulatedAuthority(clock=time.time, trust_domain="partner.dev.invalid")
        world.agent.federate(partner)
        theirs = "spiffe://partner.dev.invalid/simulated/job"

        def shown(material):
            context = caller_tls(partner, material)
            context.load_verify_locations(cadata=world.authority.bundle_der())
            return client(context)

        async with world.listening(CALLER, theirs):
            async with shown(partner.mint_x509("job", ttl=60)) as http:
                assert (await http.get(world.url)).text == theirs
                async with shown(partner.mint_x509("job", ttl=60, spiffe_id=CALLER)) as forging:
                    with pytest.raises(FAILED):
                        await forging.get(world.url)
                assert world.reasons() == ["peer.untrusted"]
                world.agent.end_federation(partner.trust_domain)
                await until(lambda: "dev.invalid" in world.orders._custody.material().bundles)
                async with asyncio.timeout(5):
                    while (await http.get(world.url)).status_code != 421:  # noqa: ASYNC110 - another thread
                        await asyncio.sleep(0.01)
            async with shown(partner.mint_x509("job", ttl=60)) as http:
                with pytest.raises(FAILED):
                    await http.get(world.url)

    once(test, domains=("dev.invalid", "partner.dev.invalid"))


def test_a_withdrawn_identity_of_ours_refuses_handshakes_until_there_is_one_again(each_way, until):
    async def test(world):
        async with world.listening(), world.caller() as http:
            assert (await http.get(world.url)).status_code == 200
            world.agent.set_fault(Fault.PERMISSION_DENIED)
            await until(lambda: world.orders.status().phase is Phase.REVOKED)
            context = http._transport._pool._ssl_context
            async with client(context) as fresh:
                with pytest.raises(FAILED):
                    await fresh.get(world.url)
            assert world.reasons() == ["identity.revoked"]
            answer = await http.get(world.url)  # on a connection from before
            assert (answer.status_code, answer.text) == (421, "identity.revoked")
            world.agent.set_fault(Fault.NONE)
            await until(lambda: world.orders.status().phase is Phase.READY)
            async with client(context) as fresh:
                assert (await fresh.get(world.url)).status_code == 200

    each_way(test)


def test_an_expired_identity_of_ours_refuses_handshakes(once):
    async def test(world):
        async with world.listening():
            shown = caller_tls(world.authority, world.authority.mint_x509("caller", ttl=60))
            world.clock.ahead = 4000
            assert world.orders.status().phase is Phase.EXPIRED
            async with client(shown) as http:
                with pytest.raises(FAILED):
                    await http.get(world.url)
            assert world.reasons() == ["identity.expired"]
            world.clock.ahead = 0

    once(test)


def test_a_connection_ends_with_the_certificate_that_opened_it(each_way):
    async def test(world):
        async with world.listening():
            short = caller_tls(world.authority, world.authority.mint_x509("caller", ttl=60))
            async with client(short) as http:
                assert (await http.get(world.url)).status_code == 200
                world.clock.ahead = 61
                answer = await http.get(world.url)
                assert (answer.status_code, answer.text) == (421, "peer.expired")
                world.clock.ahead = 0

    each_way(test)


# ------------------------------------------------------------------------------------------------------ keys


@pytest.mark.skipif(not hasattr(os, "memfd_create"), reason="only Linux has files in memory")
def test_a_key_is_loaded_from_memory_and_nothing_stays_open():
    authority = SimulatedAuthority(clock=time.time)
    identity = identity_of(authority.mint_x509("orders", ttl=60))
    before = len(list(Path("/proc/self/fd").iterdir()))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    load_from_memory(context, identity)
    assert len(list(Path("/proc/self/fd").iterdir())) == before


def test_where_there_are_no_files_in_memory_the_key_is_on_the_disk_encrypted_and_gone(tmp_path, monkeypatch):
    authority = SimulatedAuthority(clock=time.time)
    identity = identity_of(authority.mint_x509("orders", ttl=60))
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    written = []

    class Watching(ssl.SSLContext):
        def load_cert_chain(self, certfile, keyfile=None, password=None):
            path = Path(certfile)
            written.append((path.read_bytes(), path.stat().st_mode & 0o777))
            super().load_cert_chain(certfile, keyfile, password)

    load_encrypted(Watching(ssl.PROTOCOL_TLS_SERVER), identity)
    [(content, mode)] = written
    assert b"ENCRYPTED PRIVATE KEY" in content
    assert b"BEGIN PRIVATE KEY" not in content
    assert mode == 0o600
    assert list(tmp_path.iterdir()) == []


def test_the_protocols_that_a_client_offers_reach_each_connection(once):
    async def test(world):
        identity = await world.identity(world.callers, "caller")
        context = client_tls(world.terms(identity, ORDERS))
        context.set_alpn_protocols(["http/1.1"])
        async with world.listening(), client(context) as http:
            assert (await http.get(world.url)).text == CALLER
        await identity.aclose()

    once(test)
