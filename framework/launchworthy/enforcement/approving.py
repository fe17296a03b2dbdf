"""How is a person asked before a call, and how does their answer come to count?

The question goes back as the answer to the call, and its answer comes with the same call sent again (a
multi-round-trip request of MCP 2026-07-28). What came is compared with what was asked about, decided on anew,
and used up before the attempt is recorded. Every step leaves a record. What the manifest wants asked on a
page is said there, by a person who has signed in; the client's answer is then only that the page was opened.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from pydantic_core import to_json

from launchworthy.approval import (
    TTL_SECONDS,
    AnsweredBefore,
    AnswerForAnother,
    Approvals,
    AskedCall,
    Declined,
    OnPage,
    Opened,
    Question,
    Redeemed,
    Verdict,
    answered_by,
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
from launchworthy.enforcement.presence import Presence
from launchworthy.enforcement.records import connected, who
from launchworthy.enforcement.request import Asked, ClientCannotAsk, Revision
from launchworthy.enforcement.verified_request import VerifiedRequest
from launchworthy.manifest import ApprovalMode, ApprovalRule, TargetManifest
from launchworthy.policy import ApprovalNeeded
from launchworthy.vocabulary import Reason, Refused

STATE: Final = "requestState"
RESPONSES: Final = "inputResponses"
_OK: Final = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Asking:
    """A call that lacks nothing but a person's yes.

    Attributes:
        request: that makes it.
        target: what is called.
        call: what is to be approved: what would run, as it was verified and validated now.
        needed: who must approve it.
    """

    request: VerifiedRequest
    target: TargetManifest
    call: AskedCall
    needed: ApprovalNeeded

    @property
    def brings_answer(self) -> bool:
        """Whether the call says that it was asked about."""
        return not {STATE, RESPONSES}.isdisjoint(self.request.settled.message.params)


def asking(
    request: VerifiedRequest, asked: Asked, plain: Mapping[str, object], needed: ApprovalNeeded
) -> Asking:
    """What is asked about a call.

    Args:
        request: that makes it.
        asked: what is called.
        plain: its arguments as policy and people see them.
        needed: who must approve it.
    """
    call = AskedCall(
        principal=request.principal,
        tool=asked.target.name,
        given=asked.arguments,
        arguments=plain,
        resource=request.resource,
        policy_digest=needed.decision.policy_digest,
        manifest_digest=needed.decision.manifest_digest,
    )
    return Asking(request=request, target=asked.target, call=call, needed=needed)


class Approving:
    """Asks through the client, and hears what comes back."""

    def __init__(
        self,
        approvals: Approvals,
        on_page: OnPage | None,
        audit: Recorder,
        redactor: Redactor,
        *,
        title: str,
    ) -> None:
        """Hold who asks.

        Args:
            approvals: asks, compares, and lets each answer count once.
            on_page: the page's side; None where nothing is asked on one.
            audit: what happened.
            redactor: what of a call may be recorded.
            title: of the server, for people.
        """
        self._approvals = approvals
        self._on_page = on_page
        self._audit = audit
        self._redactor = redactor
        self._title = title

    async def ask(self, asking: Asking) -> Answer:
        """Answer a call with the question whether it may be made.

        Raises:
            ClientCannotAsk: the client has no user to ask, or no form or address for it.
            Refused: `tool.approval`, the revision has no way back, nobody could answer, or the call cannot be
                shown whole; `limit.store`.
        """
        request, call, rule, effect = asking.request, asking.call, asking.needed.rule, asking.target.effect
        _check_way_back(request)
        if not _can_ask(request.settled.capabilities, rule.mode):
            raise ClientCannotAsk({"elicitation": {rule.mode.value: {}}})
        on_page = self._page(rule)
        if on_page is not None:
            on_page.check_somebody_to_ask(rule, request.principal)
        shown = shown_call(call, title=self._title, effect=effect.value, seconds=TTL_SECONDS)
        trace = request.trace
        question, sealed = await self._approvals.ask(
            call, trace.call, request.now, on_page=on_page is not None
        )
        if on_page is not None:
            await on_page.open(question, call, rule, effect.value)
        self._record_asked(asking, question)
        self._audit.record(
            ApprovalRequested(not_after=question.not_after, approval=question.name, **_about(asking))
        )
        if on_page is None:
            return _question_answer(request, _form(shown), sealed)
        return _question_answer(request, self._address(on_page, question, asking), sealed)

    def ask_again(self, asking: Asking, question: Question) -> Answer:
        """Answer with the question that nobody has answered yet; its time goes on.

        Raises:
            Refused: the question is not asked on a page.
        """
        on_page = self._page(asking.needed.rule)
        if on_page is None:
            raise Refused(Reason.INTERNAL, "a form is not asked again")
        self._record_asked(asking, question)
        request = asking.request
        sealed = str(request.settled.message.params[STATE])  # as it came: `hear` has opened it
        return _question_answer(request, self._address(on_page, question, asking), sealed)

    def _page(self, rule: ApprovalRule) -> OnPage | None:
        if rule.mode is ApprovalMode.FORM:
            return None
        if self._on_page is None:
            raise Refused(Reason.TOOL_APPROVAL, "it is asked on a page, and this server has none")
        return self._on_page

    def _address(self, on_page: OnPage, question: Question, asking: Asking) -> dict[str, Any]:
        """Elicitation in URL mode."""
        message = on_page.invitation(asking.call, asking.needed.rule, self._title, TTL_SECONDS)
        return {"mode": ApprovalMode.URL.value, "message": message, "url": on_page.address(question)}

    def _record_asked(self, asking: Asking, question: Question) -> None:
        request, target, call, trace = asking.request, asking.target, asking.call, asking.request.trace
        self._audit.record(
            ToolInputRequired(
                call=trace.call,
                target=target.name,
                method=trace.method,
                kind=request.principal.kind.value,
                actors=request.principal.actors,
                revision=trace.revision,
                rules=asking.needed.rules,
                scopes=tuple(sorted(request.principal.scopes)),
                arguments=self._redactor.redact(target.name, target.arguments, trace.plain),
                policy_digest=call.policy_digest,
                manifest_digest=call.manifest_digest,
                not_after=question.not_after,
                trace=trace.traceparent,
                client_says=trace.client_says,
                approval=question.name,
                approval_method=asking.needed.rule.mode.value,
                **who(request.principal),
                **connected(trace.peering),
            ),
            subject=target.subject(trace.plain),
        )

    async def hear(self, asking: Asking) -> Opened | Question:
        """Open the answer that came with a call; of a page, wait a while for it.

        Returns:
            What was said; or the question, where nobody has said anything yet and there is time left.

        Raises:
            Refused: it does not count for this call.
        """
        heard = self._opened(asking)
        on_page = self._page(asking.needed.rule)
        if on_page is None:
            if isinstance(heard, Question):
                raise Refused(Reason.TOOL_APPROVAL, "the question was asked on a page")
            return heard
        if isinstance(heard, Opened):
            await on_page.withdraw(heard.question)
            return heard
        with Presence(asking.request.receive):
            opened = await on_page.heard(heard, asking.request.now)
        return heard if opened is None else opened

    def _opened(self, asking: Asking) -> Opened | Question:
        request = asking.request
        _check_way_back(request)
        params = request.settled.message.params
        try:
            return self._approvals.hear(params.get(STATE), params.get(RESPONSES), asking.call, request.now)
        except AnswerForAnother as other:
            self._audit.record(
                ApprovalReplayed(
                    approval=other.question,
                    asked_by=other.asked_by,
                    age=other.age,
                    detail=other.detail,
                    **_about(asking),
                )
            )
            raise

    async def redeem(self, asking: Asking, opened: Opened) -> Redeemed:
        """Use an answer up, for the first and last time, and record that it was a yes.

        Raises:
            Declined: it was a no; so it is used up, and the call has ended.
            Refused: it was used before, or nobody can tell.
        """
        question, now = opened.question, asking.request.now
        said: dict[str, Any] = {
            "approval": question.name,
            "asked_by": question.asked_by,
            "age": question.age(now),
            **answered_by(opened.approver),
            **_about(asking),
        }
        try:
            redeemed = await self._approvals.redeem(opened, now)
        except AnsweredBefore as before:
            self._audit.record(ApprovalReplayed(detail=before.detail, **said))
            raise
        if opened.verdict is not Verdict.YES:
            self._audit.record(ApprovalDeclined(detail=opened.verdict.value, **said))
            raise Declined(opened.verdict.value)
        self._audit.record(ApprovalGranted(not_after=question.not_after, **said))
        return redeemed


def _check_way_back(request: VerifiedRequest) -> None:
    revision = request.settled.revision
    if revision is not Revision.MODERN:
        raise Refused(Reason.TOOL_APPROVAL, f"the revision {revision.value} has no way back to who is asked")


def _can_ask(capabilities: object, mode: ApprovalMode) -> bool:
    """Whether the client says that it can ask like that; an empty `elicitation` says: by a form."""
    elicitation = capabilities.get("elicitation") if isinstance(capabilities, dict) else None
    if not isinstance(elicitation, dict):
        return False
    return isinstance(elicitation.get(mode.value), dict) or (not elicitation and mode is ApprovalMode.FORM)


def _form(shown: str) -> dict[str, Any]:
    """Elicitation in form mode."""
    return {"mode": ApprovalMode.FORM.value, "message": shown, "requestedSchema": requested_schema()}


def _question_answer(request: VerifiedRequest, asked: dict[str, Any], sealed: str) -> Answer:
    asking = {"method": "elicitation/create", "params": asked}
    result = {"resultType": "input_required", "inputRequests": {KEY: asking}, STATE: sealed}
    message = {"jsonrpc": "2.0", "id": request.settled.message.id, "result": result}
    return Answer(status=_OK, headers=json_headers(request.trace.call), body=to_json(message))


def _about(asking: Asking) -> dict[str, Any]:
    rule = asking.needed.rule
    return {
        "call": asking.request.trace.call,
        "target": asking.call.tool,
        "approval_method": rule.mode.value,
        "by": rule.by,
        **who(asking.request.principal),
    }
