"""What was lent to a call, and was it taken back? Leases of credentials for upstreams, never their values."""

from typing import ClassVar, Literal

from launchworthy.audit.events.event import Count, Event, Label, Text, Words


class CredentialEvent(Event):
    """What all of these say; not a record by itself.

    Attributes:
        call: for which call; None for one of the workload's own that calls share.
        target: the tool that asked.
        credential: its name in the settings and the manifest.
        broker: who lends it.
        lease: names the lease in all of its records; never the secret, nor a digest of it.
        resource: the audience it is good for.
        scopes: what it is good for there.
        not_after: when it ends by itself, in seconds since the epoch.
        revocation: whether the broker takes it back (`server`), it can only expire (`expiry`), or it is its
            keeper's to change (`keeper`).
    """

    type: ClassVar[str] = "credential"

    call: Label | None = None
    target: Text | None = None
    credential: Label
    broker: Label
    lease: Label
    resource: Text | None = None
    scopes: Words = ()
    not_after: Count | None = None
    revocation: Literal["server", "expiry", "keeper"] | None = None
    detail: Text | None = None


class CredentialIssued(CredentialEvent):
    """A broker has lent a credential; written before it is checked or used."""

    type: ClassVar[str] = "credential.issued"


class CredentialRefused(Event):
    """A call asked for a credential and did not get it, or may not use the one that came.

    Attributes:
        call: for which call.
        target: the tool that asked.
        credential: its name in the settings and the manifest.
        broker: who was asked; `none` where nobody was.
        lease: the lease that came and may not be used; it is taken back.
        detail: why.
    """

    type: ClassVar[str] = "credential.refused"

    call: Label
    target: Text
    credential: Label
    broker: Label
    lease: Label | None = None
    detail: Text


class CredentialRevoked(CredentialEvent):
    """A lease has ended: the broker has taken it back."""

    type: ClassVar[str] = "credential.revoked"


class CredentialRevokeFailed(CredentialEvent):
    """The broker did not take a lease back; it is tried again, and lives until `not_after` at most.

    Attributes:
        attempts: how often it was tried so far.
    """

    type: ClassVar[str] = "credential.revoke_failed"

    attempts: Count | None = None


class CredentialAbandoned(CredentialEvent):
    """Nobody tries to take a lease back any more: it can only expire, or the process ends before it did."""

    type: ClassVar[str] = "credential.abandoned"
