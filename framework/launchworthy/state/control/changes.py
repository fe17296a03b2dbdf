"""What changed between two readings of the control list?"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from launchworthy.state.control.entries import Entry


class ChangeKind(StrEnum):
    """Of an entry, or of the list as a whole."""

    ADDED = "added"
    REMOVED = "removed"
    EXPIRED = "expired"
    REFUSED = "refused"
    STALE = "stale"
    FRESH = "fresh"


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One change.

    Attributes:
        kind: what happened.
        entry: to which entry; None of the list as a whole.
        approvers: of a grant: who has approved it.
        detail: why the list is stale, or why a grant lifts nothing.
    """

    kind: ChangeKind
    entry: Entry | None = None
    detail: str | None = None
    approvers: tuple[str, ...] = ()


def between(
    before: tuple[Entry, ...], after: tuple[Entry, ...], *, written: tuple[Entry, ...]
) -> Iterator[Change]:
    """Tell what came and what went; an entry that says something else now went and came.

    Args:
        before: in force until now.
        after: in force from now on.
        written: all that stands anywhere: an entry that is still written and counts no more has expired.
    """
    for entry in before:
        if entry not in after:
            kind = ChangeKind.EXPIRED if entry in written else ChangeKind.REMOVED
            yield Change(kind=kind, entry=entry)
    for entry in after:
        if entry not in before:
            yield Change(kind=ChangeKind.ADDED, entry=entry)
