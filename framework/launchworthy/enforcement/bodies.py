"""How is a team's function run, and what may anybody learn of its failure?

The last step before a body: the values that were authorised and no others, the call, a time limit, and in a
rehearsal one byte that says a body was entered. A `ToolError` is for the caller to read. Of any other
exception the caller learns that there was one, and the operations log its type and place: its text may hold
anything, so it is neither sent nor logged, and it goes no further, lest a library logs it.
"""

import asyncio
import functools
import os
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from traceback import extract_tb
from typing import Any, TypeVar

from launchworthy.credentials.call_credentials import Borrower, CallCredentials
from launchworthy.credentials.tellers import Tellers
from launchworthy.egress import CallEgress
from launchworthy.egress.guard import NAMES
from launchworthy.enforcement.authorized import Authorized, Passage
from launchworthy.enforcement.rehearsing import Rehearsing
from launchworthy.enforcement.running_call import OperationsLog, RunningCall
from launchworthy.enforcement.served_function import ServedFunction
from launchworthy.enforcement.workers import Workers
from launchworthy.vocabulary import Environment, ToolError

T = TypeVar("T")
MASKED = "this call failed; its id is {call}"


class BodyFailed(Exception):
    """The body did not return a result; `text` is for the caller."""

    def __init__(self, text: str) -> None:
        """Hold what the caller may read."""
        super().__init__(text)
        self.text = text


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What every body of a server shares.

    Attributes:
        environment: where this runs.
        app: what the server keeps open, as `call.app`.
        rehearsing: what a harness sees and does at the door of a body.
        log: the operations log.
        workers: where plain functions run.
        changed: told of the URIs of resources that have changed.
        tellers: who lends credentials.
    """

    environment: Environment
    app: Any
    rehearsing: Rehearsing
    log: OperationsLog
    workers: Workers
    changed: Callable[[str], None]
    tellers: Tellers


class Body:
    """One function, ready to run for whoever was authorised."""

    __slots__ = ("_around", "_function", "_timeout", "served")

    def __init__(self, served: ServedFunction, around: Surroundings) -> None:
        """Bind a function to its server."""
        self.served = served
        self._around = around
        self._function: Callable[..., Any] = served.mark.function
        self._timeout = around.rehearsing.limit(served.manifest.timeout_seconds)

    async def run(self, passage: Passage, written: Callable[[Any], T]) -> T:
        """Run it once, with what was authorised.

        Args:
            passage: what was authorised; knows afterwards how it ended.
            written: makes an answer of the result; raises where it cannot, and then the body has failed.

        Raises:
            BodyFailed: it failed, in whatever way; `passage.outcome` says how.
            asyncio.CancelledError: the caller has left, or the server ends.
        """
        if self.served.call_parameter is None:
            return await self._judged(passage, passage.authorized.arguments, written)
        book = self._book(passage.authorized)
        try:
            return await self._judged(passage, self._given(passage, book), written)
        finally:
            if not book.end_at_once():
                await book.end()  # whatever became of the body, also where it was cancelled

    async def _judged(self, passage: Passage, given: Mapping[str, Any], written: Callable[[Any], T]) -> T:
        """Run it where it may connect to what its manifest names; one that tried more has failed."""
        allowed = passage.authorized.target.egress if passage.authorized.completing is None else ()
        egress = CallEgress(allowed, NAMES, simulated=self._around.environment.simulated)
        try:
            with egress:
                answer = await self._run(passage, given, written)
        finally:
            passage.stray = egress.denied
        if egress.denied is not None:  # and it went on as if nothing had been
            passage.outcome = "error"
            raise BodyFailed(MASKED.format(call=passage.authorized.call))
        return answer

    async def _run(self, passage: Passage, given: Mapping[str, Any], written: Callable[[Any], T]) -> T:
        try:
            answer = written(await self._limited(passage, given))
        except asyncio.CancelledError as error:
            if _is_cancelled():
                passage.outcome = "cancelled"
                raise
            failure = self._crashed(passage, error)  # the body's own doing: nobody asked for an end
        except TimeoutError as error:
            failure = self._out_of_time(passage, error)
        except ToolError as error:
            passage.outcome = "tool_error"
            failure = BodyFailed(str(error))
        except GeneratorExit:
            passage.outcome = "error"
            raise
        except BaseException as error:  # noqa: BLE001 - an enforcement point: whatever it is, it ends here
            failure = self._crashed(passage, error)
        else:
            passage.outcome = "ok"
            return answer
        raise failure  # outside the handlers: it must not carry the body's exception as its context

    def _book(self, authorized: Authorized) -> CallCredentials:
        borrower = Borrower(
            call=authorized.call,
            target=authorized.target.name,
            principal=authorized.principal,
            subject_token=authorized.callers_token,
        )
        allowed = authorized.target.credentials if authorized.completing is None else {}
        return CallCredentials(self._around.tellers, borrower, allowed)

    def _given(self, passage: Passage, book: CallCredentials) -> Mapping[str, Any]:
        authorized = passage.authorized
        call = RunningCall(
            id=authorized.call,
            principal=authorized.principal,
            environment=self._around.environment,
            _app=self._around.app,
            unbound_log=self._around.log,
            report=passage.progress,
            tell_changed=self._around.changed,
            _book=book,
            _loop=asyncio.get_running_loop(),
        )
        return {**authorized.arguments, str(self.served.call_parameter): call}

    async def _limited(self, passage: Passage, given: Mapping[str, Any]) -> Any:
        limit = asyncio.timeout(self._timeout)
        try:
            async with limit:
                return await self._entered(passage, given)
        except TimeoutError:
            if limit.expired():
                raise _TookTooLong from None
            raise
        finally:
            passage.give_up()

    async def _entered(self, passage: Passage, given: Mapping[str, Any]) -> Any:
        rehearsing = self._around.rehearsing
        if self.served.is_async:
            _begin(passage)
            if (seconds := rehearsing.held()) > 0:
                await asyncio.sleep(seconds)
            rehearsing.reached()
            rehearsing.entered()
            return await self._function(**given)
        enter = functools.partial(self._enter_in_thread, passage, given)
        return await self._around.workers.run(enter, begin=functools.partial(_begin, passage))

    def _enter_in_thread(self, passage: Passage, given: Mapping[str, Any]) -> Any:
        """Run a plain function, unless nobody waits for it any more: it may have waited for its thread."""
        if (seconds := self._around.rehearsing.held()) > 0:
            time.sleep(seconds)
        if passage.over:
            raise _NobodyWaits
        self._around.rehearsing.reached()
        self._around.rehearsing.entered()
        return self._function(**given)

    def _out_of_time(self, passage: Passage, error: TimeoutError) -> BodyFailed:
        match error:
            case _TookTooLong():
                passage.outcome = "timeout"
                return BodyFailed(f"this took longer than {self._timeout:g} s")
            case _NobodyWaits():
                passage.outcome = "cancelled"
                return BodyFailed("nobody waits for this any more")
            case _NoLonger():
                passage.outcome = "cancelled"
                return BodyFailed("this may not begin any more")
            case _:
                return self._crashed(passage, error)

    def _crashed(self, passage: Passage, error: BaseException) -> BodyFailed:
        passage.outcome = "error"
        call = passage.authorized.call
        self._around.log.error(
            "body.failed",
            call=call,
            target=self.served.manifest.name,
            error=type(error).__name__,
            where=place_of(error),
        )
        return BodyFailed(MASKED.format(call=call))


class _NobodyWaits(TimeoutError):
    """The caller left, or the time was over, before a plain function began."""


class _NoLonger(TimeoutError):
    """While it waited for its record or its turn, its target was stopped, its caller denied, or more."""


class _TookTooLong(TimeoutError):
    """Our limit, not a time-out that the body ran into."""


def _begin(passage: Passage) -> None:
    """The last look before a body: whoever had to wait may not begin what may not be called any more."""
    if not passage.check_still():
        raise _NoLonger


def _is_cancelled() -> bool:
    """Whether somebody asked for the end of this task: the caller has left, or the server ends."""
    task = asyncio.current_task()
    return task is None or task.cancelling() > 0


def place_of(error: BaseException) -> str:
    """Where it was raised: file and line of the innermost frame, nothing of its text or its variables."""
    frames = extract_tb(error.__traceback__)
    if not frames:
        return "unknown"
    innermost = frames[-1]
    return f"{os.path.basename(innermost.filename)}:{innermost.lineno}"  # noqa: PTH119 - a name, not a file
