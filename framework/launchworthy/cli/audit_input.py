"""Which records are there to show? Those of files, of directories, and of lines from a log store or a pod."""

import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from launchworthy.vocabulary import Problem, ProblemError

if TYPE_CHECKING:
    from launchworthy.audit.reading import Record

STDIN = Path("-")
_POLL_SECONDS = 0.2


def records_of(paths: list[Path], *, follow: bool = False) -> Iterator["Record"]:
    """Every record of the files in their order; `-` reads stdin, where other lines may stand between them.

    Args:
        paths: files, directories, or `-`.
        follow: go on when a file has ended: with what is written to it, and with files that come later.

    Raises:
        ProblemError: a file cannot be read, or holds a line that is no record.
    """
    if STDIN in paths:
        yield from _from_stdin(sys.stdin.buffer)
    files = [path for path in paths if path != STDIN]
    if follow and files:
        yield from _followed(files)
        return
    for path in files:
        yield from _from_path(path)


def _from_path(path: Path) -> Iterator["Record"]:
    from launchworthy.audit.reading import LineError, audit_files, read_records

    for file in audit_files(path):
        try:
            with file.open("rb") as stream:
                yield from read_records(stream)
        except LineError as error:
            raise ProblemError(_problem(file, f"is no audit file: {error}")) from None
        except OSError:
            raise ProblemError(_problem(file, "cannot be read")) from None


def _from_stdin(stream: BinaryIO) -> Iterator["Record"]:
    """Records among the lines of an output; how many lines were none is said at the end.

    Raises:
        ProblemError: there were lines, and not one was a record.
    """
    from launchworthy.audit.log_lines import records_in
    from launchworthy.audit.reading import MAX_LINE

    found = others = 0
    while line := stream.readline(MAX_LINE):  # a longer one comes in pieces, and is no record of ours
        before = found
        for record in records_in(line):
            found += 1
            yield record
        others += found == before and line.strip() != b""
    if others and not found:
        raise ProblemError(_problem(STDIN, f"holds {others} lines, and no record"))
    if others:
        print(f"{others} lines were no records", file=sys.stderr)  # noqa: T201 - beside the rows


def _followed(paths: list[Path]) -> Iterator["Record"]:
    """What the files hold, and from then on what is added; ends when the reader does."""
    from launchworthy.audit.following import Follower
    from launchworthy.audit.reading import LineError

    follower = Follower(tuple(paths))
    while True:
        try:
            yield from follower.more()
        except LineError as error:
            raise ProblemError(_problem(follower.file, f"is no audit file: {error}")) from None
        except OSError:
            raise ProblemError(_problem(follower.file, "cannot be read")) from None
        time.sleep(_POLL_SECONDS)


def _problem(file: Path, what: str) -> Problem:
    return Problem(
        reason="unreadable-audit", where=str(file), what=what, fix=("launchworthy audit verify says more",)
    )
