"""What becomes of the promotion record while a process runs under it?"""

from typing import ClassVar

from launchworthy.audit.events.event import Count, Event, Label, Text


class PromotionExpiring(Event):
    """The record ends within a fortnight: said once a day, and no process is stopped by a date.

    Attributes:
        record_digest: of the record in force.
        run_until: after this there is no start; RFC 3339.
        days: how many are left.
    """

    type: ClassVar[str] = "promotion.expiring"

    record_digest: Label
    run_until: Text
    days: Count


class PromotionRevoked(Event):
    """The record in force was revoked, or who signed it: the process drains.

    Attributes:
        record_digest: of the record in force.
        signer: who signed it.
        trust_digest: of the trust policy that says so.
    """

    type: ClassVar[str] = "promotion.revoked"

    record_digest: Label
    signer: Text | None = None
    trust_digest: Label | None = None
    detail: Text | None = None
