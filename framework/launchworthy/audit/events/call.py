"""What was called, by whom, was it allowed, and how did it end? Tools, resources and prompts alike."""

from collections.abc import Mapping
from typing import Any, ClassVar, Literal

from pydantic import Field

from launchworthy.audit.events.event import Arguments, ClientSays, Count, Event, Label, Text, Words
from launchworthy.audit.events.refusal import Counted
from launchworthy.vocabulary import Reason

Outcome = Literal["ok", "tool_error", "error", "cancelled", "timeout", "not_dispatched"]


class Call(Event):
    """Which call of whom; not a record by itself.

    Attributes:
        call: the call id, the same in all records of a call and in its answer.
        target: name of the tool or prompt, URI of the resource.
        issuer: of the caller's token; with subject and client it is the principal.
        tenant: whose the caller is, where the server has several tenants.
        kind: `person` or `machine`.
        actors: subjects of the delegation chain, outermost first.
        revision: of the protocol.
        peer: SPIFFE ID of the connection's other end, where TLS is mutual.
        forwarded_peer: SPIFFE ID for which a trusted proxy says that it speaks.
    """

    type: ClassVar[str] = "call"

    call: Label
    target: Text
    method: Label | None = None
    issuer: Text | None = None
    subject: Text | None = None
    client: Text | None = None
    tenant: Text | None = None
    kind: Label | None = None
    actors: Words = ()
    revision: Label | None = None
    peer: Text | None = None
    forwarded_peer: Text | None = None


class Attempt(Call):
    """A call was allowed and is about to run: written before its body starts.

    Attributes:
        scopes: what the token is good for.
        arguments: redacted, see `ArgumentRedactor`.
        rule: the one permit that the decision cites.
        durable: the record was on the disk before the body ran.
        token_id: keyed digest of `jti`.
        token_age: seconds since the token was issued.
        client_says: what the client says of itself; nobody checked it.
    """

    scopes: Words = ()
    arguments: Arguments = Field(default_factory=dict)
    rule: Text | None = None
    policy_digest: Label | None = None
    manifest_digest: Label | None = None
    durable: bool | None = None
    token_id: Label | None = None
    token_age: Count | None = None
    trace: Label | None = None
    client_says: ClientSays | None = None


class Denied(Call):
    """A caller who is known was refused; nothing ran.

    Attributes:
        reason: why.
        status: the HTTP status of the answer.
        rules: ids of the policies that said no.
        scopes: what the token is good for.
        missing_scopes: what it would have needed besides.
    """

    reason: Reason
    status: Count
    detail: Text | None = None
    rule: Text | None = None
    rules: Words = ()
    scopes: Words = ()
    missing_scopes: Words = ()
    arguments: Arguments = Field(default_factory=dict)
    policy_digest: Label | None = None
    manifest_digest: Label | None = None
    client_says: ClientSays | None = None


class Ended(Event):
    """How a call ended: written before its answer leaves; of the result only size and keyed digest."""

    type: ClassVar[str] = "ended"

    call: Label
    target: Text
    outcome: Outcome
    milliseconds: Count
    result_bytes: Count | None = None
    result_digest: Label | None = None
    reason: Reason | None = None
    detail: Text | None = None


class ToolAttempt(Attempt):
    """A tool is about to run."""

    type: ClassVar[str] = "tool.attempt"


class ToolDenied(Denied):
    """A tool was not allowed."""

    type: ClassVar[str] = "tool.denied"


class ToolOutcome(Ended):
    """A tool has ended."""

    type: ClassVar[str] = "tool.outcome"


class ResourceAttempt(Attempt):
    """A resource is about to be read."""

    type: ClassVar[str] = "resource.attempt"


class ResourceDenied(Denied):
    """A resource was not allowed."""

    type: ClassVar[str] = "resource.denied"


class ResourceOutcome(Ended):
    """A read has ended."""

    type: ClassVar[str] = "resource.outcome"


class PromptAttempt(Attempt):
    """A prompt is about to be rendered."""

    type: ClassVar[str] = "prompt.attempt"


class PromptDenied(Denied):
    """A prompt was not allowed."""

    type: ClassVar[str] = "prompt.denied"


class PromptOutcome(Ended):
    """A prompt has ended."""

    type: ClassVar[str] = "prompt.outcome"


class RequestServed(Counted):
    """A request that runs no body was answered: discover, ping, lists, and to anybody the metadata document.

    Attributes:
        call: the call id that the answer bore; a summary has none.
        method: of the body; `metadata` for the document, which is fetched without one.
    """

    type: ClassVar[str] = "request.served"

    call: Label | None = None
    method: Label
    status: Count | None = None
    issuer: Text | None = None
    subject: Text | None = None
    client: Text | None = None
    tenant: Text | None = None
    revision: Label | None = None
    milliseconds: Count | None = None
    result_bytes: Count | None = None
    client_says: ClientSays | None = None
    peer: Text | None = None
    forwarded_peer: Text | None = None

    @property
    def stranger(self) -> str | None:
        """What was served to nobody we know."""
        return self.method if self.subject is None else None

    def _common(self) -> Mapping[str, Any]:
        return {"method": self.method, "status": self.status}
