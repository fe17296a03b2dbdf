"""The outer enforcement point: does this request go through? One order, and the first that fails answers.

    1-3   path · method, Host · Origin, header section, declared size, types
          the connection's peer, where TLS is mutual
    4-5   credentials, how many unknown tokens this source has shown, readiness, token: no byte of a body is
          looked at before the token is good
    6     the body, bounded in size and time, and one strict parse of it
    7     revision, headers = body
    8     the method has a row
    8-14  target, scopes, arguments, policy, attempt, dispatch: `calls`

A refusal is raised, recorded and answered. Whatever else is raised is answered as `internal`.
"""

import asyncio
from collections.abc import Callable, Iterable

from launchworthy.approval import Approvals, OnPage, PersonsPage
from launchworthy.audit import AuditUnwritable
from launchworthy.audit.canary import HEADER, Shown, is_nonce
from launchworthy.audit.events import IdentityPeerRejected, ProtocolRejected
from launchworthy.credentials import seal
from launchworthy.enforcement import records
from launchworthy.enforcement.answers import (
    Answer,
    Challenges,
    Header,
    common_headers,
    refusal,
    row_of,
)
from launchworthy.enforcement.approving import Approving
from launchworthy.enforcement.bodies import place_of
from launchworthy.enforcement.body import read_body
from launchworthy.enforcement.browsers import Browsers
from launchworthy.enforcement.calls import Calls, complete
from launchworthy.enforcement.deciding import Deciding
from launchworthy.enforcement.documents import MetadataDocument
from launchworthy.enforcement.exchange import Exchange
from launchworthy.enforcement.gate_config import GateConfig, RefusalNote
from launchworthy.enforcement.newcomers import Newcomers
from launchworthy.enforcement.page_requests import PageRequests
from launchworthy.enforcement.peering import peering_of
from launchworthy.enforcement.ports import (
    Limits,
    PolicyDecisionPoint,
    Readiness,
    Recorder,
    Redactor,
    Stops,
    Verifier,
    Witness,
)
from launchworthy.enforcement.presence import ClientLeft
from launchworthy.enforcement.recorded_run import RecordedRuns
from launchworthy.enforcement.records import Trace
from launchworthy.enforcement.refusal_notes import RefusalNotes
from launchworthy.enforcement.reply import Message, Receive, Reply, Send
from launchworthy.enforcement.request import (
    Head,
    Place,
    Revision,
    Row,
    Settled,
    endpoint_of,
    read_head,
    read_message,
    rows_of,
    settle,
)
from launchworthy.enforcement.request import row_of as method_row_of
from launchworthy.enforcement.subscriptions import Lifelines, Subscriptions
from launchworthy.enforcement.verified_request import VerifiedRequest
from launchworthy.enforcement.visible import VisibleTargets
from launchworthy.identity.peers import PeerRejected
from launchworthy.manifest import Served
from launchworthy.tokens.bearer import parse_authorization
from launchworthy.tokens.metadata import metadata_paths, metadata_url
from launchworthy.tokens.strict_json import StrictJSONError, parse
from launchworthy.vocabulary import Environment, Principal, Reason, Refused, format_call_id

__all__ = ["Gate", "GateConfig", "RefusalNote"]

MAX_DEPTH = 32
"""How deep a body may be nested."""
CANARY = HEADER.encode("ascii")
_CALL_ID_BITS = 60
_PAGE = "approval"
"""What records call a request for the page."""
_TURNED_AWAY = {Reason.HTTP_SIZE: 431, Reason.HTTP_DEADLINE: 408}


class Gate:
    """An ASGI application: the MCP endpoint behind every check, the metadata documents, and nothing else.

    Attributes:
        strangers: records the refusals of callers whom nobody knows, or counts them; finish it in the end.
    """

    def __init__(  # noqa: PLR0913 - the composition root names each part
        self,
        config: GateConfig,
        *,
        verifier: Verifier,
        policy: PolicyDecisionPoint,
        stops: Stops,
        limits: Limits,
        audit: Recorder,
        redactor: Redactor,
        readiness: Readiness,
        served: Iterable[Served],
        exchange: Exchange,
        approvals: Approvals,
        on_page: OnPage | None,
        page: PersonsPage | None,
        witness: Witness,
        newcomers: Newcomers | None,
        clock: Callable[[], float],
        random_bits: Callable[[int], int],
        environment: Environment,
        on_refusal: Callable[[RefusalNote], None] | None,
    ) -> None:
        """Put the gate together; nothing is asked of anybody yet.

        Args:
            config: what requests must look like.
            verifier: who is calling.
            policy: may they.
            stops: what is stopped now.
            limits: is there room for one more.
            audit: what happened.
            redactor: what of a call may be recorded.
            readiness: returns if calls may go through at all.
            served: every declared target.
            exchange: the SDK's server.
            approvals: whether a person has agreed.
            on_page: what was said on the page; None where nothing is asked on one.
            page: the page itself, where `config.pages` lead.
            witness: says what was seen of a request.
            newcomers: bounds what one source may ask of the verifier; None where no source is proved.
            clock: seconds since the epoch.
            random_bits: as many random bits as asked for.
            environment: whose promises count; in a rehearsal, those of the environment that is rehearsed.
            on_refusal: told of every refusal; `launchworthy dev` prints them.
        """
        self._config = config
        self._verifier = verifier
        self._audit = audit
        self._readiness = readiness
        self._exchange = exchange
        self._witness = witness
        self._newcomers = newcomers
        self._clock = clock
        self._random_bits = random_bits
        self._notes = RefusalNotes(audit, redactor, clock=clock, on_refusal=on_refusal)
        self.strangers = self._notes.strangers
        declared = tuple(one.manifest for one in served)
        self._rows = rows_of(declared)
        self._visible = VisibleTargets(declared, environment)
        self._stops = stops
        self._limits = limits
        self._calls = Calls(
            declared,
            deciding=Deciding(policy, stops, audit),
            limits=limits,
            exchange=exchange,
            runs=RecordedRuns(
                exchange, audit, redactor, armed_after=config.armed_after, durable=config.durable
            ),
            notes=self._notes,
            approving=Approving(approvals, on_page, audit, redactor, title=config.name),
            still=lambda request: self._still(request.principal, request.trace),
            exchanging=config.exchanging,
            environment=environment,
        )
        self._subscriptions = Subscriptions(
            exchange.changes,
            audit,
            Lifelines(
                verifier=verifier,
                readiness=readiness,
                stops=stops,
                check_read=self._calls.check_read,
                clock=clock,
            ),
            check_seconds=config.check_seconds,
        )
        self._endpoint = endpoint_of(
            config.resource,
            documents=metadata_paths(config.resource),
            pages=() if page is None else config.pages,
            allowed_origins=config.allowed_origins,
            max_body=config.max_body,
        )
        self._page = None if page is None else PageRequests(page, config.pace)
        self._browsers = Browsers(self._endpoint, config.allowed_origins)
        self._challenges = Challenges(
            entry=config.entry_scopes, resource_metadata=metadata_url(config.resource)
        )
        self._document = MetadataDocument(
            config.resource, issuers=config.issuers, scopes=config.entry_scopes, name=config.name
        )

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Answer one request (ASGI)."""
        if scope["type"] != "http":
            raise NotImplementedError("only HTTP is served here")
        call = format_call_id(self._random_bits(_CALL_ID_BITS))
        trace = Trace(call, clock=asyncio.get_running_loop().time, source=_source(scope))
        reply = Reply(self._browsers.exposing(scope, send), call, interval=self._config.comment_seconds)
        try:
            answer = await self._answer(scope, receive, reply, trace)
        except ClientLeft:
            reply.close()
            return
        except asyncio.CancelledError:
            answer = self._refuse(
                Refused(Reason.INTERNAL, "the server ended before this was answered"), trace
            )
        except Exception as error:  # noqa: BLE001 - an enforcement point: what is unexpected is refused
            answer = self._refuse(_refusal_of(error), trace)
        except BaseException:
            reply.close()
            raise
        await reply.finish(answer)

    def drain(self) -> None:
        """End the streams: nothing else would, and the end of the server waits for them."""
        self._subscriptions.drain()

    def turned_away(self, reason: Reason) -> None:
        """Record what the protocol refused before there was a request; for `bounded_protocol(report=…)`."""
        status = _TURNED_AWAY.get(reason, 400)
        event = ProtocolRejected(reason=reason, status=status, detail="refused before there was a request")
        self._notes.count(event, None)

    def peer_rejected(self, rejected: PeerRejected) -> None:
        """Record a handshake that failed; for `identity.tls`."""
        cause = rejected.reason.value.removeprefix("peer.")
        event = IdentityPeerRejected(cause=cause, detail=rejected.detail, peer=rejected.peer)
        self._notes.count(event, None)

    async def _answer(self, scope: Message, receive: Receive, reply: Reply, trace: Trace) -> Answer:
        if (preflight := self._browsers.preflight(scope, trace.call)) is not None:
            return self._served_to_anybody("preflight", preflight, trace)
        raw_path = scope.get("raw_path") or scope["path"].encode()
        head = read_head(self._endpoint, method=scope["method"], raw_path=raw_path, headers=scope["headers"])
        if self._config.mutual_tls:
            trace.peering = peering_of(scope, scope["headers"], self._config.proxies)
        if head.place is not Place.CALLS:
            return await self._public(head.place, scope, receive, trace)
        bearer = parse_authorization(head.authorization, scope["query_string"])
        if self._newcomers is not None and trace.peering is not None:
            known = self._verifier.knows(bearer, int(self._clock()))
            await self._newcomers.admit(trace.peering, trace.call, known=known)
        self._readiness()
        now = int(self._clock())
        trace.principal = principal = await self._verifier.verify(bearer, now)
        token, sealed = bearer.digest, seal(bearer)
        head = Head(place=head.place, authorization=(), routing=head.routing, canary=head.canary)
        del bearer, scope  # from here on nothing has the token but its seal
        settled = await self._read(receive, head, trace)
        request = VerifiedRequest(
            settled=settled,
            head=head,
            principal=principal,
            token=token,
            callers_token=sealed,
            resource=self._config.resource,
            receive=receive,
            reply=reply,
            trace=trace,
            now=self._still(principal, trace),  # a body may take ten seconds
        )
        return await self._decide(request)

    def _still(self, principal: Principal, trace: Trace) -> int:
        """The time, if who has waited may be served even now: an identity and a caller end at once.

        Raises:
            Refused: what readiness, the list of denied callers or the peer's own end say.
        """
        self._readiness()
        self._verifier.refuse_denied(principal)
        if trace.peering is not None:
            trace.peering.require()
        return int(self._clock())

    async def _public(self, place: Place, scope: Message, receive: Receive, trace: Trace) -> Answer:
        """What needs no token: a document for everybody, and a page where people sign in."""
        if place is Place.DOCUMENT or self._page is None:
            return self._served_to_anybody("metadata", self._document.answer(trace.call), trace)
        trace.method = _PAGE
        self._readiness()
        answer = await self._page.answer(scope, receive, trace.call, int(self._clock()))
        return self._served_to_anybody(_PAGE, answer, trace)

    async def _read(self, receive: Receive, head: Head, trace: Trace) -> Settled:
        """Rows 6 and 7: the one body, the one parse, and all that is decided on it alone."""
        body = await read_body(receive, max_bytes=self._config.max_body, pace=self._config.pace)
        try:
            parsed = parse(body, max_depth=MAX_DEPTH, max_bytes=self._config.max_body)
        except StrictJSONError as error:
            raise Refused(Reason.PROTOCOL_JSON, str(error)) from None
        message = read_message(parsed)
        trace.request_id, trace.method = message.id, message.method
        settled = settle(message, head.routing, self._config.revisions)
        trace.revision = settled.revision.value
        trace.hear(settled.client_info, message.params)
        return settled

    async def _decide(self, request: VerifiedRequest) -> Answer:
        row = method_row_of(request.settled, self._rows)
        match row:
            case Row.IGNORED:
                await self._charge(request)
                self._record_served(request, 202, b"")
                return Answer(status=202, headers=common_headers(request.trace.call), body=b"")
            case Row.PLAIN:
                async with self._limits.request(request.principal, request.trace.call):
                    finished = await self._exchange.plain(request)
                    sighting = await self._sighted(request)
                self._record_served(request, finished.status, finished.result)
                answer = complete(finished, request.trace.call)
                return answer._replace(headers=(*answer.headers, *sighting))
            case Row.LIST:
                way_back = request.settled.revision is Revision.MODERN
                visible = self._stops.without_stopped(self._visible.to(request.principal, way_back=way_back))
                async with self._limits.request(request.principal, request.trace.call):
                    finished = await self._exchange.list(request, visible)
            case Row.TOOL | Row.RESOURCE | Row.PROMPT:
                return await self._calls.call(row, request)
            case Row.LISTEN:
                await self._charge(request)
                return await self._subscriptions.serve(request)
            case Row.COMPLETION:
                return await self._calls.complete_argument(request)
        self._record_served(request, finished.status, finished.result)
        return complete(finished, request.trace.call)

    async def _sighted(self, request: VerifiedRequest) -> tuple[Header, ...]:
        """What was seen of a request, for a caller that asks; nothing for any other."""
        nonce, routing = request.head.canary, request.head.routing
        if nonce is None or not is_nonce(nonce):
            return ()
        shown = Shown(token=request.token, revision=routing.version, method=routing.method, name=routing.name)
        return ((CANARY, await self._witness.sighting(nonce, shown, request.trace.call)),)

    async def _charge(self, request: VerifiedRequest) -> None:
        """Row 12, of what holds no place: a stream stays for long, and is one of four.

        Raises:
            LimitReached: the caller asks too often.
        """
        async with self._limits.request(request.principal, request.trace.call):
            pass

    def _refuse(self, refused: Refused, trace: Trace) -> Answer:
        if not trace.attempted:  # or else its outcome tells
            self._notes.note(refused, row_of(refused).status, trace)
        return refusal(refused, call=trace.call, request_id=trace.request_id, challenges=self._challenges)

    def _served_to_anybody(self, what: str, answer: Answer, trace: Trace) -> Answer:
        trace.method = what
        self._notes.count(records.served(trace, answer.status, answer.body), trace.source)
        return answer

    def _record_served(self, request: VerifiedRequest, status: int, result: bytes) -> None:
        self._audit.record(records.served(request.trace, status, result))


def _refusal_of(error: Exception) -> Refused:
    if isinstance(error, Refused):
        return error
    if isinstance(error, AuditUnwritable):
        return Refused(Reason.AUDIT_UNWRITABLE, str(error))
    return Refused(Reason.INTERNAL, f"{type(error).__name__} at {place_of(error)}")


def _source(scope: Message) -> str | None:
    client = scope.get("client")
    return client[0] if client else None
