"""How is a refusal told? A record of it, or a count of it, and a line for the developer's terminal."""

import asyncio
from collections.abc import Callable
from contextlib import suppress

from launchworthy.audit import AuditUnwritable, StrangersBudget
from launchworthy.audit.events import Counted, Refusal
from launchworthy.enforcement import records
from launchworthy.enforcement.gate_config import RefusalNote
from launchworthy.enforcement.ports import Recorder, Redactor
from launchworthy.enforcement.records import Trace
from launchworthy.vocabulary import Refused

_FLUSH_SECONDS = 1.1
"""A second's summary is written after that second."""


class RefusalNotes:
    """Where refusals are told; what cannot be recorded changes nothing, since nothing ran.

    Attributes:
        strangers: records the refusals of callers whom nobody knows, or counts them; finish it in the end.
    """

    def __init__(
        self,
        audit: Recorder,
        redactor: Redactor,
        *,
        clock: Callable[[], float],
        on_refusal: Callable[[RefusalNote], None] | None,
    ) -> None:
        """Hold where they go.

        Args:
            audit: what happened.
            redactor: what of a call may be recorded.
            clock: seconds since the epoch.
            on_refusal: told of every refusal; `launchworthy dev` prints them.
        """
        self._audit = audit
        self._redactor = redactor
        self._clock = clock
        self._on_refusal = on_refusal
        self.strangers = StrangersBudget(audit.record)
        self._flush: asyncio.TimerHandle | None = None

    def note(self, refused: Refused, status: int, trace: Trace) -> None:
        """Record a refusal."""
        if trace.principal is not None or not self._is_counted(refused, trace):
            event = records.refused(trace, refused, status, self._redactor)
            if isinstance(event, Refusal):
                self.count(event, trace.source)
            else:
                with suppress(AuditUnwritable):
                    self._audit.record(event)
        if self._on_refusal is not None:
            self._on_refusal(
                RefusalNote(
                    call=trace.call,
                    status=status,
                    reason=refused.reason,
                    detail=refused.detail,
                    scopes=refused.scopes,
                    method=trace.method,
                    target=trace.target.name if trace.target is not None else trace.named,
                )
            )

    def _is_counted(self, refused: Refused, trace: Trace) -> bool:
        """Whether a stranger's refusal is one of too many in its second; most of a flood ends here."""
        kind, reason = records.door_of(refused.reason).type, refused.reason.value
        return self.strangers.counts(kind, reason, trace.source, self._clock())

    def count(self, event: Counted, source: str | None) -> None:
        """Record what a stranger has caused, or count it; what was counted is written a second later."""
        with suppress(AuditUnwritable):
            self.strangers.note(event, source, self._clock())
            if self._flush is None:
                self._flush_later()

    def _flush_later(self) -> None:
        self._flush = asyncio.get_running_loop().call_later(_FLUSH_SECONDS, self._write_counts)

    def _write_counts(self) -> None:
        self._flush = None
        with suppress(AuditUnwritable):  # they are kept for the next time
            self.strangers.flush(self._clock())
        if self.strangers.has_counted:  # of a second that is not over, or not to be written now
            self._flush_later()
