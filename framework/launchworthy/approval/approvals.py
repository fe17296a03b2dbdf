"""Has somebody agreed to exactly this call, and is this the first time that it is said?

Each state is a type, made by one method here: a `Question` that was asked, `Opened` once an answer came for
exactly the call that came now, `Redeemed` once it was used up. Nobody runs a call that needs an approval
without the last one.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from launchworthy.approval.answers import Verdict, turned_down, verdict_of
from launchworthy.approval.asked_call import AskedCall
from launchworthy.approval.question import REMEMBERED_SECONDS, Question, read_question
from launchworthy.approval.refusals import AnsweredBefore, NotAnswered
from launchworthy.approval.seal import StateSeal
from launchworthy.approval.waiting import HANDLE_BITS, Approver
from launchworthy.state import Claims, KeyPurpose, state_key
from launchworthy.vocabulary import Approved, CallId, Reason, Refused

_NONCE_BITS = 128


class Memory(Claims, Protocol):
    """What remembers answers that were used."""

    async def generation(self) -> str:
        """What changes when it may have forgotten one.

        Raises:
            Refused: `limit.store`.
        """


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """An answer to a question about exactly the call that came now; it may have been used before.

    Attributes:
        question: what was asked.
        verdict: what was said.
        approver: who said it on the page; None where only the client says that somebody did.
    """

    question: Question
    verdict: Verdict
    approver: Approver | None

    def approved(self) -> Approved:
        """For the policy, which decides again.

        Raises:
            NotAnswered: the answer is no.
        """
        if self.verdict is not Verdict.YES:
            raise NotAnswered("the answer is no")
        return Approved(question=self.question.name)


@dataclass(frozen=True, slots=True, kw_only=True)
class Redeemed:
    """An answer that was used up for the call that may run now.

    Attributes:
        question: names the question.
        asked_by: the call that asked.
        age: seconds between the question and this.
        approver: who said yes on the page; None where only the client says that somebody did.
    """

    question: str
    asked_by: str
    age: int
    approver: Approver | None


class Approvals:
    """Asks, compares, and lets each answer count once."""

    def __init__(self, seal: StateSeal, memory: Memory, random_bits: Callable[[int], int]) -> None:
        """Hold what it takes.

        Args:
            seal: of this server.
            memory: what all replicas share.
            random_bits: as many random bits as asked for.
        """
        self._seal = seal
        self._memory = memory
        self._random_bits = random_bits

    async def ask(
        self, call: AskedCall, asked_by: CallId, now: int, *, on_page: bool
    ) -> tuple[Question, str]:
        """Make a question about a call.

        Args:
            call: what is asked about.
            asked_by: the id of the call that asks.
            now: seconds since the epoch.
            on_page: whether it is answered on a page, which gets an address then.

        Returns:
            The question, and its seal, for the client to carry.

        Raises:
            Refused: `limit.store`: nobody could tell later whether its answer was used.
        """
        question = Question(
            nonce=f"{self._random_bits(_NONCE_BITS):032x}",
            asked_by=asked_by,
            at=now,
            generation=await self._memory.generation(),
            terms=call.terms(),
            page=f"{self._random_bits(HANDLE_BITS):032x}" if on_page else None,
        )
        return question, self._seal.seal(question.content())

    def hear(self, sealed: object, responses: object, call: AskedCall, now: int) -> Opened | Question:
        """Open an answer, and compare what it is about with the call that came.

        Args:
            sealed: `requestState` as it came.
            responses: `inputResponses` as it came.
            call: what came, from what was verified and validated now.
            now: seconds since the epoch.

        Returns:
            What was said; or the question, where that is asked of its page and the client cannot say it.

        Raises:
            NotAnswered: it is no answer to a question of ours, or not in time.
            AnswerForAnother: it is about another call.
        """
        if not isinstance(sealed, str):
            raise NotAnswered("`requestState` is no text")
        question = read_question(self._seal.open(sealed))
        question.check_same(call, now)
        question.check_time(now)
        if question.page is None:
            return Opened(question=question, verdict=verdict_of(responses), approver=None)
        refused = turned_down(responses)
        return question if refused is None else Opened(question=question, verdict=refused, approver=None)

    async def redeem(self, opened: Opened, now: int) -> Redeemed:
        """Use an answer up, whatever it says, for the first and last time.

        Raises:
            AnsweredBefore: it was used.
            NotAnswered: what remembers used answers has changed since the question, and may have forgotten.
            Refused: `limit.store`.
        """
        question = opened.question
        try:
            await self._memory.claim(
                state_key(KeyPurpose.CLAIM, "approval", question.nonce), REMEMBERED_SECONDS
            )
        except Refused as refused:
            if refused.reason is Reason.LIMIT_CLAIM:
                raise AnsweredBefore from None
            raise
        if await self._memory.generation() != question.generation:
            raise NotAnswered("what remembers used answers has changed since the question")
        return Redeemed(
            question=question.name,
            asked_by=question.asked_by,
            age=question.age(now),
            approver=opened.approver,
        )
