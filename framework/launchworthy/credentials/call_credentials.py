"""What has one call borrowed? Its lease book.

1. the manifest names the credential, its scopes and its time, or nobody is asked
2. a lease is in the book, and its record on the disk, before anything is checked or handed out
3. one that came wider or longer than asked is taken back at once
4. when the call ends, however it ends, all of it is taken back, what is still on its way too, shielded
5. after the end nothing is lent, and a request that was signed with it is broken off
"""

import asyncio
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

from launchworthy.audit.events import CredentialIssued, CredentialRefused
from launchworthy.credentials.custody import Lent, about
from launchworthy.credentials.errors import (
    BrokerError,
    CredentialEnded,
    CredentialNotAllowed,
    CredentialUnavailable,
)
from launchworthy.credentials.lease import CredentialRequest, Lease
from launchworthy.credentials.narrowing import too_wide
from launchworthy.credentials.sealed import SealedToken, let_go
from launchworthy.credentials.tellers import Tellers
from launchworthy.egress import ours
from launchworthy.identity import IdentityUnavailable
from launchworthy.manifest import CredentialAllowance
from launchworthy.vocabulary import CallId, Principal

ISSUE_SECONDS = 5.0
"""For one credential, whatever its broker has to ask for it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Borrower:
    """Who borrows.

    Attributes:
        call: the call.
        target: what runs: the name of the tool, resource or prompt.
        principal: the caller.
        subject_token: the caller's own token, sealed, where it may be exchanged.
    """

    call: CallId
    target: str
    principal: Principal
    subject_token: SealedToken | None = field(repr=False)


class CallCredentials:
    """The lease book of one call; used from its event loop."""

    __slots__ = ("_allowed", "_borrower", "_ended", "_leases", "_pending", "_tellers", "_under_way")

    def __init__(
        self, tellers: Tellers, borrower: Borrower, allowed: Mapping[str, CredentialAllowance]
    ) -> None:
        """Begin with nothing borrowed.

        Args:
            tellers: whom to ask.
            borrower: who asks.
            allowed: what its manifest names.
        """
        self._tellers = tellers
        self._borrower = borrower
        self._allowed = allowed
        self._leases: dict[str, Lease] = {}
        self._pending: set[asyncio.Task[Lease]] = set()
        self._under_way: dict[asyncio.Timeout, str] = {}
        self._ended = False

    @property
    def tellers(self) -> Tellers:
        """Whom it asks."""
        return self._tellers

    @property
    def target(self) -> str:
        """What runs: the name of the tool, resource or prompt."""
        return self._borrower.target

    @property
    def ended(self) -> bool:
        """Whether the call is over."""
        return self._ended

    def is_open(self, lease: Lease) -> bool:
        """Whether this lease may be used now."""
        return not self._ended and lease.id in self._leases and self._tellers.now() < lease.not_after

    @contextmanager
    def until_given_back(self, lease: Lease, deadline: asyncio.Timeout) -> Iterator[None]:
        """Let a deadline end, at the latest, when its lease is given back or the call ends."""
        self._under_way[deadline] = lease.id
        try:
            yield
        finally:
            del self._under_way[deadline]

    async def borrow(self, name: str) -> Lease:
        """Borrow what the manifest names.

        Raises:
            CredentialNotAllowed: the manifest does not name it; nobody was asked.
            CredentialUnavailable: it is not to be had now, or came too wide.
            CredentialEnded: the call has ended.
            AuditUnwritable: it could not be recorded, and is taken back.
        """
        if self._ended:
            raise CredentialEnded(name)
        allowance = self._allowed.get(name)
        if allowance is None:
            self._refused(name, "the manifest does not name it")
            raise CredentialNotAllowed(name, self._borrower.target)
        issuing = asyncio.get_running_loop().create_task(self._issue(name, allowance))
        self._pending.add(issuing)
        issuing.add_done_callback(self._pending.discard)
        return await asyncio.shield(issuing)  # a call that is cancelled still takes back what was on its way

    async def give_back(self, lease: Lease) -> None:
        """Take one lease back before the call ends; returns when that was tried."""
        self._break_off(lease.id)
        if self._leases.pop(lease.id, None) is not None:
            await self._tellers.see_through(self._tellers.custody.take_back(self._lent(lease)))

    def end_at_once(self) -> bool:
        """End it if nothing was borrowed; returns whether that was all there is to do."""
        if self._leases or self._pending:
            return False
        self._close()
        return True

    async def end(self) -> None:
        """Take everything back; what is cancelled while it waits leaves the taking back to go on."""
        self._close()
        if self._leases or self._pending:
            await self._tellers.see_through(self._take_all_back())

    def _break_off(self, *leases: str) -> None:
        """End what is under way with these leases; what it was sent to may have it already."""
        for deadline, lease in self._under_way.items():
            if lease in leases and not deadline.expired():
                deadline.reschedule(asyncio.get_running_loop().time())

    def _close(self) -> None:
        self._ended = True
        self._break_off(*self._leases)
        self._tellers.open_books.discard(self)
        if self._borrower.subject_token is not None:
            let_go(self._borrower.subject_token)

    async def _take_all_back(self) -> None:
        await asyncio.gather(*self._pending, return_exceptions=True)
        leases, self._leases = tuple(self._leases.values()), {}
        await asyncio.gather(*(self._tellers.custody.take_back(self._lent(lease)) for lease in leases))

    async def _issue(self, name: str, allowance: CredentialAllowance) -> Lease:
        borrower = self._borrower
        request = CredentialRequest(
            credential=name,
            scopes=allowance.scopes,
            ttl=allowance.ttl,
            call=borrower.call,
            target=borrower.target,
            principal=borrower.principal,
            subject_token=borrower.subject_token,
        )
        asked_at = self._tellers.now()
        lease = await self._asked(request)
        self._leases[lease.id] = lease
        self._tellers.open_books.add(self)
        await self._tellers.audit.record_durable(
            CredentialIssued(**about(lease, borrower.call, borrower.target)), critical=True
        )
        wrong = too_wide(lease, request, asked_at=asked_at)
        if wrong is not None:
            self._refused(name, wrong, lease=lease.id)
            await self.give_back(lease)
            raise CredentialUnavailable(name)
        return lease

    async def _asked(self, request: CredentialRequest) -> Lease:
        try:
            with ours():
                async with asyncio.timeout(ISSUE_SECONDS):
                    return await self._tellers.brokers[request.credential].issue(request)
        except BrokerError as error:
            detail = str(error)
        except TimeoutError:
            detail = f"the broker did not answer within {ISSUE_SECONDS:g} s"
        except IdentityUnavailable as unavailable:
            detail = f"this workload has no identity to ask with: {unavailable}"
        self._refused(request.credential, detail)
        raise CredentialUnavailable(request.credential)

    def _refused(self, name: str, detail: str, *, lease: str | None = None) -> None:
        broker = self._tellers.brokers.get(name)
        refused = CredentialRefused(
            call=self._borrower.call,
            target=self._borrower.target,
            credential=name,
            broker=broker.name if broker is not None else "none",
            lease=lease,
            detail=detail,
        )
        self._tellers.audit.record(refused, critical=True)

    def _lent(self, lease: Lease) -> Lent:
        return Lent(lease=lease, call=self._borrower.call, target=self._borrower.target)
