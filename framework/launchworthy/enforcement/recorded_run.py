"""Does every run leave its two records?

No body starts before its attempt is written, and no answer leaves before its outcome; also when the body
fails, is cancelled, or was never reached.
"""

import asyncio
from collections.abc import Callable
from contextlib import suppress

from launchworthy.audit import AuditUnwritable
from launchworthy.enforcement import records
from launchworthy.enforcement.authorized import Authorized, Passage
from launchworthy.enforcement.bodies import place_of
from launchworthy.enforcement.exchange import Exchange, Finished
from launchworthy.enforcement.ports import Recorder, Redactor
from launchworthy.enforcement.presence import ClientLeft, Presence
from launchworthy.enforcement.verified_request import VerifiedRequest
from launchworthy.manifest import Effect
from launchworthy.vocabulary import Reason, Refused


class RecordedRuns:
    """Runs what was authorised, between two records."""

    __slots__ = ("_armed_after", "_audit", "_durable", "_exchange", "_redactor")

    def __init__(
        self, exchange: Exchange, audit: Recorder, redactor: Redactor, *, armed_after: float, durable: bool
    ) -> None:
        """Hold what is run, where it is recorded, and whether every attempt waits for the disk."""
        self._exchange = exchange
        self._audit = audit
        self._redactor = redactor
        self._armed_after = armed_after
        self._durable = durable

    async def run(
        self, request: VerifiedRequest, authorized: Authorized, still: Callable[[], None]
    ) -> Finished:
        """Write the attempt, dispatch, write the outcome.

        Args:
            request: of the caller.
            authorized: what may run.
            still: returns if it may begin even now; the attempt waits for the disk, a function for a thread.

        Raises:
            AuditUnwritable: a record could not be written: nothing ran, or no result may leave.
            Refused: `tool.dispatch_mismatch`; recorded as the outcome.
            ClientLeft: the caller is gone; what ran for it was cancelled.
        """
        await self._attempt(request, authorized)
        request.trace.attempted = True
        passage = Passage(authorized)
        passage.still = still
        try:
            with self._presence(request, passage):
                finished = await self._exchange.call(request, passage)
        except BaseException as error:
            left = isinstance(error, asyncio.CancelledError | ClientLeft)
            passage.end_early(cancelled=left)
            why = None if left else (Reason.INTERNAL, f"{type(error).__name__} at {place_of(error)}")
            why = _strayed(passage) or why
            with suppress(AuditUnwritable):  # the answer is an error already, or nobody waits for it
                self._end(request, passage, why, b"")
            raise
        if finished.is_error:
            passage.end_in_error(told_by_tool=bool(finished.result))
        if passage.mismatch is not None:
            mismatch = Reason.TOOL_DISPATCH_MISMATCH, passage.mismatch
            self._end(request, passage, mismatch, b"")
            raise Refused(*mismatch)
        self._end(request, passage, _strayed(passage), finished.result)
        return finished

    async def _attempt(self, request: VerifiedRequest, authorized: Authorized) -> None:
        """Write the attempt; of what destroys, was approved or has a rule lifted, wait for the disk."""
        durable = (
            self._durable
            or authorized.target.effect is Effect.DESTRUCTIVE
            or authorized.approval is not None
            or bool(authorized.lifted)
        )
        principal = authorized.principal
        event = records.attempted(
            request.trace,
            authorized,
            self._redactor,
            token_id=self._redactor.token_id(principal.issuer, principal.token_id),
            durable=durable,
            now=request.now,
        )
        subject = authorized.target.subject(request.trace.plain)
        if not durable:
            self._audit.record(event, subject=subject)
            return
        try:
            await self._audit.record_durable(event, subject=subject)
        except asyncio.CancelledError:  # written by now, and perhaps not on the disk
            with suppress(AuditUnwritable):
                self._end(request, Passage(authorized), None, b"")
            raise

    def _end(
        self, request: VerifiedRequest, passage: Passage, why: tuple[Reason, str] | None, result: bytes
    ) -> None:
        trace, authorized = request.trace, passage.authorized
        event = records.ended(
            trace,
            authorized,
            passage.outcome,
            why=why,
            result=result,
            redactor=self._redactor,
        )
        self._audit.record(event, subject=authorized.target.subject(trace.plain), critical=True)

    def _presence(self, request: VerifiedRequest, passage: Passage) -> Presence:
        """Watch for a client that leaves.

        A thread cannot be cancelled, and is waited for; what waits for its thread does not begin any more.
        """
        if self._exchange.function_of(passage.authorized).is_async:
            return Presence(request.receive, armed_after=self._armed_after)
        return Presence(request.receive, armed_after=self._armed_after, instead=passage.give_up)


def _strayed(passage: Passage) -> tuple[Reason, str] | None:
    """What its record says besides how it ended."""
    return passage.meanwhile if passage.stray is None else (Reason.TOOL_EGRESS, passage.stray)
