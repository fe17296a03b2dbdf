"""How do records get from here to a receiver? A reader beside the server, with a cursor that survives.

It reads what the server writes and never touches it: a dead receiver or a stopped shipper costs no call
anything until the server's own spool limit. At least once: the cursor moves after the receiver has taken a
batch, so after a crash the last batch comes again, and `stream` and `seq` tell it.
"""

from collections.abc import Callable, Iterator
from pathlib import Path

from launchworthy.audit.cursor import Cursor, Position
from launchworthy.audit.reading import LineError, audit_files, parse_record, whole_lines
from launchworthy.audit.sinks import Line, Sink, SinkUnavailable
from launchworthy.vocabulary import Problem, ProblemError

BATCH_RECORDS = 500
BATCH_BYTES = 1024 * 1024
FIRST_WAIT, LONGEST_WAIT = 1.0, 60.0


class Shipper:
    """Ships one directory to one receiver.

    Attributes:
        sent: records that the receiver has taken since the start.
    """

    def __init__(self, directory: Path, cursor: Cursor, sink: Sink) -> None:
        """Go on where the cursor stands."""
        self.sent = 0
        self._directory = directory
        self._cursor = cursor
        self._sink = sink

    def ship(self) -> int:
        """Hand over everything that is there now; how many records that was.

        Raises:
            SinkUnavailable: the receiver did not take a batch; what it took before is noted.
            ProblemError: a file holds something else than records.
            OSError: the files or the cursor cannot be used.
        """
        before = self.sent
        files = audit_files(self._directory)
        present = frozenset(file.name for file in files)
        for file in files:
            for lines, position in self._batches(file):
                self._sink.send(lines)
                self._cursor.move(file.name, position, present=present)
                self.sent += len(lines)
        return self.sent - before

    def _batches(self, path: Path) -> Iterator[tuple[tuple[Line, ...], Position]]:
        """What was added to a file, in batches, each with where it ends."""
        start = self._cursor.of(path.name)
        try:
            if path.stat().st_size <= start.offset:
                return
            with path.open("rb") as file:
                file.seek(start.offset)
                offset, records, batch, size = start.offset, start.records, [], 0
                for raw, whole in whole_lines(file):
                    if not whole:
                        break
                    batch.append(Line(raw=raw, record=parse_record(raw)))
                    size += len(raw) + 1
                    if len(batch) >= BATCH_RECORDS or size >= BATCH_BYTES:
                        offset, records = offset + size, records + len(batch)
                        yield tuple(batch), Position(offset=offset, records=records)
                        batch, size = [], 0
                if batch:
                    yield tuple(batch), Position(offset=offset + size, records=records + len(batch))
        except FileNotFoundError:  # deleted after its time
            return
        except LineError as error:
            problem = Problem(
                reason="unreadable-audit",
                where=str(path),
                what=f"is no audit file: {error}",
                fix=("launchworthy audit verify says more",),
            )
            raise ProblemError(problem) from None


def ship_for_ever(
    shipper: Shipper,
    *,
    wait: Callable[[float], bool],
    say: Callable[[str], None],
    every: float,
) -> None:
    """Ship until told to stop; a receiver that is dead is asked again, less and less often.

    Args:
        shipper: what ships.
        wait: waits so many seconds; True when it is time to stop.
        say: is told when the receiver is lost and when it is there again.
        every: seconds between looks at the directory.

    Raises:
        ProblemError, OSError: as `Shipper.ship`.
    """
    again = 0.0
    while True:
        try:
            shipper.ship()
        except SinkUnavailable as error:
            if not again:
                say(f"the receiver takes nothing: {error}; it is asked again, and nothing is lost")
            again = min(LONGEST_WAIT, again * 2 or FIRST_WAIT)
        else:
            if again:
                say("the receiver takes records again")
            again = 0.0
        if wait(again or every):
            return
