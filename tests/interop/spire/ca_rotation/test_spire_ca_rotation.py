"""The authority of the trust domain is replaced: prepare, activate, taint, revoke. Nobody is turned away."""

import asyncio
import time

import httpx2
from spire import Spire

from launchworthy.identity.peers import PeerRule
from launchworthy.identity.tls import TlsTerms, client_tls, server_tls, tell_nobody
from launchworthy.server.listening import Listener


async def hello(_scope, _receive, send):
    await send({"type": "http.response.start", "status": 204, "headers": []})
    await send({"type": "http.response.body", "body": b""})


def terms(identity, name, told=tell_nobody):
    return TlsTerms(
        identity=identity,
        trust_domains=("dev.invalid",),
        rule=PeerRule.of([f"spiffe://dev.invalid/{name}"]),
        clock=time.time,
        told=told,
    )


def test_a_process_with_one_svid_sees_a_tainted_authority_as_a_rotation(identity, run):
    """With several, SPIRE's agent leaves some out for a moment: see `revocation_grace` below."""

    async def test(spire):
        one, told = identity(spire, "server"), []
        one.on_change(lambda change: told.append(change.kind.value))
        await one.start(30)
        old = spire.authority("show")["active"]["authority_id"]
        new = spire.authority("prepare")["prepared_authority"]["authority_id"]
        await until(lambda: len(one.bundle_for("dev.invalid")) == 2)
        spire.authority("activate", "-authorityID", new)
        before = one.x509().serial
        spire.authority("taint", "-authorityID", old)
        await until(lambda: one.x509().serial != before)
        spire.authority("revoke", "-authorityID", old)
        await until(lambda: len(one.bundle_for("dev.invalid")) == 1)
        assert set(told) - {"refresh_failed"} == {"acquired", "rotated", "bundle_changed"}
        await one.aclose()

    async def until(condition):
        while not condition():  # noqa: ASYNC110 - the agent's sync; `run` has a deadline
            await asyncio.sleep(0.05)

    with Spire(ttl=60) as spire:
        spire.entry("server")
        run(test(spire), 90)


def test_an_authority_is_replaced_and_revoked_without_one_refused_connection(identity, run):
    async def test(spire):
        server, caller = (identity(spire, name, revocation_grace=4.0) for name in ("server", "caller"))
        told = []
        for each in (server, caller):
            each.on_change(lambda change: told.append(change.kind.value))
        await server.start(30)
        await caller.start(30)
        rejected = []
        listener = Listener(
            hello,
            ("127.0.0.1", 0),
            name="server.listen",
            grace_seconds=1,
            report=lambda _: None,
            tls=server_tls(terms(server, "caller", rejected.append)),
        )
        serving = asyncio.create_task(listener.serve())
        await listener.accepting()
        context = client_tls(terms(caller, "server"))
        calls = 0

        async def until(condition, seconds=60):
            """Call on fresh connections until it is so; each call must go through."""
            nonlocal calls
            async with asyncio.timeout(seconds):
                while not condition():
                    async with httpx2.AsyncClient(verify=context, trust_env=False) as http:
                        assert (await http.get(f"https://{listener.address}/")).status_code == 204
                    calls += 1
                    await asyncio.sleep(0.05)

        def authorities():
            return {len(each.bundle_for("dev.invalid")) for each in (server, caller)}

        old = spire.authority("show")["active"]["authority_id"]
        before = (server.x509().serial, caller.x509().serial)
        await until(lambda: authorities() == {1}, 5)
        prepared = spire.authority("prepare")["prepared_authority"]["authority_id"]
        await until(lambda: authorities() == {2})
        spire.authority("activate", "-authorityID", prepared)
        spire.authority("taint", "-authorityID", old)
        await until(lambda: server.x509().serial != before[0] and caller.x509().serial != before[1])
        spire.authority("revoke", "-authorityID", old)
        await until(lambda: authorities() == {1})
        await until(lambda: calls > 20)
        assert rejected == []
        assert "revoked" not in told
        assert server.x509().bundle == caller.x509().bundle
        listener.end()
        await serving
        await server.aclose()
        await caller.aclose()

    with Spire(ttl=60) as spire:
        spire.entry("server")
        spire.entry("caller")
        spire.gives("server", "caller")
        run(test(spire), 150)
