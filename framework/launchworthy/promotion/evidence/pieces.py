"""Which evidence is there for a control? An entry in its dates, over exactly its file, and perhaps approved.

What is wrong with an entry itself is told by GOV-06; what its file says is judged whether or not it is
approved, so that nobody is asked to approve what shows nothing.
"""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from launchworthy.promotion.project import Project
from launchworthy.promotion.trusted import FILE, EvidenceTable, end_of
from launchworthy.vocabulary import ProblemError

MAX_BYTES: Final = 1024 * 1024
_DAY: Final = 86_400


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """A piece of evidence.

    Attributes:
        table: its entry.
        where: of the entry: `promotion.toml:12`.
        content: of its file.
        approved_by: who approved it; None where nobody has, and then it does not count.
    """

    table: EvidenceTable
    where: str
    content: bytes
    approved_by: str | None


def pieces(project: Project, control: str) -> Iterator[Piece]:
    """Every piece of evidence for a control."""
    for entry in project.trusted.evidence:
        table = entry.table
        file = project.root / table.file
        if table.control != control or project.now >= end_of(table.expires) or not file.is_file():
            continue
        with file.open("rb") as stream:
            content = stream.read(MAX_BYTES + 1)
        if hashlib.sha256(content).hexdigest() != table.sha256 or len(content) > MAX_BYTES:
            continue
        try:
            approved_by = project.book.require(entry.matter).name
        except ProblemError:
            approved_by = None
        yield Piece(table=table, where=entry.where, content=content, approved_by=approved_by)


def not_of_now(project: Project, *, server: str, made_at: int, days: int) -> Iterator[str]:
    """Why something that was made at some time for some server is nothing to this promotion.

    Args:
        project: that is asked.
        server: it says that it is of.
        made_at: it says that it is from.
        days: that it is good for.
    """
    age = (project.now - made_at) // _DAY
    if server != project.manifests.server.name:
        yield f"it is of the server `{server}`"
    if not 0 <= age <= days:
        yield f"it is {age} days old, {days} are allowed" if age > 0 else "it is from the future"


def object_of(content: bytes) -> dict[str, object]:
    """The JSON object of a file.

    Raises:
        ValueError: it is none.
    """
    try:
        said = json.loads(content)
    except RecursionError:
        raise ValueError("nested too deeply") from None
    if not isinstance(said, dict):
        raise ValueError("no JSON object")  # noqa: TRY004 - of whatever type, it is no such file
    return said


def how_to_show(project: Project, control: str, says: str, path: str, *, days: int) -> tuple[str, ...]:
    """The block for `promotion.toml`, with the digest once the file is there, and who must agree.

    Args:
        project: that is asked.
        control: for which it is shown.
        says: what it shows, in a sentence.
        path: of the file, below the project.
        days: that it is good for.
    """
    file = project.root / path
    digest = hashlib.sha256(file.read_bytes()).hexdigest() if file.is_file() else "…"
    until = datetime.fromtimestamp(project.now + days * _DAY, UTC).date()
    return (
        f"then to {FILE}, and have it approved: launchworthy approve {FILE}",
        "[[evidence]]",
        f'control = "{control}"',
        f'says    = "{says}"',
        f'file    = "{path}"',
        f'sha256  = "{digest}"' + ("" if file.is_file() else "   # check prints it once the file is there"),
        f'owner   = "{project.manifests.server.ownership.owner}"',
        f"expires = {until}",
    )
