"""How is a person asked before a call, and how does their answer come to count?

The question goes back as the answer to the call, and its answer comes with the same call sent again (a
multi-round-trip request of MCP 2026-07-28). What came is compared with what was asked about, decided on anew,
and used up before the attempt is recorded. Every step leaves a record.
"""

from collections.abc import Mapping
from typing import Any, Final

from pydantic_core import to_json

from launchworthy.approval import (
    FORM,
    TTL_SECONDS,
    AnsweredBefore,
    AnswerForAnother,
    Approvals,
    AskedCall,
    Declined,
    Opened,
    Redeemed,
    Verdict,
    requested_schema,
    shown_call,
)
from launchworthy.approval.answers import KEY
from launchworthy.audit.events import (
    ApprovalDeclined,
    ApprovalGranted,
    ApprovalReplayed,
    ApprovalRequested,
    ToolInputRequired,
)
from launchworthy.enforcement.answers import Answer, json_headers
from launchworthy.enforcement.ports import Recorder, Redactor
from launchworthy.enforcement.request import Asked, ClientCannotAsk, Revision
from launchworthy.enforcement.verified_request import VerifiedRequest
from launchworthy.manifest import TargetManifest
from launchworthy.policy import ApprovalNeeded
from launchworthy.vocabulary import Principal, Reason, Refused

STATE: Final = "requestState"
RESPONSES: Final = "inputResponses"
_OK: Final = 200


class Approving:
    """Asks through the client, and hears what comes back."""

    def __init__(self, approvals: Approvals, audit: Recorder, redactor: Redactor, *, title: str) -> None:
        """Hold who asks.

        Args:
            approvals: asks, compares, and lets each answer count once.
            audit: what happened.
            redactor: what of a call may be recorded.
            title: of the server, for people.
        """
        self._approvals = approvals
        self._audit = audit
        self._redactor = redactor
        self._title = title

    def asked_call(
        self, request: VerifiedRequest, asked: Asked, plain: Mapping[str, object], needed: ApprovalNeeded
    ) -> AskedCall:
        """What is to be approved: what would run, as it was verified and validated now."""
        return AskedCall(
            principal=request.principal,
            tool=asked.target.name,
            given=asked.arguments,
            arguments=plain,
            resource=request.resource,
            policy_digest=needed.decision.policy_digest,
            manifest_digest=needed.decision.manifest_digest,
        )

    @staticmethod
    def brings_answer(request: VerifiedRequest) -> bool:
        """Whether the call says that it was asked about."""
        return not {STATE, RESPONSES}.isdisjoint(request.settled.message.params)

    async def ask(
        self, request: VerifiedRequest, target: TargetManifest, call: AskedCall, needed: ApprovalNeeded
    ) -> Answer:
        """Answer a call with the question whether it may be made.

        Raises:
            ClientCannotAsk: the client has no user to ask, or no form for it.
            Refused: `tool.approval`, the revision has no way back, or the call cannot be shown whole;
                `limit.store`.
        """
        _check_way_back(request)
        if not _has_form(request.settled.capabilities):
            raise ClientCannotAsk({"elicitation": {FORM: {}}})
        shown = shown_call(call, title=self._title, effect=target.effect.value, seconds=TTL_SECONDS)
        trace = request.trace
        question, sealed = await self._approvals.ask(call, trace.call, request.now)
        said: dict[str, Any] = {"approval": question.name, "approval_method": needed.rule.mode.value}
        self._audit.record(
            ToolInputRequired(
                call=trace.call,
                target=target.name,
                method=trace.method,
                kind=request.principal.kind.value,
                actors=request.principal.actors,
                revision=trace.revision,
                rules=needed.rules,
                scopes=tuple(sorted(request.principal.scopes)),
                arguments=self._redactor.redact(target.name, target.arguments, trace.plain),
                policy_digest=call.policy_digest,
                manifest_digest=call.manifest_digest,
                not_after=question.not_after,
                trace=trace.traceparent,
                client_says=trace.client_says,
                **_who(request.principal),
                **_connected(request),
                **said,
            ),
            subject=target.subject(trace.plain),
        )
        self._audit.record(
            ApprovalRequested(
                call=trace.call,
                target=target.name,
                by=needed.rule.by,
                not_after=question.not_after,
                **_who(request.principal),
                **said,
            )
        )
        return _question_answer(request, shown, sealed)

    def hear(self, request: VerifiedRequest, call: AskedCall, needed: ApprovalNeeded) -> Opened:
        """Open the answer that came with a call.

        Raises:
            Refused: it does not count for this call.
        """
        _check_way_back(request)
        params = request.settled.message.params
        try:
            return self._approvals.hear(params.get(STATE), params.get(RESPONSES), call, request.now)
        except AnswerForAnother as other:
            self._audit.record(
                ApprovalReplayed(
                    approval=other.question,
                    asked_by=other.asked_by,
                    age=other.age,
                    detail=other.detail,
                    **_about(request, call, needed),
                )
            )
            raise

    async def redeem(
        self, request: VerifiedRequest, opened: Opened, call: AskedCall, needed: ApprovalNeeded
    ) -> Redeemed:
        """Use an answer up, for the first and last time, and record that it was a yes.

        Raises:
            Declined: it was a no; so it is used up, and the call has ended.
            Refused: it was used before, or nobody can tell.
        """
        question, about = opened.question, _about(request, call, needed)
        said: dict[str, Any] = {
            "approval": question.name,
            "asked_by": question.asked_by,
            "age": question.age(request.now),
        }
        try:
            redeemed = await self._approvals.redeem(opened, request.now)
        except AnsweredBefore as before:
            self._audit.record(ApprovalReplayed(detail=before.detail, **said, **about))
            raise
        if opened.verdict is not Verdict.YES:
            self._audit.record(ApprovalDeclined(detail=opened.verdict.value, **said, **about))
            raise Declined(opened.verdict.value)
        self._audit.record(ApprovalGranted(not_after=question.not_after, **said, **about))
        return redeemed


def _check_way_back(request: VerifiedRequest) -> None:
    revision = request.settled.revision
    if revision is not Revision.MODERN:
        raise Refused(Reason.TOOL_APPROVAL, f"the revision {revision.value} has no way back to who is asked")


def _has_form(capabilities: object) -> bool:
    """Whether the client says that it can show a form; an empty `elicitation` says so too."""
    elicitation = capabilities.get("elicitation") if isinstance(capabilities, dict) else None
    return isinstance(elicitation, dict) and (not elicitation or isinstance(elicitation.get(FORM), dict))


def _question_answer(request: VerifiedRequest, shown: str, sealed: str) -> Answer:
    asking = {
        "method": "elicitation/create",
        "params": {"mode": FORM, "message": shown, "requestedSchema": requested_schema()},
    }
    result = {"resultType": "input_required", "inputRequests": {KEY: asking}, STATE: sealed}
    message = {"jsonrpc": "2.0", "id": request.settled.message.id, "result": result}
    return Answer(status=_OK, headers=json_headers(request.trace.call), body=to_json(message))


def _about(request: VerifiedRequest, call: AskedCall, needed: ApprovalNeeded) -> dict[str, Any]:
    return {
        "call": request.trace.call,
        "target": call.tool,
        "approval_method": needed.rule.mode.value,
        "by": needed.rule.by,
        **_who(request.principal),
    }


def _who(principal: Principal) -> dict[str, Any]:
    return {"issuer": principal.issuer, "subject": principal.subject, "client": principal.client}


def _connected(request: VerifiedRequest) -> dict[str, Any]:
    peering = request.trace.peering
    return {} if peering is None else {"peer": peering.peer, "forwarded_peer": peering.forwarded}
