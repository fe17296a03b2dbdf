"""Who listened to what, and how long? Streams of notifications, opened and closed."""

from typing import ClassVar

from launchworthy.audit.events.event import ClientSays, Count, Event, Label, Text, Words


class SubscriptionOpened(Event):
    """A caller listens from now on.

    Attributes:
        call: the request that opened it; the same in `subscription.closed`.
        targets: what it was allowed to listen to, each decided as a read.
        refused: how many of those it asked for it does not get; they are not named to anybody.
    """

    type: ClassVar[str] = "subscription.opened"

    call: Label
    targets: Words = ()
    refused: Count | None = None
    issuer: Text | None = None
    subject: Text | None = None
    client: Text | None = None
    tenant: Text | None = None
    kind: Label | None = None
    revision: Label | None = None
    token_id: Label | None = None
    client_says: ClientSays | None = None


class SubscriptionClosed(Event):
    """It has ended.

    Attributes:
        reason: `client`, `token`, `stopped`, `denied`, `identity`, `drain`, or another word.
        delivered: notifications that were sent.
        withheld: notifications that it was not allowed to see any more.
    """

    type: ClassVar[str] = "subscription.closed"

    call: Label
    reason: Label
    milliseconds: Count
    delivered: Count | None = None
    withheld: Count | None = None
    detail: Text | None = None
