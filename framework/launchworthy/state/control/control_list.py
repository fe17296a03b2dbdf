"""What is stopped or denied now? Read every second, the union of all sources; too old is an answer too.

a new entry counts from the reading that finds it
an entry that is gone counts until a second reading misses it too: a half-written file lifts nothing
an entry whose time has come ends by itself; a deny not before every token of its time has ended
a grant counts only between its two times, only while the newest reading has it, and only if whoever is asked
finds it approved; one that is not lifts nothing, is said, and closes nothing else
a source that cannot be read or understood: every call is refused (503), and this is not ready
a reading older than 30 s: the same, whatever the reason, also when the loop that reads has died
"""

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final, NoReturn

from launchworthy.manifest import TargetKey
from launchworthy.state.control.changes import Change, ChangeKind, between
from launchworthy.state.control.entries import EVERYTHING, Action, DeniedName, Entry, digest_of
from launchworthy.state.control.reading import Source
from launchworthy.vocabulary import Granted, Principal, Problem, ProblemError, Reason, Refused

PERIOD: Final = 1.0
SECOND_LOOK: Final = 0.25
"""Seconds until a list that has lost an entry is read again."""
STALE_AFTER: Final = 30.0
RETRY_SECONDS: Final = 5
Listener = Callable[[Change], None]
Judge = Callable[[Entry], tuple[str, ...]]
"""Who has approved a grant; raises `ProblemError` where two people have not."""


@dataclass(slots=True, kw_only=True)
class _Known:
    """What one source said the last two times."""

    source: Source
    read_at: float
    now: tuple[Entry, ...] = ()
    before: tuple[Entry, ...] = ()
    problem: Problem | None = None

    @property
    def entries(self) -> tuple[Entry, ...]:
        """Both readings together; the newer one where an id is in both. Of grants the newer one alone."""
        ids = {each.id for each in self.now}
        ids |= {each.id for each in self.before if each.action is Action.GRANT}
        return (*self.now, *(each for each in self.before if each.id not in ids))

    @property
    def leaving(self) -> bool:
        """Whether an entry is gone that was there a reading ago."""
        return len(self.entries) > len(self.now)


@dataclass(frozen=True, slots=True, kw_only=True)
class InForce:
    """What counts now.

    Attributes:
        entries: all of them.
        stopped: names of targets.
        everything: whether `*` is stopped.
        denied: names of callers.
        grants: what each grant among them lifts, by its entry.
        digest: SHA-256 over the entries.
    """

    entries: tuple[Entry, ...]
    stopped: frozenset[str] = field(default_factory=frozenset)
    everything: bool = False
    denied: frozenset[DeniedName] = field(default_factory=frozenset)
    grants: Mapping[Entry, Granted] = field(default_factory=dict)
    digest: str = ""

    def stops(self, target: str) -> bool:
        """Whether calls of this target are stopped."""
        return self.everything or target in self.stopped


class ControlList:
    """The list as this process knows it; asked for every call, and asking costs no I/O.

    Attributes:
        generation: changes with every change of what is in force.
        in_force: what counts now.
    """

    def __init__(
        self,
        sources: Sequence[Source],
        *,
        longest: Mapping[str, int],
        judge: Judge,
        clock: Callable[[], float],
        monotonic: Callable[[], float],
    ) -> None:
        """Read nothing yet; no source at all means that nothing can be stopped, and is always fresh.

        Args:
            sources: where entries are written.
            longest: seconds that a token may live, by issuer.
            judge: who has approved a grant.
            clock: seconds since the epoch.
            monotonic: seconds that never go back.
        """
        self._known = tuple(_Known(source=each, read_at=-STALE_AFTER) for each in sources)
        self._longest = longest
        self._judge = judge
        self._refused: Mapping[Entry, str] = {}
        self._clock = clock
        self._monotonic = monotonic
        self._listeners: list[Listener] = []
        self._fresh = True
        self.generation = 0
        self.in_force = InForce(entries=(), digest=digest_of(()))

    def on_change(self, listener: Listener) -> None:
        """Call this for every change; it must neither wait nor raise."""
        self._listeners.append(listener)

    async def start(self) -> None:
        """Read every source for the first time.

        Raises:
            ProblemError: one cannot be read or understood.
        """
        for known in self._known:
            known.now = known.before = await known.source.read()
            known.read_at = self._monotonic()
        self._apply()

    async def keep(self) -> None:
        """Read every second, for ever."""
        while True:
            await asyncio.sleep(SECOND_LOOK if any(each.leaving for each in self._known) else PERIOD)
            await self.poll()

    async def poll(self) -> None:
        """Read every source once more, and let what they say count."""
        await asyncio.gather(*(self._read(known) for known in self._known))
        self._apply()

    def require(self) -> None:
        """Return if the list is known well enough for a call.

        Raises:
            Refused: `control.stale`.
        """
        for known in self._known:
            if known.problem is not None:
                self._stale(f"{known.problem.where} {known.problem.what}")
            if self._age(known) > STALE_AFTER:
                self._stale(f"the {known.source.name} was read {self._age(known):.0f} s ago")

    def refuse_stopped(self, target: str) -> None:
        """Return if calls of this target are not stopped.

        Raises:
            Refused: `tool.stopped`, with the entry that says so.
        """
        force = self.in_force
        if force.stops(target):
            by = next(each for each in force.entries if {target, EVERYTHING} & set(each.targets))
            raise Refused(Reason.TOOL_STOPPED, f"stopped by `{by.id}` ({by.who}): {by.why}")

    def granted(self, principal: Principal, target: str, now: int) -> tuple[Granted, ...]:
        """The grants of this caller for this target that count at this moment.

        Args:
            principal: issuer, subject and client are compared, exactly.
            target: the name of a tool, prompt or resource.
            now: seconds since the epoch; a grant ends at its time, not at the next reading.
        """
        return tuple(
            granted
            for entry, granted in self.in_force.grants.items()
            if _is_for(entry, principal, target) and entry.since <= now < entry.until
        )

    def without_stopped(self, targets: frozenset[TargetKey]) -> frozenset[TargetKey]:
        """What is left of a list; the same object where nothing is stopped."""
        force = self.in_force
        if not (force.everything or force.stopped):
            return targets
        return frozenset(key for key in targets if not force.stops(key[1]))

    def problems(self) -> tuple[str, ...]:
        """What is wrong with each source now, and with each grant, for people."""
        return (
            *(
                f"{known.problem.where} {known.problem.what}"
                for known in self._known
                if known.problem is not None
            ),
            *(f"the grant `{entry.id}` lifts nothing: {why}" for entry, why in self._refused.items()),
        )

    async def _read(self, known: _Known) -> None:
        try:
            entries = await known.source.read()
        except ProblemError as error:
            known.problem = error.problems[0]
        except Exception as error:  # noqa: BLE001 - a renewal loop: whatever it was, the list was not read
            known.problem = Problem(
                reason="control-file-unreadable",
                where=known.source.name,
                what=f"could not be read: {type(error).__name__}",
                fix=("see the operations log",),
            )
        else:
            known.before, known.now = known.now, entries
            known.problem = None
            known.read_at = self._monotonic()

    def _apply(self) -> None:
        now = self._clock()
        every = tuple(entry for known in self._known for entry in known.entries)
        grants, refused = self._judged(
            each for each in every if each.action is Action.GRANT and each.since <= now < each.until
        )
        force = _in_force(
            tuple(
                each
                for each in every
                if (each in grants if each.action is Action.GRANT else now < self._ends(each))
            ),
            grants,
        )
        changes = [
            replace(change, approvers=grants[change.entry].approvers) if change.entry in grants else change
            for change in between(self.in_force.entries, force.entries, written=every)
        ]
        changes += [
            Change(kind=ChangeKind.REFUSED, entry=entry, detail=why)
            for entry, why in refused.items()
            if self._refused.get(entry) != why
        ]
        self._refused = refused
        try:
            self.require()
            fresh, why = True, None
        except Refused as refused:
            fresh, why = False, refused.detail
        if force.entries != self.in_force.entries:
            self.in_force = force
            self.generation += 1
        if fresh is not self._fresh:
            self._fresh = fresh
            changes.append(Change(kind=ChangeKind.FRESH if fresh else ChangeKind.STALE, detail=why))
        for change in changes:
            for listener in self._listeners:
                listener(change)

    def _judged(self, grants: Iterable[Entry]) -> tuple[dict[Entry, Granted], dict[Entry, str]]:
        """Which of these lift something, and why others do not; one that counts is not asked about again."""
        counting: dict[Entry, Granted] = {}
        refused: dict[Entry, str] = {}
        for entry in grants:
            known = self.in_force.grants.get(entry)
            try:
                counting[entry] = _granted(entry, self._judge(entry)) if known is None else known
            except ProblemError as error:
                refused[entry] = error.problems[0].what
        return counting, refused

    def _ends(self, entry: Entry) -> int:
        longest = self._longest.get(entry.name[1], 0) if entry.name is not None else 0
        return entry.ends(longest)

    def _age(self, known: _Known) -> float:
        return self._monotonic() - known.read_at

    def _stale(self, detail: str) -> NoReturn:
        raise Refused(
            Reason.CONTROL_STALE, f"the control list is not known: {detail}", retry_after=RETRY_SECONDS
        )


def _granted(entry: Entry, approvers: tuple[str, ...]) -> Granted:
    if entry.grant is None:
        raise TypeError("only a grant is judged")
    return Granted(
        id=entry.id,
        incident=entry.grant.incident,
        lifts=frozenset(entry.grant.lifts),
        approvers=approvers,
        until=entry.until,
    )


def _is_for(entry: Entry, principal: Principal, target: str) -> bool:
    grant = entry.grant
    named = None if grant is None else (grant.issuer, grant.subject, grant.client)
    return target in entry.targets and principal.key == named


def _in_force(entries: tuple[Entry, ...], grants: Mapping[Entry, Granted]) -> InForce:
    stops = {target for each in entries if each.action is Action.STOP for target in each.targets}
    return InForce(
        entries=entries,
        stopped=frozenset(stops - {EVERYTHING}),
        everything=EVERYTHING in stops,
        denied=frozenset(each.name for each in entries if each.name is not None),
        grants=grants,
        digest=digest_of(entries),
    )
