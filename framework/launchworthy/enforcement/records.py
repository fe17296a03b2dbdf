"""Which records does a request leave, and what do they say?

One for each refusal, two for each call that was allowed, one for each other request that was served. Nothing
of a body, an argument or a result is in them but what the manifest shows.
"""

import re
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Final

from launchworthy.audit.events import (
    Attempt,
    AuthnDenied,
    Denied,
    Ended,
    Outcome,
    PromptAttempt,
    PromptDenied,
    PromptOutcome,
    ProtocolRejected,
    RatelimitDenied,
    Record,
    Refusal,
    RequestServed,
    ResourceAttempt,
    ResourceDenied,
    ResourceOutcome,
    SubscriptionOpened,
    ToolAttempt,
    ToolDenied,
    ToolOutcome,
    swiftly,
)
from launchworthy.enforcement.arguments import spelled
from launchworthy.enforcement.authorized import Authorized
from launchworthy.enforcement.peering import Peering
from launchworthy.enforcement.ports import Redactor
from launchworthy.enforcement.request import RequestId, spell
from launchworthy.manifest import ArgumentClass, TargetKind, TargetManifest
from launchworthy.state import LimitReached
from launchworthy.vocabulary import CallId, Principal, Reason, Refused

_ATTEMPTS: Final[Mapping[TargetKind, type[Attempt]]] = {
    TargetKind.TOOL: ToolAttempt,
    TargetKind.RESOURCE: ResourceAttempt,
    TargetKind.PROMPT: PromptAttempt,
}
_DENIALS: Final[Mapping[TargetKind, type[Denied]]] = {
    TargetKind.TOOL: ToolDenied,
    TargetKind.RESOURCE: ResourceDenied,
    TargetKind.PROMPT: PromptDenied,
}
_OUTCOMES: Final[Mapping[TargetKind, type[Ended]]] = {
    TargetKind.TOOL: ToolOutcome,
    TargetKind.RESOURCE: ResourceOutcome,
    TargetKind.PROMPT: PromptOutcome,
}
_KINDS: Final[Mapping[str, TargetKind]] = MappingProxyType(
    {"tools/call": TargetKind.TOOL, "resources/read": TargetKind.RESOURCE, "prompts/get": TargetKind.PROMPT}
)
_OF_CALLS = frozenset({"tool", "policy", "limit"})
_AUTHENTICATION = frozenset({"credential", "token", "keys", "identity", "peer", "control", "limit"})
_DOORS: Final[Mapping[Reason, type[AuthnDenied | ProtocolRejected]]] = {
    reason: AuthnDenied if reason.family in _AUTHENTICATION else ProtocolRejected for reason in Reason
}
_TRACEPARENT = re.compile(r"[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}")


class Trace:
    """What is known of one request so far; everything that leaves a record is told from it.

    Attributes:
        call: the call id.
        source: the address it came from, where that is known.
        request_id: of the body, once it was read.
        principal: once the token was good.
        method: of the body, once it was read.
        completed: whether an argument of a prompt or a resource is completed, and of which.
        revision: once it was settled.
        target: once it was found.
        named: what the body names, where it is the client's own word.
        plain: the arguments as JSON values, once they were valid.
        client_says: what the client says of itself.
        traceparent: the client's own trace, a link and no more.
        attempted: once an attempt is in the audit; what happens then is its outcome.
        peering: who is connected, where TLS is mutual.
    """

    __slots__ = (
        "_begun",
        "_clock",
        "attempted",
        "call",
        "client_says",
        "completed",
        "method",
        "named",
        "peering",
        "plain",
        "principal",
        "request_id",
        "revision",
        "source",
        "target",
        "traceparent",
    )

    def __init__(self, call: CallId, *, clock: Callable[[], float], source: str | None) -> None:
        """Begin with nothing known; `clock` counts seconds and never goes back."""
        self.call = call
        self._clock = clock
        self._begun = clock()
        self.source = source
        self.request_id: RequestId | None = None
        self.principal: Principal | None = None
        self.method: str | None = None
        self.completed: TargetKind | None = None
        self.revision: str | None = None
        self.target: TargetManifest | None = None
        self.named: str | None = None
        self.plain: Mapping[str, object] = {}
        self.client_says: dict[str, str] | None = None
        self.traceparent: str | None = None
        self.attempted = False
        self.peering: Peering | None = None

    def milliseconds(self) -> int:
        """How long it has been."""
        return round((self._clock() - self._begun) * 1000)

    def hear(self, client_info: object, params: Mapping[str, object]) -> None:
        """Note what the client says of itself; nothing depends on it."""
        if isinstance(client_info, dict):
            told = {name: client_info.get(name) for name in ("name", "title", "version")}
            self.client_says = {name: said for name, said in told.items() if isinstance(said, str)}
        meta = params.get("_meta")
        parent = meta.get("traceparent") if isinstance(meta, dict) else None
        if isinstance(parent, str) and _TRACEPARENT.fullmatch(parent) is not None:
            self.traceparent = parent


def refused(trace: Trace, refusal: Refused, status: int, redactor: Redactor) -> Record | Refusal:
    """The record of a refusal: of a call once its method was known, of the protocol or the token before."""
    if isinstance(refusal, LimitReached) and trace.principal is not None:
        return _limited(trace, trace.principal, refusal, status)
    kind = trace.completed or _KINDS.get(trace.method or "")
    of_call = trace.target is not None or refusal.reason.family in _OF_CALLS
    if kind is not None and trace.principal is not None and of_call:
        return _denied(kind, trace, refusal, status, redactor)
    return door_of(refusal.reason)(
        call=trace.call,
        reason=refusal.reason,
        status=status,
        detail=refusal.detail,
        method=trace.method,
        target=trace.target.name if trace.target is not None else None,
        revision=trace.revision,
        **who(trace.principal),
        **connected(trace.peering),
    )


def door_of(reason: Reason) -> type[AuthnDenied | ProtocolRejected]:
    """Which record a refusal leaves that came before there was a call."""
    return _DOORS[reason]


def attempted(
    trace: Trace, authorized: Authorized, redactor: Redactor, *, token_id: str, durable: bool, now: int
) -> Record:
    """The record of a call that is about to run."""
    target, principal = authorized.target, authorized.principal
    said = {
        "call": trace.call,
        "target": shown_target(target, trace),
        "method": trace.method,
        "kind": principal.kind.value,
        "actors": principal.actors,
        "revision": trace.revision,
        "scopes": principal.scopes,
        "arguments": redactor.redact(target.name, target.arguments, trace.plain),
        "rule": authorized.decision.rule,
        "policy_digest": authorized.decision.policy_digest,
        "manifest_digest": authorized.decision.manifest_digest,
        "durable": durable,
        "token_id": token_id,
        "token_age": max(0, now - principal.issued_at),
        "trace": trace.traceparent,
        "client_says": trace.client_says,
        **who(principal),
        **connected(trace.peering),
    }
    return swiftly(_ATTEMPTS[target.kind], said)


def ended(
    trace: Trace,
    authorized: Authorized,
    outcome: Outcome,
    *,
    why: tuple[Reason, str] | None,
    result: bytes,
    redactor: Redactor,
) -> Record:
    """The record of how a call ended; of its result the size and a keyed digest.

    Args:
        trace: the request.
        authorized: what was to run.
        outcome: how it ended.
        why: reason and detail, where it is not the body's own doing.
        result: the bytes of the result; empty where there is none.
        redactor: writes the digest.
    """
    target = authorized.target
    said = {
        "call": trace.call,
        "target": shown_target(target, trace),
        "outcome": outcome,
        "milliseconds": trace.milliseconds(),
        "result_bytes": len(result) if result else None,
        "result_digest": redactor.result_digest(target.name, result) if result else None,
        "reason": why[0] if why is not None else None,
        "detail": why[1] if why is not None else None,
    }
    return swiftly(_OUTCOMES[target.kind], said)


def served(trace: Trace, status: int, result: bytes) -> RequestServed:
    """The record of a request that runs no body."""
    return RequestServed(
        call=trace.call,
        method=trace.method or "",
        status=status,
        revision=trace.revision,
        milliseconds=trace.milliseconds(),
        result_bytes=len(result),
        client_says=trace.client_says,
        **who(trace.principal),
        **connected(trace.peering),
    )


def subscribed(trace: Trace, targets: tuple[str, ...], *, refused: int) -> SubscriptionOpened:
    """The record of a stream that is about to begin.

    Args:
        trace: the request.
        targets: the URIs it may hear of, as the audit shows them.
        refused: how many it may not hear of.
    """
    principal = trace.principal
    return SubscriptionOpened(
        call=trace.call,
        targets=targets,
        refused=refused,
        kind=principal.kind.value if principal is not None else None,
        revision=trace.revision,
        client_says=trace.client_says,
        **who(principal),
    )


def shown_target(target: TargetManifest, trace: Trace) -> str:
    """The name of a tool or prompt; the URI of a resource as it was decided on, in its one spelling.

    Only the values of clear variables stand in it. Where an argument is completed there is no URI yet: it is
    the template.
    """
    if target.uri is None:
        return target.name
    if trace.completed is not None:
        return target.uri
    return shown_uri(target, trace.plain)


def shown_uri(target: TargetManifest, plain: Mapping[str, object]) -> str:
    """The URI of a resource in its one spelling, with the values of clear variables only."""
    clear = (name for name in plain if target.argument_class(name) is ArgumentClass.CLEAR)
    return spell(target.uri or "", {name: spelled(plain[name]) for name in clear})


def _denied(kind: TargetKind, trace: Trace, refusal: Refused, status: int, redactor: Redactor) -> Record:
    target, principal = trace.target, trace.principal
    held = principal.scopes if principal is not None else frozenset[str]()
    arguments = redactor.redact(target.name, target.arguments, trace.plain) if target is not None else {}
    said = {
        "call": trace.call,
        "target": shown_target(target, trace) if target is not None else trace.named or "",
        "method": trace.method,
        "kind": principal.kind.value if principal is not None else None,
        "actors": principal.actors if principal is not None else (),
        "revision": trace.revision,
        "reason": refusal.reason,
        "status": status,
        "detail": refusal.detail,
        "rules": refusal.rules,
        "scopes": held,
        "missing_scopes": tuple(sorted(set(refusal.scopes) - held)),
        "arguments": arguments,
        "client_says": trace.client_says,
        **who(principal),
        **connected(trace.peering),
    }
    return swiftly(_DENIALS[kind], said)


def _limited(trace: Trace, principal: Principal, refusal: LimitReached, status: int) -> RatelimitDenied:
    """The record of a call, a list or a discovery that there was no room for."""
    target = trace.target
    return RatelimitDenied(
        call=trace.call,
        target=shown_target(target, trace) if target is not None else trace.named or trace.method or "",
        method=trace.method,
        kind=principal.kind.value,
        actors=principal.actors,
        revision=trace.revision,
        reason=refusal.reason,
        status=status,
        scopes=principal.scopes,  # type: ignore[arg-type]  # the field takes any collection and sorts a set
        limit=refusal.limit,
        allowed=refusal.allowed,
        retry_after=refusal.retry_after,
        **who(principal),
        **connected(trace.peering),
    )


def who(principal: Principal | None) -> dict[str, Any]:
    """The caller, in the fields that every record has for it; nothing where nobody was verified."""
    if principal is None:
        return {}
    return {
        "issuer": principal.issuer,
        "subject": principal.subject,
        "client": principal.client,
        "tenant": principal.tenant,
    }


def connected(peering: Peering | None) -> dict[str, Any]:
    """Who connected, in the fields of records; nothing where TLS is not mutual."""
    return {} if peering is None else {"peer": peering.peer, "forwarded_peer": peering.forwarded}
