"""Who was turned away before there was a call? Refusals at the door, most of them of strangers."""

from typing import ClassVar

from launchworthy.audit.events.event import Count, Event, Label, Text, Words
from launchworthy.vocabulary import Reason


class Refusal(Event):
    """What all of these say; not a record by itself.

    Attributes:
        call: the call id that the answer bore; a summary has none.
        reason: why.
        status: the HTTP status of the answer.
        sources: prefixes of the addresses it came from.
        count: how many refusals a summary stands for; None in a record of a single one.
        first: RFC 3339, of a summary.
        last: RFC 3339, of a summary.
    """

    type: ClassVar[str] = "refusal"

    call: Label | None = None
    reason: Reason
    status: Count
    detail: Text | None = None
    method: Label | None = None
    target: Text | None = None
    issuer: Text | None = None
    subject: Text | None = None
    client: Text | None = None
    revision: Label | None = None
    sources: Words = ()
    count: Count | None = None
    first: Label | None = None
    last: Label | None = None

    @property
    def stranger(self) -> str | None:
        """A refusal without a principal is a stranger's."""
        return self.reason.value if self.subject is None else None

    @property
    def weight(self) -> int:
        """How many refusals this record stands for."""
        return self.count if self.count is not None else 1


class AuthnDenied(Refusal):
    """No token, a bad one, or one that cannot be verified now (401, 400, 503)."""

    type: ClassVar[str] = "authn.denied"


class ProtocolRejected(Refusal):
    """Not a request that is served here: path, host, size, type, JSON, revision, headers, method."""

    type: ClassVar[str] = "protocol.rejected"
