"""How much of the audit may strangers write? Fifty records a second and reason, then one that counts.

A refusal without a principal costs its sender nothing, so it must cost us little: beyond the budget of a
second, the refusals of that second become one record with how many, when the first and the last came, and
from where (at most 16 address prefixes). Nothing is lost silently. That strangers together take at most a
tenth of a file is the stream's own business.
"""

import ipaddress
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache

from launchworthy.audit.events import Counted, Event
from launchworthy.audit.moment import NANOSECONDS, rfc3339
from launchworthy.audit.sanitiser import sanitise

PER_SECOND = 50
MAX_SOURCES = 16
_IPV4_PREFIX = 24
_IPV6_PREFIX = 48


@dataclass(slots=True, kw_only=True)
class _Second:
    """What one second brought of one type and reason."""

    second: int
    taken: int = 0
    more: int = 0
    example: Counted | None = None
    first: float = 0.0
    last: float = 0.0
    sources: list[str] = field(default_factory=list)


class StrangersBudget:
    """Records refusals at the door; used by the gate, one for each audit stream."""

    def __init__(self, record: Callable[[Event], None], *, per_second: int = PER_SECOND) -> None:
        """Write with `record`, which is `AuditStream.record`."""
        self._record = record
        self._per_second = per_second
        self._seconds: dict[tuple[str, str], _Second] = {}

    def note(self, event: Counted, source: str | None, now: float) -> None:
        """Record a refusal, or count it where its second is full.

        Args:
            event: the refusal; one with a principal is always recorded.
            source: the peer's address; only its prefix is kept.
            now: seconds since the epoch.

        Raises:
            AuditUnwritable: it could not be recorded.
        """
        self.flush(now)
        reason = event.stranger
        prefix = source_prefix(source)
        if reason is None:
            self._record(_located(event, prefix))
            return
        second = self._seconds.get((event.type, reason))
        if second is None:
            second = self._seconds[event.type, reason] = _Second(second=int(now))
        if second.taken < self._per_second:
            self._record(_located(event, prefix))
            second.taken += 1
            return
        if second.example is None:
            second.example, second.first = event, now
        self._count(second, prefix, now)

    def counts(self, kind: str, reason: str, source: str | None, now: float) -> bool:
        """Count one more where its second is full and has its example; then no record need be made of it.

        Args:
            kind: the type of the record that it would be.
            reason: what it would be counted under.
            source: the peer's address.
            now: seconds since the epoch.
        """
        second = self._seconds.get((kind, reason))
        if second is None or second.second != int(now) or second.example is None:
            return False
        self._count(second, source_prefix(source), now)
        return True

    @property
    def has_counted(self) -> bool:
        """Whether a summary is still to be written."""
        return any(second.example is not None for second in self._seconds.values())

    def flush(self, now: float) -> None:
        """Write the summaries of seconds that are over; to be called now and then.

        Raises:
            AuditUnwritable: one could not be written; it is kept for the next time.
        """
        for key, second in tuple(self._seconds.items()):
            if second.second == int(now):
                continue
            if second.example is not None:
                self._record(_summary(second.example, second))
            del self._seconds[key]

    @staticmethod
    def _count(second: _Second, prefix: str, now: float) -> None:
        second.more += 1
        second.last = now
        if prefix not in second.sources and len(second.sources) < MAX_SOURCES:
            second.sources.append(prefix)

    def finish(self) -> None:
        """Write every summary that is left, whatever the time.

        Raises:
            AuditUnwritable: one could not be written.
        """
        self.flush(-1.0)


@lru_cache(maxsize=1024)
def source_prefix(source: str | None) -> str:
    """The network an address belongs to (/24 and /48), which is enough to see a flood and names no person."""
    if source is None:
        return "unknown"
    try:
        address = ipaddress.ip_address(source.partition("%")[0])
    except ValueError:
        return sanitise(source[:64])
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
        address = address.ipv4_mapped
    length = _IPV4_PREFIX if address.version == 4 else _IPV6_PREFIX  # noqa: PLR2004 - the version's own number
    return str(ipaddress.ip_network((address, length), strict=False))


def _located(event: Counted, prefix: str) -> Counted:
    return event.model_copy(update={"sources": (prefix,)})


def _summary(example: Counted, second: _Second) -> Counted:
    """One record for all that were over the budget."""
    return example.summary(
        count=second.more,
        first=_moment(second.first),
        last=_moment(second.last),
        sources=tuple(second.sources),
    )


def _moment(seconds: float) -> str:
    return rfc3339(int(seconds * NANOSECONDS))
