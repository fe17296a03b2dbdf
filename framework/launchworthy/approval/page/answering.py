"""What does the page answer? Opening it does nothing; one POST decides, once, by who has signed in for it.

GET   the question             before a sign-in: that one is needed; after it: the whole call, and two buttons
GET   the question's sign-in   off to the authorization server
GET   the way back             who signed in, and whether they may answer
POST  the question             the decision: from our own form, in time, by who may
"""

import asyncio
from collections.abc import Callable, Mapping
from hmac import compare_digest
from typing import Any, Final

from launchworthy.approval.browser import PageAnswer, PageRequest
from launchworthy.approval.page.cookies import Cookies, Visit
from launchworthy.approval.page.markup import FIELD, HEADERS, NO, TOKEN, YES, Pages
from launchworthy.approval.page.reading import PageRefused, read_cookies, read_form, read_query
from launchworthy.approval.page.routes import QUESTION, SIGN_IN, handle_of, question_path
from launchworthy.approval.page.sign_in import SignIns
from launchworthy.approval.refusals import NotAnswered
from launchworthy.approval.waiting import Approver, Found, Standing, Waiting, WaitingRoom, answered_by
from launchworthy.approval.who_answers import check_may_answer
from launchworthy.audit import Recorder
from launchworthy.audit.events import ApprovalAnswered, ApprovalTurnedAway
from launchworthy.tokens.id_tokens import SignedIn
from launchworthy.vocabulary import Reason, Refused, resource_origin

_BITS: Final = 128
_LONGEST_NAME: Final = 128
_NAMES: Final = ("email", "preferred_username", "name")
_STANDINGS: Final = {YES: Standing.APPROVED, NO: Standing.DECLINED}
_SITES: Final = (None, b"same-origin")
LOOKS_AT_ONCE: Final = 8
"""Anybody may ask for a page, and each asks the store, without whose connections calls fail."""


class ApprovalPage:
    """The page of one server."""

    def __init__(  # noqa: PLR0913 - the composition root names each part
        self,
        room: WaitingRoom,
        sign_ins: SignIns,
        cookies: Cookies,
        audit: Recorder,
        random_bits: Callable[[int], int],
        *,
        check_not_denied: Callable[[Approver], None],
        title: str,
        resource: str,
    ) -> None:
        """Hold what it takes.

        Args:
            room: where questions wait.
            sign_ins: begins and finishes sign-ins.
            cookies: what browsers carry.
            audit: what happened.
            random_bits: as many random bits as asked for.
            check_not_denied: returns if the control list does not deny who answers; raises `Refused`.
            title: of the server, for people.
            resource: this server.
        """
        self._room = room
        self._sign_ins = sign_ins
        self._cookies = cookies
        self._audit = audit
        self._random_bits = random_bits
        self._check_not_denied = check_not_denied
        self._looks = asyncio.Semaphore(LOOKS_AT_ONCE)
        self._origins = (None, b"null", resource_origin(resource).encode("ascii"))
        self._pages = Pages(title=title, resource=resource, host=sign_ins.server.host)

    async def answer(self, request: PageRequest) -> PageAnswer:
        """Answer one request that the routes let through.

        Raises:
            Refused: `limit.store`, nobody can be asked; what the page itself refuses is an answer.
        """
        try:
            return await self._answer(request)
        except PageRefused as refused:
            return _html(refused.status, self._pages.refused(refused))

    async def _answer(self, request: PageRequest) -> PageAnswer:
        if (handle := handle_of(SIGN_IN, request.path)) is not None:
            return await self._sent_away(handle, request)
        if (handle := handle_of(QUESTION, request.path)) is None:
            return await self._came_back(request)
        if request.method == "POST":
            return await self._decided(handle, request)
        found = await self._open(handle, request.now)
        try:
            visit = self._visitor(handle, found.waiting, request)
        except NotAnswered:
            return _html(200, self._pages.invitation(found.waiting))
        return _html(200, self._pages.question(found.waiting, visit))

    async def _sent_away(self, handle: str, request: PageRequest) -> PageAnswer:
        found = await self._open(handle, request.now)
        try:
            begun, address = await self._sign_ins.begin(found.waiting, request.now)
        except NotAnswered as why:
            self._turned_away(found.waiting, request, why, None)
            text = "The sign-in cannot be used now. Whoever runs this server can see why."
            raise PageRefused(503, "Nobody can sign in now", text, again=question_path(handle)) from None
        return _redirect(address, self._cookies.begin(begun))

    async def _came_back(self, request: PageRequest) -> PageAnswer:
        """Who signed in becomes a visit, for one question; whoever may not answer sees nothing of it."""
        try:
            answer = read_query(request.query)
            state = answer.get("state", "")
            begun = self._cookies.begun(read_cookies(request.cookies), state)
        except NotAnswered:
            text = "This browser has not begun it, or it is over. Open the address of the question again."
            raise PageRefused(400, "This sign-in is not from here", text, again=None) from None
        again = question_path(begun.handle)
        found = await self._open(begun.handle, request.now)
        signed_in: SignedIn | None = None
        try:
            signed_in = await self._sign_ins.finish(answer, begun, found.waiting, request.now)
            self._check_not_denied(_approver(signed_in))
            check_may_answer(found.waiting, signed_in)
        except Refused as why:
            if why.reason is Reason.LIMIT_STORE:
                raise
            self._turned_away(found.waiting, request, why, signed_in)
            raise _not_theirs(found.waiting, signed_in) from None
        visit = Visit(
            handle=begun.handle,
            issuer=signed_in.issuer,
            subject=signed_in.subject,
            known_as=_known_as(signed_in.claims),
            signed_in_at=signed_in.at,
            token=f"{self._random_bits(_BITS):032x}",
        )
        return _redirect(again, self._cookies.end(state), self._cookies.visit(visit))

    async def _decided(self, handle: str, request: PageRequest) -> PageAnswer:
        """The one thing that decides."""
        found = await self._open(handle, request.now)
        waiting = found.waiting
        try:
            visit = self._visitor(handle, waiting, request)
            approver = Approver(issuer=visit.issuer, subject=visit.subject)
            self._check_not_denied(approver)
            standing = self._said(visit, request)
        except Refused:
            text = "This came from elsewhere than its page, or the sign-in is too old. Nothing was decided."
            raise PageRefused(403, "Please sign in again", text, again=question_path(handle)) from None
        try:
            answered = await self._room.answer(found, standing, approver)
        except NotAnswered:
            raise _answered_already() from None
        self._audit.record(
            ApprovalAnswered(
                age=max(0, request.now - waiting.at), detail=standing.value, **_about(answered, request)
            )
        )
        return _html(200, self._pages.answered(standing, waiting.tool), self._cookies.leave(handle))

    def _said(self, visit: Visit, request: PageRequest) -> Standing:
        """What our own form says, sent from our own page."""
        form = read_form(request.form)
        if set(form) != {TOKEN, FIELD} or form[FIELD] not in _STANDINGS:
            raise NotAnswered("it is not our form")
        # with `no-referrer` a browser sends `Origin: null`; the token is what another site cannot know
        if request.origin not in self._origins or request.site not in _SITES:
            raise NotAnswered("it comes from another site")
        if not compare_digest(form[TOKEN].encode(), visit.token.encode()):
            raise NotAnswered("it does not bring the token of this visit")
        return _STANDINGS[form[FIELD]]

    async def _open(self, handle: str, now: int) -> Found:
        """What waits there and can still be answered."""
        try:
            async with self._looks:
                found = await self._room.find(handle)
        except NotAnswered:
            text = "This question is over, or there never was one at this address."
            raise PageRefused(404, "Nothing waits here", text, again=None) from None
        waiting = found.waiting
        if waiting.standing is not Standing.OPEN:
            raise _answered_already()
        if now >= waiting.not_after:
            text = "Nobody answered in time, so the call was not made. Whoever wants it can ask again."
            raise PageRefused(410, "Too late", text, again=None)
        return found

    def _visitor(self, handle: str, waiting: Waiting, request: PageRequest) -> Visit:
        visit = self._cookies.visitor(read_cookies(request.cookies), handle)
        if request.now - visit.signed_in_at > waiting.rule.max_age:
            raise NotAnswered("the sign-in is too old")
        return visit

    def _turned_away(
        self, waiting: Waiting, request: PageRequest, why: Refused, signed_in: SignedIn | None
    ) -> None:
        who = None if signed_in is None else _approver(signed_in)
        self._audit.record(
            ApprovalTurnedAway(
                age=max(0, request.now - waiting.at),
                detail=why.detail,
                **{**_about(waiting, request), **answered_by(who)},
            )
        )


def _about(waiting: Waiting, request: PageRequest) -> dict[str, Any]:
    return {
        "approval": waiting.question,
        "call": request.call,
        "asked_by": waiting.asked_by,
        "target": waiting.tool,
        "approval_method": waiting.rule.mode.value,
        "by": waiting.rule.by,
        "issuer": waiting.issuer,
        "subject": waiting.subject,
        "client": waiting.client,
        "tenant": waiting.tenant,
        **answered_by(waiting.approver),
    }


def _approver(signed_in: SignedIn) -> Approver:
    return Approver(issuer=signed_in.issuer, subject=signed_in.subject)


def _known_as(claims: Mapping[str, object]) -> str:
    """How people know whoever has signed in; for their own eyes."""
    for name in _NAMES:
        value = claims.get(name)
        if isinstance(value, str) and 1 <= len(value) <= _LONGEST_NAME:
            return value
    return ""


def _not_theirs(waiting: Waiting, signed_in: SignedIn | None) -> PageRefused:
    again = question_path(waiting.handle)
    if signed_in is None:
        text = "Your sign-in was not completed, or could not be verified. Nothing was decided."
        return PageRefused(403, "You are not signed in", text, again=again)
    who = "the person for whom the call is made" if waiting.rule.by == "caller" else "an approver"
    text = f"You have signed in, and this question is for {who}. Nothing was decided."
    return PageRefused(403, "This is not yours to answer", text, again=again)


def _answered_already() -> PageRefused:
    return PageRefused(
        410, "Answered already", "This question was answered, and an answer counts once.", again=None
    )


def _html(status: int, body: bytes, *cookies: bytes) -> PageAnswer:
    return PageAnswer(status=status, headers=(*HEADERS, *_set(cookies)), body=body)


def _redirect(address: str, *cookies: bytes) -> PageAnswer:
    """303: whatever it was asked with, the browser goes on with a GET."""
    headers = (*HEADERS, (b"location", address.encode("ascii")), *_set(cookies))
    return PageAnswer(status=303, headers=headers, body=b"")


def _set(cookies: tuple[bytes, ...]) -> tuple[tuple[bytes, bytes], ...]:
    return tuple((b"set-cookie", cookie) for cookie in cookies)
