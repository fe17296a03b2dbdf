"""Who was turned away before there was a call? Refusals at the door, most of them of strangers."""

from collections.abc import Mapping
from typing import Any, ClassVar, Self

from launchworthy.audit.events.event import Count, Event, Label, Text, Words
from launchworthy.vocabulary import Reason


class Counted(Event):
    """What strangers can cause as often as they like; not a record by itself.

    Attributes:
        sources: prefixes of the addresses it came from.
        count: how many a summary stands for; None in a record of a single one.
        first: RFC 3339, of a summary.
        last: RFC 3339, of a summary.
    """

    type: ClassVar[str] = "counted"

    sources: Words = ()
    count: Count | None = None
    first: Label | None = None
    last: Label | None = None

    @property
    def weight(self) -> int:
        """How many this record stands for."""
        return self.count if self.count is not None else 1

    def summary(self, *, count: int, first: str, last: str, sources: tuple[str, ...]) -> Self:
        """One record for many: why, how many, when and from where, and nothing of any single one."""
        return type(self)(**self._common(), count=count, first=first, last=last, sources=sources)

    def _common(self) -> Mapping[str, Any]:
        """The fields that all have which are counted together."""
        return {}


class Refusal(Counted):
    """What all refusals of requests say; not a record by itself.

    Attributes:
        call: the call id that the answer bore; a summary has none.
        reason: why.
        status: the HTTP status of the answer.
        peer: SPIFFE ID of the connection's other end, where TLS is mutual.
        forwarded_peer: SPIFFE ID for which a trusted proxy says that it speaks.
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
    tenant: Text | None = None
    revision: Label | None = None
    peer: Text | None = None
    forwarded_peer: Text | None = None

    @property
    def stranger(self) -> str | None:
        """A refusal without a principal is a stranger's."""
        return self.reason.value if self.subject is None else None

    def _common(self) -> Mapping[str, Any]:
        return {"reason": self.reason, "status": self.status}


class AuthnDenied(Refusal):
    """No token, a bad one, or one that cannot be verified now (401, 400, 503)."""

    type: ClassVar[str] = "authn.denied"


class ProtocolRejected(Refusal):
    """Not a request that is served here: path, host, size, type, JSON, revision, headers, method."""

    type: ClassVar[str] = "protocol.rejected"


class IdentityPeerRejected(Counted):
    """A TLS client was turned away in the handshake, before it could ask for anything.

    Attributes:
        cause: why, in one word, as `peer.*` says it: `missing`, `untrusted`, `expired`, `not_allowed`, …; or
            why we have no identity to show: `identity.expired`.
        peer: the SPIFFE ID of its certificate, where that was verified.
    """

    type: ClassVar[str] = "identity.peer_rejected"

    cause: Label
    peer: Text | None = None
    detail: Text | None = None

    @property
    def stranger(self) -> str | None:
        """Nobody has authenticated yet: a stranger's, always."""
        return f"peer.{self.cause}"

    def _common(self) -> Mapping[str, Any]:
        return {"cause": self.cause}
