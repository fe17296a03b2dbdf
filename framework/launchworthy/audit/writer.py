"""How is a record written when the disk may be full, and when is what was written sealed?

A disk that refuses a record leaves the chain as it was and makes the writer *degraded*: attempts are refused
at once, while what ends a running call may still be written, from a reserve if need be. It looks for room
again every second and says so in the stream when there is. A due checkpoint that cannot be written refuses
the next record, so the part that no signature covers never grows beyond its limit.
"""

from collections import Counter
from collections.abc import Callable

from launchworthy.audit.chain import Chain
from launchworthy.audit.disk import Reserve, why
from launchworthy.audit.events import (
    PreviousStream,
    Record,
    StreamBound,
    StreamDegraded,
    StreamOpen,
    StreamRecovered,
)
from launchworthy.audit.moment import NANOSECONDS, rfc3339
from launchworthy.audit.stream_key import FORMAT
from launchworthy.audit.unwritable import AuditUnwritable

CHECKPOINT_SECONDS = 5
IDLE_SECONDS = 60
_RETRY_SECONDS = 1


class Writer:
    """Writes one chain after the other.

    Attributes:
        chain: the one that is written now.
        degraded: why attempts are refused, or None.
        held: why they are refused although the disk has room, or None.
        anchor_failures: checkpoints that the anchor did not take.
    """

    def __init__(
        self,
        reserve: Reserve,
        *,
        anchor: Callable[[str], None] | None,
        checkpoint_every: int,
        strangers_bytes: int,
    ) -> None:
        """Be ready for a first chain.

        Args:
            reserve: what is given back to a full disk.
            anchor: is told every signed checkpoint.
            checkpoint_every: records between checkpoints at most.
            strangers_bytes: what strangers may take of a file; beyond that they are counted only.
        """
        self.chain: Chain
        self.degraded: str | None = None
        self.held: str | None = None
        self.anchor_failures = 0
        self._reserve = reserve
        self._anchor = anchor
        self._every = checkpoint_every
        self._strangers_bytes = strangers_bytes
        self._strangers_took = 0
        self._uncounted: Counter[str] = Counter()
        self._degraded_at = 0
        self._held_at = 0
        self._held_refused = 0
        self._retried_at = 0
        self._refused = 0
        self._waiting_since: int | None = None
        self._sealed_at = 0

    def begin(self, chain: Chain, *, now: int, previous: PreviousStream | None) -> None:
        """Go on in a new chain; its first record names its key and what came before.

        Raises:
            AuditUnwritable: it could not be begun, and nothing can be written any more.
        """
        self.chain = chain
        self._strangers_took = 0
        self._sealed_at = now
        opened = StreamOpen(
            format=FORMAT,
            key=str(chain.key.verifier),
            previous=previous,
            checkpoint_records=self._every,
            checkpoint_seconds=CHECKPOINT_SECONDS,
            idle_seconds=IDLE_SECONDS,
        )
        try:
            chain.append(opened, now=now)
        except OSError as error:
            chain.file.poisoned = f"a stream could not be begun: {why(error)}"
            raise AuditUnwritable(chain.file.poisoned) from None
        self._waiting_since = now

    def write(self, event: Record, *, now: int, subject: str | None, critical: bool) -> None:
        """Write a record, or count it where strangers have used up their share.

        Raises:
            AuditUnwritable: it is not in the file.
        """
        self.admit(now, critical=critical)
        reason = event.stranger
        if reason is not None and self._strangers_took >= self._strangers_bytes:
            self._uncounted[reason] += event.weight
            return
        try:
            size = self._put(event, now, subject)
        except OSError as error:
            size = self._put_from_reserve(error, event, now, subject, critical=critical)
        if reason is not None:
            self._strangers_took += size
        self._seal_if_due(now)

    def bind(self, event: StreamBound, *, source: str, now: int) -> None:
        """Write the binding; see `Chain.bind`.

        Raises:
            AuditUnwritable: it is not in the file.
        """
        self.admit(now, critical=False)
        try:
            self.chain.bind(event, source=source, now=now)
        except OSError as error:
            raise self._refuse(error, now) from None
        self._seal_if_due(now)

    def seal(self, now: int) -> str:
        """Write a checkpoint, and tell the anchor.

        Raises:
            AuditUnwritable: it is not in the file.
        """
        try:
            return self._seal(now)
        except OSError as error:
            raise self._refuse(error, now) from None

    def tend(self, now: int) -> None:
        """Seal what is due, look after the file, look for room; never raises."""
        self.chain.file.inspect()
        try:
            if self.degraded is not None:
                self._recover(now)
            else:
                self._seal_if_due(now)
        except OSError as error:
            self._degrade(error, now)
        except AuditUnwritable:  # poisoned, and the file says why
            return

    def end(self, *, now: int, reason: str, successor: str | None) -> None:
        """Write the end of the chain and seal it.

        Raises:
            OSError, AuditUnwritable: it is not in the file.
        """
        if self.chain.uncovered >= self._every or self._uncounted:
            self._seal(now)
        for note in self.chain.close(now=now, reason=reason, successor=successor):
            self._tell(note)

    def release(self) -> None:
        """Give the reserve back to the disk."""
        self._reserve.release()

    def hold(self, cause: str | None, now: int) -> None:
        """Refuse attempts for another reason than the disk's, or (None) take them again; both are recorded.

        Raises:
            OSError, AuditUnwritable: the change is not in the file, and nothing has changed.
        """
        if cause is not None and self.held is None:
            self._put(StreamDegraded(cause=cause), now, None)
            self._held_at, self._held_refused = now, self._refused
        elif cause is None and self.held is not None:
            since, refused = rfc3339(self._held_at), self._refused - self._held_refused
            self._put(StreamRecovered(cause=self.held, since=since, refused=refused), now, None)
        self.held = cause

    def admit(self, now: int, *, critical: bool) -> None:
        """Refuse at once what a degraded writer may not write.

        Raises:
            AuditUnwritable: try again later.
        """
        if critical:
            return
        if self.held is not None:
            self._refused += 1
            raise AuditUnwritable(self.held)
        if self.degraded is None:
            return
        if not 0 <= now - self._retried_at < _RETRY_SECONDS * NANOSECONDS:
            self.tend(now)
        if self.degraded is not None:
            self._refused += 1
            raise AuditUnwritable(self.degraded)

    def _put(self, event: Record, now: int, subject: str | None) -> int:
        """Write a record, after the checkpoint that may be due before it."""
        if self.chain.uncovered >= self._every:
            self._seal(now)
        size = self.chain.append(event, now=now, subject=subject)
        if self._waiting_since is None:
            self._waiting_since = now
        return size

    def _put_from_reserve(
        self, error: OSError, event: Record, now: int, subject: str | None, *, critical: bool
    ) -> int:
        """Write what ends a running call although the disk is full."""
        if not critical or not self._reserve.held:
            raise self._refuse(error, now) from None
        self._degrade(error, now)
        self._reserve.release()
        try:
            self._put(StreamDegraded(cause=why(error)), now, None)
            return self._put(event, now, subject)
        except OSError as again:
            raise self._refuse(again, now) from None

    def _seal(self, now: int) -> str:
        note = self.chain.checkpoint(now=now, uncounted=dict(self._uncounted))
        self._uncounted.clear()
        self._waiting_since = None
        self._sealed_at = now
        self._tell(note)
        return note

    def _seal_if_due(self, now: int) -> None:
        """Seal; a disk that refuses is no fault of the record that was written before."""
        if not self._due(now):
            return
        try:
            self._seal(now)
        except OSError as error:
            self._degrade(error, now)

    def _due(self, now: int) -> bool:
        """Whether it is time. A clock that was set back seals at once, and never puts it off."""
        waiting = self._waiting_since
        return (
            self.chain.uncovered >= self._every
            or (waiting is not None and not 0 <= now - waiting < CHECKPOINT_SECONDS * NANOSECONDS)
            or not 0 <= now - self._sealed_at < IDLE_SECONDS * NANOSECONDS
        )

    def _degrade(self, error: OSError, now: int) -> None:
        if self.degraded is None:
            self._degraded_at = now
        self._retried_at = now
        self.degraded = f"the disk refuses audit records: {why(error)}"

    def _refuse(self, error: OSError, now: int) -> AuditUnwritable:
        self._degrade(error, now)
        self._refused += 1
        return AuditUnwritable(self.degraded)

    def _recover(self, now: int) -> None:
        """Hold the reserve again, and say since when and how many were refused."""
        self._retried_at = now
        cause = self.degraded or ""
        self._reserve.fill()
        since = rfc3339(self._degraded_at)
        self._put(StreamRecovered(cause=cause, since=since, refused=self._refused), now, None)
        self.degraded = None
        self._refused = 0

    def _tell(self, note: str) -> None:
        """Tell the anchor. A closed pipe is counted; the checkpoint is in the file all the same."""
        if self._anchor is None:
            return
        try:
            self._anchor(note)
        except (OSError, ValueError):
            self.anchor_failures += 1
