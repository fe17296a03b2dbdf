"""What does a broker lend, on which request, and how does it end?"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

from launchworthy.credentials.sealed import SealedToken
from launchworthy.vocabulary import CallId, Principal, Secret


class Revocation(StrEnum):
    """How a lease ends."""

    SERVER = "server"
    """Whoever issued it takes it back."""
    EXPIRY = "expiry"
    """It can only run out."""
    KEEPER = "keeper"
    """It is the keeper's to change; our use of it ends with the call."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CredentialRequest:
    """One request of one call, as the manifest allows it.

    Attributes:
        credential: its table in the settings.
        scopes: what is asked for; empty where this kind of credential has none.
        ttl: the longest it may live, in seconds.
        call: the call that borrows it.
        target: the tool, resource or prompt that asks.
        principal: the caller.
        subject_token: the caller's own token, sealed; only where it is to be exchanged.
    """

    credential: str
    scopes: tuple[str, ...]
    ttl: int
    call: CallId
    target: str
    principal: Principal
    subject_token: SealedToken | None = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Lease:
    """One credential, lent to one call.

    Attributes:
        id: its name in the records.
        credential: its table in the settings.
        broker: who lends it.
        resource: whom it is for, where that is known.
        secret: the credential itself.
        parts: its parts by name, where it has several: `username`, `password`.
        scopes: what it is good for, as it came.
        not_after: when it ends, in seconds since the epoch.
        revocation: how it ends before that.
        handle: what the broker takes it back by.
    """

    id: str
    credential: str
    broker: str
    resource: str | None
    secret: Secret
    parts: Mapping[str, Secret] = field(repr=False)
    scopes: tuple[str, ...]
    not_after: int
    revocation: Revocation
    handle: Secret | None = field(repr=False)


class CredentialBroker(Protocol):
    """Whoever lends one kind of credential. One for each table of `[credentials.<name>]`."""

    @property
    def name(self) -> str:
        """What the settings call it: `token-exchange`."""

    @property
    def max_ttl(self) -> int:
        """The longest lease that it may give, in seconds."""

    async def issue(self, request: CredentialRequest) -> Lease:
        """Lend a credential: no wider and no longer than asked, or the lease book takes it back at once.

        Raises:
            BrokerError: it is not to be had.
        """

    async def revoke(self, lease: Lease) -> None:
        """Take it back. Idempotent: what is gone already is no error.

        Raises:
            RevocationUnsupported: it can only run out.
            BrokerError: it is not known to be gone.
        """

    async def aclose(self) -> None:
        """Let go of everything."""
