"""Two trust domains that federate: each other's workloads are welcome, each other's forgeries are not."""

import asyncio
import ssl
import time

import httpx2
import pytest
from spire import Spire

from launchworthy.identity.peers import PeerRule
from launchworthy.identity.tls import TlsTerms, client_tls, server_tls, tell_nobody
from launchworthy.server.listening import Listener
from launchworthy.testing.authority import SimulatedAuthority
from launchworthy.testing.caller_tls import caller_tls

OURS, THEIRS = "dev.invalid", "partner.dev.invalid"
FAILED = (httpx2.TransportError, ssl.SSLError, OSError)


async def hello(_scope, _receive, send):
    await send({"type": "http.response.start", "status": 204, "headers": []})
    await send({"type": "http.response.body", "body": b""})


def terms(identity, name, told=tell_nobody):
    domains = (OURS, THEIRS)
    return TlsTerms(
        identity=identity, trust_domains=domains, rule=PeerRule.of([name]), clock=time.time, told=told
    )


def test_a_federated_workload_is_welcome_and_its_authority_cannot_name_ours(identity, run):
    forger = SimulatedAuthority(clock=time.time, trust_domain=THEIRS)

    async def test(ours, theirs):
        both = (OURS, THEIRS)
        server = identity(ours, "server", trust_domains=both)
        job = identity(theirs, "job", trust_domains=both)
        await server.start(30)
        await job.start(30)
        rejected = []
        listener = Listener(
            hello,
            ("127.0.0.1", 0),
            name="server.listen",
            grace_seconds=1,
            report=lambda _: None,
            tls=server_tls(terms(server, f"spiffe://{THEIRS}", rejected.append)),
        )
        serving = asyncio.create_task(listener.serve())
        await listener.accepting()
        url = f"https://{listener.address}/"

        async def call(context):
            async with httpx2.AsyncClient(verify=context, trust_env=False) as http:
                return (await http.get(url)).status_code

        good = client_tls(terms(job, ours.id("server")))
        async with asyncio.timeout(30):
            while THEIRS not in server._custody.material().bundles:  # noqa: ASYNC110 - the agent's sync
                await asyncio.sleep(0.1)
            while OURS not in job._custody.material().bundles:  # noqa: ASYNC110
                await asyncio.sleep(0.1)
        assert await call(good) == 204

        for name in (ours.id("job"), ours.id("server")):
            forged = forger.mint_x509("x", ttl=60, spiffe_id=name)
            with pytest.raises(FAILED):
                await call(caller_tls(trusting(ours), forged))
            assert rejected[-1].reason.value == "peer.untrusted"
        named = forger.mint_x509("x", ttl=60, spiffe_id=theirs.id("another"))
        assert await call(caller_tls(trusting(ours), named)) == 204  # it may name its own, and does
        ours.distrust(theirs)
        async with asyncio.timeout(30):
            while THEIRS in server._custody.material().bundles:  # noqa: ASYNC110
                await asyncio.sleep(0.1)
        with pytest.raises(FAILED):
            await call(good)
        listener.end()
        await serving
        await server.aclose()
        await job.aclose()

    with Spire(OURS) as ours, Spire(THEIRS, upstream=forger) as theirs:
        ours.trust(theirs)
        theirs.trust(ours)
        ours.entry("server", "-federatesWith", f"spiffe://{THEIRS}")
        theirs.entry("job", "-federatesWith", f"spiffe://{OURS}")
        run(test(ours, theirs), 120)


def trusting(spire):
    """An authority only for what a client believes of servers: the bundle of a real one."""

    class Bundle:
        def bundle_der(self):
            return b"".join(
                ssl.PEM_cert_to_DER_cert(each + "-----END CERTIFICATE-----")
                for each in spire.bundle().split("-----END CERTIFICATE-----")[:-1]
            )

    return Bundle()
