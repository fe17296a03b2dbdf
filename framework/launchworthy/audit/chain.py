"""What does the next line of a stream look like? One file, one key, one sequence: the format itself.

Line n is a CloudEvents 1.0 event in canonical JSON with `seq` = n and `prev` = SHA-256 of line n - 1; it is
leaf n of the stream's Merkle tree. Nothing here reads a clock, decides when to seal, or survives an error
half done: state moves on only after the whole line was written.
"""

from hashlib import sha256

from launchworthy.audit.canonical import canonical
from launchworthy.audit.disk import AppendFile, Directory, Disk
from launchworthy.audit.events import Event, PreviousStream, Record, StreamCheckpoint, StreamClose
from launchworthy.audit.merkle import MerkleTree
from launchworthy.audit.moment import compact, rfc3339
from launchworthy.audit.sanitiser import sanitise
from launchworthy.audit.stream_key import StreamKey, first_prev, origin_of, root_text
from launchworthy.audit.unwritable import AuditUnwritable

_LINE = b'{"data":%b,"id":"%b/%d","prev":"%b","seq":%d%b%b,"time":"%b","type":"launchworthy.%b.v1"}'
MAX_LINE = 64 * 1024
"""Bytes of a line; only certificates come near it, a call's records stay below 16 kB."""


class Chain:
    """One stream on the disk.

    Attributes:
        file: where it is written.
        key: what seals it.
        stream: its id.
        covered: the size that the last checkpoint signed.
        bound: whether an identity stands behind it.
    """

    def __init__(self, directory: Directory, key: StreamKey, *, opened: int, disk: Disk) -> None:
        """Make the file of a new stream; nothing is in it yet.

        Raises:
            OSError: it cannot be made.
        """
        self.key = key
        self.stream = key.stream
        self.covered = 0
        self.bound = False
        self._opened = compact(opened)
        self.file = AppendFile(directory, f"{self._opened}-{key.stream}.jsonl", disk)
        self._tree = MerkleTree()
        self._prev = first_prev(key.stream)
        self._offset = 0
        self._set_source(origin_of(key.stream))

    @property
    def size(self) -> int:
        """Number of records."""
        return self._tree.size

    @property
    def uncovered(self) -> int:
        """Records that no checkpoint covers yet; the last checkpoint itself is one of them."""
        return self._tree.size - self.covered

    @property
    def root(self) -> str:
        """The Merkle root of all records, base64."""
        return root_text(self._tree.root())

    @property
    def link(self) -> PreviousStream:
        """What the next stream says of this one."""
        return PreviousStream(stream=self.stream, opened=self._opened, size=self.size, root=self.root)

    def append(self, event: Record, *, now: int, subject: str | None = None) -> int:
        """Write one record and say how many bytes it took.

        Raises:
            OSError: nothing was written, and the chain is as it was.
            AuditUnwritable: the file is poisoned, or the record is too long.
            CanonicalError: the record cannot be written at all.
        """
        line = self._line(event, rfc3339(now), subject)
        self._write(line + b"\n")
        self._advance(line)
        return len(line) + 1

    def bind(self, event: Event, *, source: str, now: int) -> None:
        """Write `stream.bound`; it and all records after it bear the identity as their source.

        Raises:
            OSError, AuditUnwritable: as `append`; the source is as it was.
        """
        self._set_source(source)
        try:
            self.append(event, now=now)
        except BaseException:
            self._set_source(origin_of(self.stream))
            raise
        self.bound = True

    def checkpoint(self, *, now: int, uncounted: dict[str, int]) -> str:
        """Seal all records so far, and return the signed note.

        Raises:
            OSError, AuditUnwritable: as `append`.
        """
        size = self.size
        event = self._sealed(uncounted)
        self.append(event, now=now)
        self.covered = size
        return event.note

    def close(self, *, now: int, reason: str, successor: str | None) -> tuple[str, str]:
        """Write the end and the checkpoint that covers it, in one write, and forget the key.

        That last record says nothing but the signature and what follows from it, so no byte of a closed
        file can be changed.

        Returns:
            The note of that checkpoint, and one that also covers the checkpoint's own record: it is in no
            file, and closes the stream for whoever keeps it.

        Raises:
            OSError, AuditUnwritable: as `append`; the stream is not closed.
        """
        tree, prev, time = self._tree.copy(), self._prev, rfc3339(now)
        try:
            first = self._line(StreamClose(reason=reason, next=successor), time, None)
            self._advance(first)
            sealed = self._sealed({})
            second = self._line(sealed, time, None)
            self._write(first + b"\n" + second + b"\n")
        except BaseException:
            self._tree, self._prev = tree, prev
            raise
        self.covered = self.size
        self._advance(second)
        last = self.key.seal(self.size, self._tree.root())
        self.key.drop()
        return sealed.note, last

    def _sealed(self, uncounted: dict[str, int]) -> StreamCheckpoint:
        note = self.key.seal(self.size, self._tree.root())
        return StreamCheckpoint(note=note, uncounted=uncounted or None)

    def _line(self, event: Record, time: str, subject: str | None) -> bytes:
        """The canonical line: keys in order, so that only data and subject are left to encode."""
        data = event.written()
        seq = self._tree.size
        about = b"" if subject in (None, "") else b',"subject":' + canonical(sanitise(subject))
        line = _LINE % (
            data,
            self._name,
            seq,
            self._prev.encode(),
            seq,
            self._about_stream,
            about,
            time.encode(),
            event.type.encode(),
        )
        if len(line) > MAX_LINE:
            raise AuditUnwritable(f"a record of {len(line)} bytes")
        return line

    def _write(self, data: bytes) -> None:
        """Write lines, unless an interrupted write has left the file ahead of the chain."""
        if self.file.size != self._offset:
            self.file.poisoned = "a record was interrupted"
        self.file.append(data)

    def _advance(self, line: bytes) -> None:
        self._tree.append(line)
        self._prev = sha256(line).hexdigest()
        self._offset = self.file.size

    def _set_source(self, source: str) -> None:
        self.source = source
        self._name = self.stream.encode()
        self._about_stream = b',"source":%b,"specversion":"1.0","stream":"%b"' % (
            canonical(source),
            self._name,
        )
