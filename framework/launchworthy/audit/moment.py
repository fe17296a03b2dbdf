"""How is an instant written? RFC 3339 in UTC with microseconds, from nanoseconds since the epoch."""

from datetime import UTC, datetime, timedelta
from functools import lru_cache

NANOSECONDS = 1_000_000_000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def rfc3339(nanoseconds: int) -> str:
    """`2026-11-20T03:02:11.482113Z`."""
    seconds, rest = divmod(nanoseconds, NANOSECONDS)
    return f"{_second(seconds)}.{rest // 1000:06d}Z"


def compact(nanoseconds: int) -> str:
    """`20261120T030211482113Z`: sorts as time does, and is a good beginning of a file's name."""
    return rfc3339(nanoseconds).translate({ord("-"): None, ord(":"): None, ord("."): None})


def parse_rfc3339(text: str) -> datetime:
    """Read an instant, in UTC.

    Raises:
        ValueError: it is no RFC 3339 time, or has no offset.
    """
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError("a time without an offset")
    return moment.astimezone(UTC)


@lru_cache(maxsize=4)
def _second(seconds: int) -> str:
    return (_EPOCH + timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%S")
