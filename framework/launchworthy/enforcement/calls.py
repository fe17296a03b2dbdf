"""May this call run? The rows of the order that need to know what is called.

8-9   the target is declared and no secret to this caller, its scopes
10    arguments, strictly
11    not stopped; policy, which decides about the environment too, and what a grant lifts (`deciding`); a
      person's yes, where it wants one
12    limits and budgets; places among those who may be busy at once are given back in the end
13    the attempt is in the audit; on the disk, where the tool is destructive
14    dispatch; the outcome is in the audit before the answer leaves
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from functools import partial

from mcp.shared.inbound import validate_mcp_param_headers

from launchworthy.approval import Question, Redeemed, Verdict
from launchworthy.enforcement.answers import Answer, json_headers, unfit
from launchworthy.enforcement.approving import Approving, asking
from launchworthy.enforcement.arguments import UnfitArguments
from launchworthy.enforcement.authorized import Authorized
from launchworthy.enforcement.deciding import Decided, Deciding
from launchworthy.enforcement.exchange import Exchange, Finished
from launchworthy.enforcement.ports import Limits
from launchworthy.enforcement.recorded_run import RecordedRuns
from launchworthy.enforcement.refusal_notes import RefusalNotes
from launchworthy.enforcement.request import (
    NAMED_BY,
    Asked,
    Revision,
    Row,
    Targets,
    read_completion,
    unknown,
)
from launchworthy.enforcement.resources import NamedResource
from launchworthy.enforcement.verified_request import VerifiedRequest
from launchworthy.manifest import TargetKey, TargetKind, TargetManifest, Visibility
from launchworthy.policy import ApprovalNeeded, Query
from launchworthy.vocabulary import CallId, Environment, Principal, Reason, Refused


class Calls:
    """Decides calls of declared targets, and has those run that may."""

    def __init__(  # noqa: PLR0913 - the gate names each part
        self,
        declared: Iterable[TargetManifest],
        *,
        deciding: Deciding,
        limits: Limits,
        exchange: Exchange,
        runs: RecordedRuns,
        notes: RefusalNotes,
        approving: Approving,
        still: Callable[[VerifiedRequest], int],
        exchanging: frozenset[TargetKey],
        environment: Environment,
    ) -> None:
        """Put it together.

        Args:
            declared: every target that is served.
            deciding: is it stopped, and may they.
            limits: is there room.
            exchange: knows the functions.
            runs: runs what was authorised, between two records.
            notes: where unfit arguments are told.
            approving: asks a person, where the policy wants that.
            still: the time, if who has waited for an answer may be served even now; raises `Refused`.
            exchanging: the targets that may have their caller's token exchanged.
            environment: whose promises count.
        """
        self._targets = Targets(tuple(declared))
        self._deciding = deciding
        self._limits = limits
        self._exchange = exchange
        self._runs = runs
        self._notes = notes
        self._approving = approving
        self._still = still
        self._exchanging = exchanging
        self._environment = environment

    async def call(self, row: Row, request: VerifiedRequest) -> Answer:
        """Answer one call.

        Raises:
            Refused: the first of the rows that says no.
        """
        asked = self._find(row, request)
        function = self._exchange.functions[asked.target.key]
        try:
            validated = function.arguments.validate(asked.arguments)
        except UnfitArguments as misfit:
            if asked.target.kind is not TargetKind.TOOL:
                raise
            return self._unfit(misfit, request)
        request.trace.plain = validated.plain
        return await self._run(request, asked, validated.values, validated.plain)

    async def complete_argument(self, request: VerifiedRequest) -> Answer:
        """Answer what an argument could be: the same rows, with what was typed for arguments.

        Raises:
            Refused: the first of the rows that says no.
        """
        wanted = read_completion(request.settled.message.params)
        request.trace.completed, request.trace.named = wanted.kind, wanted.named
        asked = self._targets.find_completed(wanted)
        request.trace.target = asked.target
        self._check_known(asked, request.principal)
        self._check_scopes(asked, request.principal)
        arguments = self._exchange.functions[asked.target.key].check_completed(asked)
        request.trace.plain = {**wanted.given, wanted.argument: wanted.typed}
        return await self._run(request, asked, arguments, {})

    async def _run(
        self,
        request: VerifiedRequest,
        asked: Asked,
        arguments: Mapping[str, object],
        decided_on: Mapping[str, object],
    ) -> Answer:
        """Rows 11 to 14, for a call and for a completion alike."""
        query = _query(request, asked, decided_on, request.now)
        try:
            decided = self._deciding.decide(query)
        except ApprovalNeeded as needed:
            return await self._run_if_approved(request, asked, arguments, query, needed)
        async with self._limits.call(asked.target, request.principal, request.trace.call):
            return await self._dispatch(request, asked, arguments, decided, None)

    async def _run_if_approved(
        self,
        request: VerifiedRequest,
        asked: Asked,
        arguments: Mapping[str, object],
        query: Query,
        needed: ApprovalNeeded,
    ) -> Answer:
        """Row 11 of a call that lacks nothing but a person's yes: ask, or decide again with their answer."""
        approving, call = self._approving, request.trace.call
        asks = asking(request, asked, query.arguments, needed)
        if not asks.brings_answer:
            async with self._limits.request(request.principal, call):
                return await approving.ask(asks)
        async with self._limits.request(request.principal, call):
            opened = await approving.hear(asks)
        if isinstance(opened, Question):
            return approving.ask_again(asks, opened)
        if opened.verdict is not Verdict.YES:
            await approving.redeem(asks, opened)  # which raises: a no is used up too
        now = self._still(request)  # on a page somebody may take their time
        decided = self._deciding.decide(replace(query, approved=opened.approved(), now=now))
        async with self._limits.call(asked.target, request.principal, call):
            redeemed = await approving.redeem(asks, opened)
            return await self._dispatch(request, asked, arguments, decided, redeemed)

    async def _dispatch(
        self,
        request: VerifiedRequest,
        asked: Asked,
        arguments: Mapping[str, object],
        decided: Decided,
        approval: Redeemed | None,
    ) -> Answer:
        """Rows 13 and 14."""
        authorized = Authorized(
            call=request.trace.call,
            principal=request.principal,
            target=asked.target,
            decision=decided.decision,
            lifted=decided.lifted,
            named=asked.named,
            unvalidated=asked.arguments,
            arguments=arguments,
            callers_token=request.callers_token if asked.target.key in self._exchanging else None,
            completing=asked.completing,
            approval=approval,
        )
        if decided.uses:
            await self._deciding.record(decided, request.trace, request.principal, asked.target.name)
        still = partial(self._check_still, request, asked.target.name)
        return complete(await self._runs.run(request, authorized, still), request.trace.call)

    def _check_still(self, request: VerifiedRequest, target: str) -> None:
        """Return if what was authorised may begin even now.

        Raises:
            Refused: it was stopped, its caller denied, or the server may not work any more.
        """
        self._still(request)
        self._deciding.refuse_stopped(target)

    def check_read(self, uri: str, request: VerifiedRequest, now: int) -> NamedResource:
        """Decide whether a caller may read a resource now; for who is told that it changed.

        Raises:
            Refused: the first of rows 8 to 11 that says no.
        """
        asked = self._exchange.resources.find(uri)
        self._check_known(asked, request.principal)
        self._check_scopes(asked, request.principal)
        named = self._exchange.resources.name(asked)
        self._deciding.decide_without_grants(_query(request, asked, named.plain, now))
        return named

    def _find(self, row: Row, request: VerifiedRequest) -> Asked:
        """Rows 8 and 9: what is named, whether this caller may know of it, and whether the scopes suffice."""
        trace, message = request.trace, request.settled.message
        named = message.params.get(NAMED_BY[message.method])
        trace.named = named if isinstance(named, str) else None
        asked = self._targets.find(row, message.params)
        trace.target = asked.target
        self._check_known(asked, request.principal)
        self._compare_mirrored(request, asked)
        self._check_scopes(asked, request.principal)
        return asked

    def _check_known(self, asked: Asked, principal: Principal) -> None:
        """Row 8, of what is secret."""
        target = asked.target
        if target.visibility is Visibility.SECRET and not (
            principal.scopes.issuperset(target.scopes) and target.runs_in(self._environment)
        ):
            raise unknown(target.kind, asked.named)

    def _check_scopes(self, asked: Asked, principal: Principal) -> None:
        """Row 9."""
        if not principal.scopes.issuperset(asked.target.scopes):
            raise Refused(
                Reason.TOOL_SCOPE,
                "the token lacks scopes that the manifest demands",
                scopes=asked.target.scopes,
            )

    def _compare_mirrored(self, request: VerifiedRequest, asked: Asked) -> None:
        """`Mcp-Param-*`: arguments that the schema says are repeated in headers (streamable HTTP)."""
        function = self._exchange.functions[asked.target.key]
        params = request.head.routing.params
        if function.mirrored and (params or request.settled.revision is Revision.MODERN):
            rejected = validate_mcp_param_headers(function.input_schema, asked.arguments, dict(params))
            if rejected is not None:
                raise Refused(Reason.PROTOCOL_MISMATCH, rejected.message)

    def _unfit(self, misfit: UnfitArguments, request: VerifiedRequest) -> Answer:
        answer = unfit(
            misfit.faults,
            call=request.trace.call,
            request_id=request.trace.request_id,
            modern=request.settled.revision is Revision.MODERN,
        )
        self._notes.note(misfit, answer.status, request.trace)
        return answer


def _query(request: VerifiedRequest, asked: Asked, arguments: Mapping[str, object], now: int) -> Query:
    peering = request.trace.peering
    return Query(
        target=asked.target,
        principal=request.principal,
        arguments=arguments,
        now=now,
        peer=peering.peer if peering is not None else None,
        forwarded_peer=peering.forwarded if peering is not None else None,
        approved=None,
        lifted=frozenset(),
    )


def complete(finished: Finished, call: CallId) -> Answer:
    """Answer with what the SDK made of it."""
    return Answer(status=finished.status, headers=json_headers(call), body=finished.body)
