"""A workload with an identity, an issuer that knows it, and an endpoint that remembers what it was sent."""

import asyncio
import secrets
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from urllib.parse import parse_qsl

from cryptography.hazmat.primitives.serialization import load_der_private_key
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from launchworthy.credentials import CredentialRequest, seal
from launchworthy.credentials.client_proof import ClientProof, ProofKind
from launchworthy.credentials.token_server import TokenServer
from launchworthy.identity.workload import X509Identity
from launchworthy.testing.authority import SimulatedAuthority
from launchworthy.testing.issuer import SimulatedIssuer
from launchworthy.testing.issuer_workloads import Workload
from launchworthy.testing.listening import Listening
from launchworthy.testing.waiting import free_port
from launchworthy.tokens.fetch import system_network
from launchworthy.vocabulary import BearerToken, CallId, Principal, PrincipalKind, Secret

UPSTREAM = "https://payments.acme.example"
SCOPES = ("refunds:create", "refunds:read")


class HeldIdentity:
    """A workload's identity by an authority; as much of the Protocol as brokers ask for."""

    def __init__(self):
        self.authority = SimulatedAuthority(clock=time.time)
        self.subject = self.authority.spiffe_id("orders")
        self.callbacks = []
        self.gone = None

    def require(self):
        if self.gone is not None:
            raise self.gone

    async def assertion(self, audience):
        self.require()
        return Secret(self.authority.mint_jwt(self.subject, (audience,), ttl=300))

    def x509(self):
        made = self.authority.mint_x509("orders", ttl=300)
        return X509Identity(
            spiffe_id=self.subject, chain=(made.chain_der,),
            private_key=load_der_private_key(made.key_der, None),
            bundle=(made.bundle_der,), serial="1", not_before=0, not_after=made.not_after,
        )  # fmt: skip

    def on_change(self, callback):
        self.callbacks.append(callback)


@dataclass
class House:
    """All of it, with the ways to ask."""

    identity: HeldIdentity
    issuer: SimulatedIssuer
    clock: list = field(default_factory=lambda: [0.0])

    def proof(self, kind=ProofKind.JWT_SPIFFE):
        return ClientProof(
            kind, self.identity.subject, self.identity, clock=time.time, random_bits=secrets.randbits
        )

    def server(self, *, kind=ProofKind.JWT_SPIFFE, proven=True, endpoint=None, issuer=None, simulated=True):
        return TokenServer(
            self.issuer.issuer if issuer is None else issuer,
            endpoint=endpoint,
            proof=self.proof(kind) if proven else None,
            network=system_network(),
            simulated=simulated,
            monotonic=lambda: self.clock[0],
        )

    def request(self, *scopes, issuer=None, ttl=120, resource_scopes=("orders:refund",)):
        token = self.issuer.mint(self.issuer.grant(scopes=resource_scopes))
        principal = Principal(
            issuer=self.issuer.issuer if issuer is None else issuer, subject="s", client="c",
            kind=PrincipalKind.MACHINE, scopes=frozenset(), actors=(), token_id="j", issued_at=1,
            expires_at=2,
        )  # fmt: skip
        return CredentialRequest(
            credential="payments", scopes=scopes or ("refunds:create",), ttl=ttl,
            call=CallId("4T7K-9QX2-M0DV"),
            target="refund", principal=principal, subject_token=seal(BearerToken(token)),
        )  # fmt: skip


@contextmanager
def house():
    identity = HeldIdentity()
    issuer = SimulatedIssuer({"https://orders.acme.example/mcp": ("orders:refund",)})
    issuer.offer(UPSTREAM, SCOPES, lifetime=120)
    issuer.admit(
        Workload(
            client_id=identity.subject,
            subject=identity.subject,
            keys=identity.authority.jwks,
            roots=lambda: identity.authority.roots,
        )
    )
    issuer.trust(issuer)
    with issuer:
        yield House(identity, issuer)


class Listener:
    """An endpoint that remembers each request as it came, and answers what it is told."""

    def __init__(self):
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}/token"
        self.seen = []
        self.answer = Response(status_code=500)

    def __enter__(self):
        self._listening = Listening(self._build, self.port, name="listener")
        return self

    def __exit__(self, *_):
        self._listening.stop()

    def good(self, **changes):
        said = {"access_token": "tok-en", "token_type": "Bearer", "expires_in": 60} | changes
        self.answer = JSONResponse({name: value for name, value in said.items() if value is not None})

    def _build(self, _: asyncio.Event):
        async def serve(scope, receive, send):
            request = Request(scope, receive)
            form = parse_qsl((await request.body()).decode(), keep_blank_values=True)
            self.seen.append((request.method, dict(request.headers), form))
            await self.answer(scope, receive, send)

        return serve
