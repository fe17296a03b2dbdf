"""What does this process write its records to, from its first moment to its last?

`AuditStream` is used from one thread, the event loop's; every write happens inline, in the caller's own
step, and either the whole record is in the file when it returns or `AuditUnwritable` is raised and nothing
of it is. There is no queue, no level, no filter and no setting that could leave a record out.

* open       the directory is ours, the file is new, seq 0 names the key and the stream before
* bind       the workload's identity signs the key; before that nothing may be served
* record     attempts and outcomes; a full disk refuses attempts and keeps a reserve for outcomes
* checkpoint after 1,000 records, 5 s after a record, 60 s idle, at rotation and at the end
* rotate     at 64 MiB or after six hours a new stream with a new key follows, bound before its first call
* close      the end, the checkpoint over it, and the key is gone
"""

import os
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Self

from launchworthy.audit.binding import (
    BOUND_WITHIN,
    BindingError,
    Proof,
    Prover,
    check_binding,
)
from launchworthy.audit.chain import Chain
from launchworthy.audit.disk import Directory, Disk, RealDisk, Reserve, why
from launchworthy.audit.durability import GroupSync
from launchworthy.audit.events import Record, StreamDeleted
from launchworthy.audit.merkle import EMPTY_ROOT
from launchworthy.audit.moment import NANOSECONDS
from launchworthy.audit.previous import previous_stream
from launchworthy.audit.sanitiser import sanitise
from launchworthy.audit.stream_binding import bound_record, payload_of
from launchworthy.audit.stream_key import StreamKey, root_text
from launchworthy.audit.unwritable import AuditUnwritable
from launchworthy.audit.writer import Writer

CHECKPOINT_RECORDS = 1000
ROTATE_BYTES = 64 * 1024 * 1024
ROTATE_SECONDS = 6 * 3600
RESERVE_BYTES = 1024 * 1024
STRANGERS_SHARE = 10
"""Records that strangers cause take at most one part in so many of a file."""
_JOIN_SECONDS = 30.0


class AuditStream:
    """The audit of one process. Not for other threads, and not for a forked child."""

    def __init__(  # noqa: PLR0913 - the parts that `open` makes
        self,
        directory: Directory,
        writer: Writer,
        *,
        source: str | None,
        clock: Callable[[], int],
        new_chain: Callable[[StreamKey, int], Chain],
        new_key: Callable[[], StreamKey],
        rotate_at: int,
        rotate_after: int,
        opened: int,
    ) -> None:
        """Hold the parts; `open` makes them."""
        self._rotate_after = rotate_after
        self._opened = opened
        self._directory = directory
        self._writer = writer
        self._expected_source = source
        self._clock = clock
        self._new_chain = new_chain
        self._new_key = new_key
        self._rotate_at = rotate_at
        self._process = os.getpid()
        self._prover: Prover | None = None
        self._offered: tuple[int, str] | None = None
        self._group = GroupSync(writer.chain.file)
        self._closed = False

    @classmethod
    def open(  # noqa: PLR0913 - the one place where a stream is described
        cls,
        directory: Path,
        *,
        source: str | None,
        clock: Callable[[], int],
        checkpoint_every: int = CHECKPOINT_RECORDS,
        rotate_at: int = ROTATE_BYTES,
        rotate_after: int = ROTATE_SECONDS,
        reserve_bytes: int = RESERVE_BYTES,
        anchor: Callable[[str], None] | None = None,
        disk: Disk | None = None,
        new_key: Callable[[], StreamKey] = StreamKey.generate,
    ) -> Self:
        """Make a new stream and write its first record.

        Args:
            directory: made (0700) where it is missing; never one in which others may write.
            source: the identity that `bind` must name, where that is known already; until it is bound,
                records bear `urn:launchworthy:stream:<id>`.
            clock: nanoseconds since the epoch, such as `time.time_ns`.
            checkpoint_every: records between checkpoints at most.
            rotate_at: bytes after which the next stream follows.
            rotate_after: seconds after which it does.
            reserve_bytes: held back for the outcomes of running calls.
            anchor: is given every signed checkpoint, to keep it outside; an `OSError` or `ValueError` of
                its is counted (`anchor_failures`) and never stops a record.
            disk: the operating system's, if nothing else is said.
            new_key: makes the key of each stream.

        Raises:
            AuditUnwritable: the directory or the disk cannot be used.
        """
        real = disk if disk is not None else RealDisk()
        with ExitStack() as undo:
            ours = Directory(directory)
            undo.callback(ours.close)
            try:
                reserve = Reserve(ours, reserve_bytes, real)
                undo.callback(reserve.release)
                previous = previous_stream(ours)
                now = clock()
                chain = Chain(ours, new_key(), opened=now, disk=real)
            except OSError as error:
                raise AuditUnwritable(f"no audit stream can be made in `{directory}`: {why(error)}") from None
            writer = Writer(
                reserve,
                anchor=anchor,
                checkpoint_every=checkpoint_every,
                strangers_bytes=rotate_at // STRANGERS_SHARE,
            )
            writer.begin(chain, now=now, previous=previous)
            undo.pop_all()
        return cls(
            ours,
            writer,
            source=source,
            clock=clock,
            new_chain=lambda key, opened: Chain(ours, key, opened=opened, disk=real),
            new_key=new_key,
            rotate_at=rotate_at,
            rotate_after=rotate_after * NANOSECONDS,
            opened=now,
        )

    @property
    def stream_id(self) -> str:
        """The id of the stream that is open now."""
        return self._writer.chain.stream

    @property
    def public_key(self) -> bytes:
        """The public key of the stream that is open now, 32 bytes."""
        return self._writer.chain.key.verifier.public_key

    @property
    def verifier_key(self) -> str:
        """The same key in the text that a verifier can pin."""
        return str(self._writer.chain.key.verifier)

    @property
    def path(self) -> Path:
        """The file that is written now."""
        return self._directory.path / self._writer.chain.file.name

    @property
    def bound(self) -> bool:
        """Whether an identity stands behind the stream that is open now."""
        return self._writer.chain.bound

    @property
    def anchor_failures(self) -> int:
        """Checkpoints that the anchor did not take; they are in the file all the same."""
        return self._writer.anchor_failures

    @property
    def sealed_to(self) -> int:
        """Records of the stream that is open now which a checkpoint covers."""
        return self._writer.chain.covered

    @property
    def problem(self) -> str | None:
        """Why no attempt can be recorded now, or None."""
        return (
            self._unusable or self._writer.chain.file.poisoned or self._writer.held or self._writer.degraded
        )

    @property
    def writable(self) -> bool:
        """Whether an attempt could be recorded now; a server is not ready where it could not."""
        return self.problem is None

    @property
    def rotation_due(self) -> bool:
        """Whether the next stream should follow; `rotate` makes it, and `keep` calls that."""
        due = self._full or self._clock() - self._opened >= self._rotate_after
        return due and self.writable

    def record(self, event: Record, *, subject: str | None = None, critical: bool = False) -> None:
        """Write a record; when this returns, it is in the file and survives the end of this process.

        Args:
            event: what happened.
            subject: what it happened to, such as `order/1042`.
            critical: the record ends something that has begun (an outcome, a revocation); it may use the
                reserve when the disk is full.

        Raises:
            AuditUnwritable: it is not in the file.
        """
        self._require()
        if not self.bound and self._full and self.writable:
            self._follow(self._new_key(), None)
        self._writer.write(event, now=self._clock(), subject=subject, critical=critical)

    async def record_durable(
        self, event: Record, *, subject: str | None = None, critical: bool = False
    ) -> None:
        """Write a record and wait until it is on the disk.

        Raises:
            AuditUnwritable: it is not in the file, or the disk did not take it.
        """
        self.record(event, subject=subject, critical=critical)
        await self._group.wait()

    def binding_payload(self) -> bytes:
        """What the workload's identity has to sign, about the stream as it is now."""
        chain = self._writer.chain
        self._offered = (chain.size, chain.root)
        return payload_of(chain.key, *self._offered)

    def bind(self, proof: Proof, source: str) -> None:
        """Write `stream.bound`; from then on records bear `source`.

        Args:
            proof: for the last `binding_payload`.
            source: the workload's identity.

        Raises:
            BindingError: no payload was asked for, the stream is bound, or the proof does not say this.
            AuditUnwritable: it is not in the file.
        """
        self._require()
        if self._offered is None or self.bound or self._offered[0] > BOUND_WITHIN:
            raise BindingError("there is nothing to bind: ask for the payload first, early, and bind once")
        if source != sanitise(source) or self._expected_source not in (None, source):
            raise BindingError("the stream was opened for another source")
        size, root = self._offered
        check_binding(proof, payload_of(self._writer.chain.key, size, root), source)
        self._writer.bind(bound_record(proof, size, root), source=source, now=self._clock())

    async def bind_with(self, prover: Prover, source: str) -> None:
        """Ask for a proof and bind; the prover is kept, for the streams that follow at rotation.

        Raises:
            BindingError, AuditUnwritable: as `bind`, and whatever the prover raises.
        """
        self.bind(await prover.prove(self.binding_payload()), source)
        self._prover = prover

    def checkpoint(self) -> str:
        """Seal all records so far and return the signed note.

        Raises:
            AuditUnwritable: the checkpoint is not in the file.
        """
        self._require()
        return self._writer.seal(self._clock())

    def tick(self) -> None:
        """Seal what is due, look after the file, look for room; never raises. For every second or so."""
        if self._unusable is None:
            self._writer.tend(self._clock())

    def hold(self, cause: str | None) -> None:
        """Refuse attempts because of something else than the disk, such as a full spool; None ends that.

        Raises:
            AuditUnwritable: the change is not in the file, and nothing has changed.
        """
        self._require()
        try:
            self._writer.hold(cause, self._clock())
        except OSError as error:
            raise AuditUnwritable(f"a change of the audit could not be recorded: {why(error)}") from None

    async def delete(self, event: StreamDeleted, name: str) -> None:
        """Delete a closed file of the directory: the record of it first, on the disk, then the file.

        Raises:
            AuditUnwritable: it could not be recorded, and the file is there.
            OSError: the file could not be deleted; the record says that it was to be.
        """
        if name == self._writer.chain.file.name:
            raise AuditUnwritable("the audit file that is written is not deleted")
        await self.record_durable(event)
        self._directory.remove(name)

    async def rotate(self) -> None:
        """Close this stream and go on in a new one, which is bound before anything is served in it.

        The proof is about the new key and an empty stream, so it is there before the file is. Until then,
        and for good where there is no proof to be had, records go on into the old one.

        Raises:
            AuditUnwritable: the new stream could not be made; where the old one could not be closed, it
                goes on.
            BindingError: nobody is there to prove it, or the proof does not say what it should; and
                whatever the prover raises.
        """
        self._require()
        key, proof = self._new_key(), None
        if self.bound:
            if self._prover is None:
                raise BindingError("a bound stream is followed by a bound one: bind it with a prover")
            payload = payload_of(key, 0, root_text(EMPTY_ROOT))
            proof = await self._prover.prove(payload)
            check_binding(proof, payload, self._writer.chain.source)
            self._require()
        self._follow(key, proof)

    def close(self, reason: str = "shutdown") -> None:
        """Write the end, seal it, wait for the disk, and forget the key; may be called again.

        Raises:
            AuditUnwritable: the end is not on the disk; the file is as a crash would have left it.
        """
        if self._closed:
            return
        ours = self._unusable is None
        self._closed = True
        try:
            if ours:
                self._writer.release()
                self._writer.end(now=self._clock(), reason=reason, successor=None)
        except OSError as error:
            raise AuditUnwritable(f"the audit stream could not be ended: {why(error)}") from None
        finally:
            self._writer.chain.key.drop()
            if ours:
                self._group.finish().join(_JOIN_SECONDS)
            self._directory.close()
        if self._group.failure is not None:
            raise self._group.failure

    @property
    def _full(self) -> bool:
        return self._writer.chain.file.size >= self._rotate_at

    @property
    def _unusable(self) -> str | None:
        if self._closed:
            return "the audit stream is closed"
        if os.getpid() != self._process:
            return "a forked process may not share an audit stream"
        return None

    def _require(self) -> None:
        problem = self._unusable
        if problem is not None:
            raise AuditUnwritable(problem)

    def _follow(self, key: StreamKey, proof: Proof | None) -> None:
        """End the chain and begin the next."""
        now, old = self._clock(), self._writer.chain
        try:
            new = self._new_chain(key, now)
        except OSError as error:
            raise AuditUnwritable(f"the next audit stream could not be made: {why(error)}") from None
        try:
            self._writer.end(now=now, reason="rotation", successor=key.stream)
        except (OSError, AuditUnwritable) as error:
            new.file.close()
            self._directory.remove(new.file.name)
            raise AuditUnwritable(f"the audit stream could not be ended: {error}") from None
        self._group.finish()
        self._group = GroupSync(new.file)
        self._offered = None
        self._opened = now
        self._writer.begin(new, now=now, previous=old.link)
        if proof is not None:
            try:
                self._writer.bind(bound_record(proof, 0, root_text(EMPTY_ROOT)), source=old.source, now=now)
            except AuditUnwritable:
                new.file.poisoned = "the next audit stream could not be bound"  # nothing may be served in it
                raise
