"""Was somebody asked, and what did they say? The question, the answer, and an answer that came twice."""

from typing import ClassVar, Literal

from pydantic import Field

from launchworthy.audit.events.call import Call
from launchworthy.audit.events.event import Arguments, ClientSays, Count, Event, Label, Text, Words

Method = Literal["url", "form"]


class ToolInputRequired(Call):
    """A call was answered with a question instead of a result; nothing ran.

    Attributes:
        approval: names the question in all of its records: a digest of its nonce.
        approval_method: `url`, a signed-in person on our page, or `form`, what the client says.
        rules: the policies that ask for it.
        scopes: what the token is good for.
        arguments: redacted, see `ArgumentRedactor`.
        not_after: until when it may be answered, in seconds since the epoch.
        trace: the client's own trace, a link and no more.
        client_says: what the client says of itself; nobody checked it.
    """

    type: ClassVar[str] = "tool.input_required"

    approval: Label
    approval_method: Method
    rules: Words = ()
    scopes: Words = ()
    arguments: Arguments = Field(default_factory=dict)
    policy_digest: Label | None = None
    manifest_digest: Label | None = None
    not_after: Count | None = None
    trace: Label | None = None
    client_says: ClientSays | None = None


class ApprovalEvent(Event):
    """What all of these say; not a record by itself.

    Attributes:
        approval: names the question: a digest of its nonce.
        call: the request that the record belongs to: of the call that asked or brought the answer, or the
            page's own.
        asked_by: the call that asked, where it is another one.
        target: the tool.
        approval_method: `url` or `form`.
        by: who may answer, `caller` or `approvers`.
        approver_issuer: who vouches for the one who answered; only for `url`.
        approver: subject of the one who answered; only for `url`.
        age: seconds between the question and this.
        not_after: until when the answer counts, in seconds since the epoch.
    """

    type: ClassVar[str] = "approval"

    approval: Label
    call: Label | None = None
    asked_by: Label | None = None
    target: Text
    approval_method: Method
    by: Literal["caller", "approvers"] | None = None
    issuer: Text | None = None
    subject: Text | None = None
    client: Text | None = None
    tenant: Text | None = None
    approver_issuer: Text | None = None
    approver: Text | None = None
    age: Count | None = None
    not_after: Count | None = None
    detail: Text | None = None


class ApprovalRequested(ApprovalEvent):
    """Somebody was asked to approve exactly this call."""

    type: ClassVar[str] = "approval.requested"


class ApprovalTurnedAway(ApprovalEvent):
    """Somebody signed in on the page, or tried to, and may not answer this question; nothing was decided."""

    type: ClassVar[str] = "approval.turned_away"


class ApprovalAnswered(ApprovalEvent):
    """Somebody who signed in said yes or no on the page; the call that waits for it may come now, once."""

    type: ClassVar[str] = "approval.answered"


class ApprovalGranted(ApprovalEvent):
    """They said yes, to this call and no other, once."""

    type: ClassVar[str] = "approval.granted"


class ApprovalDeclined(ApprovalEvent):
    """They said no, or the time to answer ran out; the call has ended."""

    type: ClassVar[str] = "approval.declined"


class ApprovalReplayed(ApprovalEvent):
    """An answer that had been used was used again, or for another call; nothing ran."""

    type: ClassVar[str] = "approval.replayed"
