"""Who takes a credential back, and what if that fails? At once, then again and again until it has run out.

Everything here is recorded: taken back, not taken back (and until when it lives), left to run out. Nothing
here raises: a call that ends does not fail because a broker is away.
"""

import asyncio
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from launchworthy.audit import AuditUnwritable, Event, Recorder
from launchworthy.audit.events import CredentialAbandoned, CredentialRevoked, CredentialRevokeFailed
from launchworthy.credentials.errors import BrokerError, RevocationUnsupported
from launchworthy.credentials.lease import CredentialBroker, Lease, Revocation

REVOKE_SECONDS = 3.0
FIRST_PAUSE_SECONDS = 1.0
LONGEST_PAUSE_SECONDS = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Lent:
    """A lease and whose it is."""

    lease: Lease
    call: str
    target: str


@dataclass(slots=True, kw_only=True)
class _Orphan:
    lent: Lent
    attempts: int


class Custody:
    """Takes leases back."""

    def __init__(
        self, brokers: Mapping[str, CredentialBroker], audit: Recorder, clock: Callable[[], float]
    ) -> None:
        """Know who lent what.

        Args:
            brokers: by the table in the settings.
            audit: where it is recorded.
            clock: seconds since the epoch.
        """
        self._brokers = brokers
        self._audit = audit
        self._clock = clock
        self._orphans: dict[str, _Orphan] = {}
        self._sweeping: asyncio.Task[None] | None = None

    @property
    def orphans(self) -> tuple[str, ...]:
        """The leases that are still to be taken back."""
        return tuple(self._orphans)

    async def take_back(self, lent: Lent) -> None:
        """Take one lease back, or have the sweeper do it."""
        lease = lent.lease
        if lease.revocation is not Revocation.SERVER:
            self._abandon(lent, None)
            return
        failure = await self._revoke(lent, attempts=1)
        if failure is None:
            return
        self._record(
            CredentialRevokeFailed(**about(lent.lease, lent.call, lent.target), attempts=1, detail=failure)
        )
        self._orphans[lease.id] = _Orphan(lent=lent, attempts=1)
        if self._sweeping is None or self._sweeping.done():
            self._sweeping = asyncio.get_running_loop().create_task(self._sweep(), name="credential-sweeper")

    async def aclose(self) -> None:
        """Try what is left once more, together; what still lives then is recorded with its end."""
        if self._sweeping is not None:
            self._sweeping.cancel()
            await asyncio.wait({self._sweeping})
        await self._try_all()
        for orphan in self._orphans.values():
            self._abandon(orphan.lent, "the server ended, and the broker still did not take it back")
        self._orphans.clear()

    async def _sweep(self) -> None:
        pause = FIRST_PAUSE_SECONDS
        while self._orphans:
            await asyncio.sleep(pause)
            pause = min(2 * pause, LONGEST_PAUSE_SECONDS)
            await self._try_all()
            now = self._clock()
            for name, orphan in tuple(self._orphans.items()):
                if orphan.lent.lease.not_after <= now:
                    del self._orphans[name]
                    self._abandon(orphan.lent, "it has run out by itself")

    async def _try_all(self) -> None:
        waiting = tuple(self._orphans.values())
        await asyncio.gather(*(self._again(orphan) for orphan in waiting))

    async def _again(self, orphan: _Orphan) -> None:
        orphan.attempts += 1
        if await self._revoke(orphan.lent, attempts=orphan.attempts) is None:
            self._orphans.pop(orphan.lent.lease.id, None)

    async def _revoke(self, lent: Lent, *, attempts: int) -> str | None:
        """Try once; returns what failed, or None where nothing is left to do."""
        lease = lent.lease
        try:
            async with asyncio.timeout(REVOKE_SECONDS):
                await self._brokers[lease.credential].revoke(lease)
        except RevocationUnsupported as unsupported:
            self._abandon(lent, str(unsupported))
            return None
        except BrokerError as error:
            return str(error)
        except TimeoutError:
            return f"the broker did not answer within {REVOKE_SECONDS:g} s"
        except Exception as error:  # noqa: BLE001 - whatever it is, the lease still lives: it is tried again
            return f"the broker failed with {type(error).__name__}"
        tried = f"at attempt {attempts}" if attempts > 1 else None
        self._record(CredentialRevoked(**about(lease, lent.call, lent.target), detail=tried))
        return None

    def _abandon(self, lent: Lent, detail: str | None) -> None:
        self._record(CredentialAbandoned(**about(lent.lease, lent.call, lent.target), detail=detail))

    def _record(self, event: Event) -> None:
        """Write it from the reserve; a stream that cannot be written makes every call a 503 by itself."""
        with suppress(AuditUnwritable):
            self._audit.record(event, critical=True)


def about(lease: Lease, call: str, target: str) -> dict[str, Any]:
    """What every record of a lease says; never the secret, nor a digest of it."""
    known = lease.revocation is not Revocation.KEEPER
    return {
        "call": call,
        "target": target,
        "credential": lease.credential,
        "broker": lease.broker,
        "lease": lease.id,
        "resource": lease.resource,
        "scopes": lease.scopes,
        "not_after": max(0, lease.not_after) if known else None,
        "revocation": lease.revocation.value,
    }
