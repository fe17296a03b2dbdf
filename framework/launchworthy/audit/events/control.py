"""What was stopped, denied, lifted or limited while the server ran?"""

from typing import ClassVar, Literal

from launchworthy.audit.events.call import Denied
from launchworthy.audit.events.event import Count, Event, Label, Text, Words


class ControlChanged(Event):
    """This process has seen an entry of the control list come or go, or the list itself become unusable.

    Attributes:
        change: `added`, `removed` and `expired` are of an entry, `refused` of a grant that lifts nothing,
            since its approvals do not count, `stale` and `fresh` of the whole list.
        entry: the id of the entry.
        action: what the entry does.
        targets: tools, prompts and resources that it is about.
        principals: callers that it is about, each as issuer and subject, client or token.
        who: who wrote it.
        why: their reason.
        until: when it ends, in seconds since the epoch.
        source: where it stands: the file, the shared state, or both.
        incident: what a grant is for.
        lifts: ids of the rules that a grant lifts.
        approvers: who has approved a grant.
        list_digest: SHA-256 of the list as it is in force now.
    """

    type: ClassVar[str] = "control.changed"

    change: Literal["added", "removed", "expired", "refused", "stale", "fresh"]
    entry: Label | None = None
    action: Literal["stop", "deny", "grant"] | None = None
    targets: Words = ()
    principals: Words = ()
    who: Text | None = None
    why: Text | None = None
    until: Count | None = None
    source: Label | None = None
    incident: Text | None = None
    lifts: Words = ()
    approvers: Words = ()
    list_digest: Label | None = None
    detail: Text | None = None


class RatelimitDenied(Denied):
    """A caller who is known asked too often; nothing ran.

    Attributes:
        limit: which limit: `rate`, `concurrency`, `budget` or another name of the manifest's.
        allowed: how much it allows, such as `60/minute`.
        retry_after: seconds, as the answer says.
    """

    type: ClassVar[str] = "ratelimit.denied"

    limit: Label
    allowed: Label | None = None
    retry_after: Count | None = None


class BreakglassUsed(Event):
    """A grant has lifted rules for this call; one record for each use.

    Attributes:
        grant: the id of the entry in the control list.
        incident: what it was given for.
        lifted: ids of the rules that it lifted.
        approvers: who has approved the grant.
        until: when the grant ends, in seconds since the epoch.
    """

    type: ClassVar[str] = "breakglass.used"

    call: Label
    target: Text
    issuer: Text | None = None
    subject: Text | None = None
    client: Text | None = None
    tenant: Text | None = None
    grant: Label
    incident: Text
    lifted: Words
    approvers: Words = ()
    until: Count | None = None
