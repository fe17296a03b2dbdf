"""A broker in memory that does what it is told, and an audit that remembers."""

import asyncio
from dataclasses import dataclass, field

from launchworthy.audit import AuditUnwritable
from launchworthy.credentials import Lease, Revocation
from launchworthy.credentials.call_credentials import Borrower, CallCredentials
from launchworthy.credentials.errors import BrokerError
from launchworthy.credentials.tellers import Tellers
from launchworthy.manifest import CredentialAllowance
from launchworthy.vocabulary import CallId, Principal, PrincipalKind, Secret

CALLER = Principal(
    issuer="https://login.acme.example", subject="s", client="c", kind=PrincipalKind.MACHINE,
    scopes=frozenset(), actors=(), token_id="j", issued_at=1, expires_at=2,
)  # fmt: skip
ALLOWED = {"payments": CredentialAllowance(scopes=("a", "b"), ttl=60)}
NOW = 1_000_000


@dataclass
class Broker:
    """Lends what it is told to, and counts."""

    name = "memory"
    max_ttl = 3600
    scopes: tuple[str, ...] = ("a",)
    lives: int = 60
    revocation: Revocation = Revocation.SERVER
    issuing: float = 0.0
    revoking: float = 0.0
    fails: list[BaseException] = field(default_factory=list)
    revocation_fails: list[BaseException] = field(default_factory=list)
    issued: int = 0
    alive: set[str] = field(default_factory=set)
    closed: bool = False

    async def issue(self, request):
        await asyncio.sleep(self.issuing)
        if self.fails:
            raise self.fails.pop(0)
        self.issued += 1
        name = f"{self.issued:04d}"
        self.alive.add(name)
        return Lease(
            id=name, credential=request.credential, broker=self.name, resource=None,
            secret=Secret(f"canary-{name}"), parts={}, scopes=self.scopes, not_after=NOW + self.lives,
            revocation=self.revocation, handle=None,
        )  # fmt: skip

    async def revoke(self, lease):
        await asyncio.sleep(self.revoking)
        if self.revocation_fails:
            raise self.revocation_fails.pop(0)
        self.alive.discard(lease.id)

    async def aclose(self):
        self.closed = True


class Audit:
    """Remembers what was recorded, and can be broken."""

    def __init__(self):
        self.events = []
        self.broken = False

    def record(self, event, **_):
        if self.broken:
            raise AuditUnwritable("the disk is full")
        self.events.append(event)

    async def record_durable(self, event, **_):
        await asyncio.sleep(0)
        self.record(event)

    @property
    def kinds(self):
        return [event.type.removeprefix("credential.") for event in self.events]


class Bank:
    """One server's tellers, and as many books as are wanted."""

    def __init__(self, **broker):
        self.broker = Broker(**broker)
        self.audit = Audit()
        self.now = NOW
        self.tellers = Tellers({"payments": self.broker}, {}, audit=self.audit, clock=lambda: self.now)

    def book(self, allowed=None):
        borrower = Borrower(
            call=CallId("4T7K-9QX2-M0DV"), target="refund", principal=CALLER, subject_token=None
        )
        return CallCredentials(self.tellers, borrower, ALLOWED if allowed is None else allowed)

    async def swept(self):
        """Wait until nothing is left to take back."""
        async with asyncio.timeout(20):
            while self.tellers.custody.orphans:  # noqa: ASYNC110 - the sweeper tells nobody
                await asyncio.sleep(0.01)


def refusal(text="the broker is away"):
    return BrokerError(text)
