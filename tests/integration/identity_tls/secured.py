"""A listener with mutual TLS on either loop and either parser, two agents, and a clock that can be moved."""

import asyncio
import contextlib
import os
import time
from dataclasses import replace

import httpx2

from launchworthy.enforcement.peering import STATE
from launchworthy.enforcement.protocol import RULE_33
from launchworthy.identity.peers import PeerRejected, PeerRule
from launchworthy.identity.spiffe import SpiffeIdentity
from launchworthy.identity.tls import TlsTerms, client_tls, server_tls, tell_nobody
from launchworthy.server.listening import Listener
from launchworthy.testing.authority import SimulatedAuthority
from launchworthy.testing.workload_api import WorkloadApi

ORDERS = "spiffe://dev.invalid/simulated/orders"
CALLER = "spiffe://dev.invalid/simulated/caller"


class Clock:
    """The wall clock, and how far a test has moved it."""

    def __init__(self):
        self.ahead = 0.0

    def __call__(self):
        return time.time() + self.ahead


async def show(scope, _receive, send):
    """Answer with the peer, or 421 where it is not one any more."""
    try:
        status, body = 200, scope["state"][STATE].require().spiffe_id.encode()
    except PeerRejected as rejected:
        status, body = 421, rejected.reason.value.encode()
    headers = [(b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


class Secured:
    """A server workload and a caller workload, each with an agent of its own but one authority."""

    def __init__(self, stack, *, domains=("dev.invalid",)):
        self.authority = SimulatedAuthority(clock=time.time)
        self.clock = Clock()
        self.agent = stack.enter_context(WorkloadApi(self.authority, "orders"))
        self.callers = stack.enter_context(WorkloadApi(self.authority, "caller"))
        self.domains = domains
        self.rejected = []

    async def identity(self, api, name, **other):
        identity = SpiffeIdentity(
            **{
                "endpoint": api.endpoint,
                "expected_id": f"spiffe://dev.invalid/simulated/{name}",
                "trust_domains": self.domains,
                "socket_owner_uids": (os.geteuid(),),
                "call_timeout": 3.0,
                "clock": self.clock,
                "max_wait": 0.2,
                **other,
            }
        )
        await identity.start(5)
        return identity

    def terms(self, identity, *names, told=tell_nobody, clock=None):
        return TlsTerms(
            identity=identity,
            trust_domains=self.domains,
            rule=PeerRule.of(names),
            clock=clock or self.clock,
            told=told,
        )

    @contextlib.asynccontextmanager
    async def listening(self, *allowed, **limits):
        """The server's identity and its listener."""
        self.orders = await self.identity(self.agent, "orders")
        context = server_tls(self.terms(self.orders, *(allowed or (CALLER,)), told=self.rejected.append))
        listener = Listener(
            show,
            ("127.0.0.1", 0),
            name="server.listen",
            grace_seconds=1,
            report=lambda _: None,
            tls=context,
            limits=replace(RULE_33, **limits),
        )
        serving = asyncio.create_task(listener.serve())
        await listener.accepting()
        self.host, self.port = listener.address.split(":")
        self.url = f"https://{listener.address}/"
        try:
            yield listener
        finally:
            listener.end()
            await serving
            await self.orders.aclose()

    @contextlib.asynccontextmanager
    async def caller(self, expect=ORDERS, **other):
        """The caller's identity, and a client that shows its SVID."""
        identity = await self.identity(self.callers, "caller", **other)
        try:
            async with client(client_tls(self.terms(identity, expect))) as http:
                yield http
        finally:
            await identity.aclose()

    def reasons(self):
        return [rejected.reason.value for rejected in self.rejected]


def client(context):
    return httpx2.AsyncClient(verify=context, trust_env=False, timeout=5)


def runner(factory):
    def run(test, **options):
        with contextlib.ExitStack() as stack, asyncio.Runner(loop_factory=factory) as loop:
            loop.run(test(Secured(stack, **options)))

    return run
