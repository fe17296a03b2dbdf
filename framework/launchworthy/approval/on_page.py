"""Is a question asked on a page, and what was said there? The side of the call; the page itself is `page`.

A client sends its call again as soon as the address is open, so that call waits here for a while; if nobody
has answered by then, it gets the same question again, and its time goes on.
"""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from typing import Final

from launchworthy.approval.answers import Verdict
from launchworthy.approval.approvals import Opened
from launchworthy.approval.asked_call import AskedCall
from launchworthy.approval.question import Question
from launchworthy.approval.refusals import NotAnswered
from launchworthy.approval.shown import visible
from launchworthy.approval.waiting import Approver, Standing, WaitingRoom
from launchworthy.approval.who_answers import check_somebody_to_ask
from launchworthy.manifest import ApprovalRule
from launchworthy.vocabulary import APPROVAL_FOLDER, Principal, resource_origin

PATIENCE_SECONDS: Final = 20.0
"""How long a call waits for an answer: shorter than proxies and clients wait for one."""
_LOOK_SECONDS: Final = 0.5


class OnPage:
    """Asks on the page, and waits for what is said there."""

    def __init__(
        self,
        room: WaitingRoom,
        *,
        resource: str,
        sign_in: str,
        check_not_denied: Callable[[Approver], None],
        patience: float = PATIENCE_SECONDS,
    ) -> None:
        """Hold where questions wait.

        Args:
            room: where.
            resource: this server.
            sign_in: the issuer at which people sign in.
            check_not_denied: returns if the control list does not deny who answered; raises `Refused`.
            patience: seconds that a call waits for an answer.
        """
        self._room = room
        self._origin = resource_origin(resource)
        self._sign_in = sign_in
        self._check_not_denied = check_not_denied
        self._patience = patience

    def check_somebody_to_ask(self, rule: ApprovalRule, principal: Principal) -> None:
        """Return if somebody could answer.

        Raises:
            NobodyToAsk: no answer could count.
        """
        check_somebody_to_ask(rule, principal, self._sign_in)

    async def open(self, question: Question, call: AskedCall, rule: ApprovalRule, effect: str) -> None:
        """Let a question wait at its address.

        Raises:
            Refused: `limit.store`.
        """
        await self._room.open(question, call, rule, effect)

    def address(self, question: Question) -> str:
        """Where it is answered: our origin, and 128 random bits."""
        return f"{self._origin}{APPROVAL_FOLDER}{question.page}"

    def invitation(self, call: AskedCall, rule: ApprovalRule, title: str, seconds: int) -> str:
        """What the client tells its user; what is asked stands on the page."""
        asked = f"{title} asks: may `{call.tool}` be called by {visible(call.principal.client)}?"
        if rule.by == "caller":
            return f"{asked} Open this address within {seconds} seconds, sign in, read it, and answer there."
        return (
            f"{asked} An approver ({rule.claim}), and never its caller, opens this address within "
            f"{seconds} seconds, signs in, reads it, and answers there."
        )

    async def heard(self, question: Question, now: int) -> Opened | None:
        """What was said on the page; None where nobody has said anything yet, and there is time left.

        Raises:
            NotAnswered: nobody has, and the time is over; or nothing waits there any more.
            Refused: `limit.store`; `token.denied`, whoever answered may do nothing any more.
        """
        loop = asyncio.get_running_loop()
        left = question.not_after - now
        until = loop.time() + min(self._patience, left)
        while (opened := await self._opened(question)) is None:
            if loop.time() >= until:
                if left <= self._patience:
                    raise NotAnswered("nobody has answered on the page in time")
                return None
            await asyncio.sleep(max(0.0, min(_LOOK_SECONDS, until - loop.time())))
        return opened

    async def withdraw(self, question: Question) -> None:
        """Close the page of a question that the client has turned down; one that is over stays as it is.

        Raises:
            Refused: `limit.store`.
        """
        with suppress(NotAnswered):
            await self._room.answer(await self._room.find(question.page or ""), Standing.DECLINED, None)

    async def _opened(self, question: Question) -> Opened | None:
        waiting = (await self._room.find(question.page or "")).waiting
        if waiting.question != question.name:
            raise NotAnswered("what waits at its address is another question")
        if waiting.standing is Standing.OPEN:
            return None
        if waiting.approver is None:
            raise NotAnswered("the client has turned it down")
        self._check_not_denied(waiting.approver)
        verdict = Verdict.YES if waiting.standing is Standing.APPROVED else Verdict.NO
        return Opened(question=question, verdict=verdict, approver=waiting.approver)
