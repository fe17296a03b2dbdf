"""How long does the promotion record in force allow a start? A date stops no process; it is said in time."""

from typing import Final

from launchworthy.server.parts import Parts

FORTNIGHT_SECONDS: Final = 14 * 86_400


def seconds_left(parts: Parts) -> int | None:
    """Until the record in force ends; None where none is needed."""
    return None if parts.record is None else parts.record.predicate.run_until - parts.now()


def is_ending(parts: Parts) -> bool:
    """Whether the record ends within a fortnight, or has ended."""
    left = seconds_left(parts)
    return left is not None and left <= FORTNIGHT_SECONDS
