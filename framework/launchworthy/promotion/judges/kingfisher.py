"""kingfisher: does it find a secret in what is committed, that our own detector did not?

It validates nothing: a key that it finds is shown to nobody, least of all to its issuer.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Final

from pydantic import Field

from launchworthy.promotion.judges.program import Said, failed, find_program, read_said, run_judge

NAME: Final = "kingfisher"
_SECONDS: Final = 90.0
_FOUND: Final = (0, 200, 205)
"""Its exit codes where it came to an end: nothing, something, something that is in force."""
_Word = Annotated[str, Field(max_length=2000)]


class _Rule(Said):
    name: _Word
    id: _Word


class _Inside(Said):
    path: _Word
    line: int


class _Finding(Said):
    rule: _Rule
    finding: _Inside


class _Summary(Said):
    blobs_scanned: int
    rules_applied: int


class _Metadata(Said):
    summary: _Summary


class _Report(Said):
    findings: tuple[_Finding, ...]
    metadata: _Metadata


def find() -> Path | None:
    """Where it is."""
    return find_program(NAME)


def secrets_found(program: Path, tree: Path, *, files: int, folder: Path) -> Iterator[tuple[str, int, str]]:
    """What it finds: the file, the line and the kind, and nothing of the value.

    Args:
        program: where it is.
        tree: what is looked through, and nothing besides.
        files: how many there are in it; the same texts count once.
        folder: of the stage.

    Raises:
        ProblemError: `judge-failed`: also where it looked at nothing.
    """
    options = ("--no-validate", "--format", "json", "--git-history", "none", "--no-update-check", "--redact")
    ran = run_judge(NAME, [program, "scan", tree, *options], folder=folder, seconds=_SECONDS)
    if ran.code not in _FOUND:
        raise failed(NAME, f"could not look at the tree (exit {ran.code})")
    report = read_said(NAME, ran.stdout.partition(b"\n")[0], _Report)
    summary = report.metadata.summary
    if summary.blobs_scanned == 0 or summary.rules_applied == 0 or files == 0:
        raise failed(NAME, f"looked at {summary.blobs_scanned} of {files} files")
    for each in report.findings:
        path = Path(each.finding.path)
        shown = path.relative_to(tree).as_posix() if path.is_relative_to(tree) else path.name
        yield shown, each.finding.line, each.rule.name
