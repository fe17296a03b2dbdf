"""What can be said of audit files once they were read? Four states, and what they rest on."""

from dataclasses import dataclass
from enum import StrEnum


class State(StrEnum):
    """From best to worst, but that `undecided` is no accusation."""

    INTACT_SEALED = "intact-sealed"
    INTACT_OPEN = "intact-open"
    UNDECIDED = "undecided"
    TAMPERED = "tampered"


class Trust(StrEnum):
    """Why the key of a stream is believed to be the workload's."""

    PINNED = "pinned"
    BOUND = "bound"
    LINKED = "linked"


@dataclass(frozen=True, slots=True, kw_only=True)
class Damage:
    """Where a stream is not what was written.

    Attributes:
        record: the first record concerned; None where it is about the file as a whole.
        until: the last one, where no single record can be named.
        what: one sentence.
    """

    record: int | None
    until: int | None
    what: str

    def __str__(self) -> str:
        """`record 212: …`."""
        if self.record is None:
            return self.what
        if self.until is None or self.until <= self.record:
            return f"record {self.record}: {self.what}"
        return f"records {self.record} to {self.until}: {self.what}"


@dataclass(frozen=True, slots=True, kw_only=True)
class UnknownOutcome:
    """An attempt that no outcome follows: the call still runs, or the process ended before it did."""

    call: str
    target: str
    stream: str
    seq: int
    time: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamVerdict:
    """What can be said of one file.

    Attributes:
        name: the path as it was given.
        stream: its id; empty where the file does not say.
        state: intact (sealed or open), tampered or undecided.
        source: the identity that is bound to it, or None.
        trust: what the key rests on, or None.
        records: whole records.
        checkpoints: signed notes among them.
        sealed_to: records that a checkpoint in the file covers.
        sealed_at: when the last checkpoint was written.
        anchored_to: records that an anchor from outside, or a later stream, covers.
        torn: bytes after the last whole record.
        first: time of the first record.
        last: time of the last record.
        served: whether the server became ready, or took calls, in it.
        damage: of a tampered stream.
        doubt: why it is undecided.
        notes: what a reader should know besides.
    """

    name: str
    stream: str
    state: State
    source: str | None
    trust: Trust | None
    records: int
    checkpoints: int
    sealed_to: int
    sealed_at: str | None
    anchored_to: int
    torn: int
    first: str | None
    last: str | None
    served: bool
    damage: Damage | None
    doubt: str | None
    notes: tuple[str, ...]

    @property
    def unsealed(self) -> int:
        """Records that no signature covers; the last checkpoint's own record is not counted."""
        if self.state is State.INTACT_SEALED:
            return 0
        return max(0, self.records - max(self.sealed_to + (1 if self.checkpoints else 0), self.anchored_to))

    def summary(self) -> str:
        """`intact, sealed`, or what else there is to say, in a line."""
        match self.state:
            case State.INTACT_SEALED:
                return "intact, sealed, anchored" if self.anchored_to >= self.sealed_to else "intact, sealed"
            case State.INTACT_OPEN:
                torn = f", {self.torn} bytes torn" if self.torn else ""
                return f"intact, not closed: {self.unsealed} records unsealed{torn}"
            case State.TAMPERED:
                return f"tampered: {self.damage}"
            case State.UNDECIDED:
                return f"could not be decided: {self.doubt}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Verification:
    """What can be said of all files together.

    Attributes:
        streams: one for each file, in the order given.
        unknown_outcomes: attempts without an outcome in any of them.
        holes: what is missing between files that are here.
        missing: ids of streams that others, or anchors, speak of and that are not here.
        doubts: why nothing can be said, besides what the streams say themselves.
        require_sealed: whether anything less than sealed is a no.
    """

    streams: tuple[StreamVerdict, ...]
    unknown_outcomes: tuple[UnknownOutcome, ...]
    holes: tuple[str, ...]
    missing: tuple[str, ...]
    doubts: tuple[str, ...]
    require_sealed: bool

    @property
    def state(self) -> State:
        """The worst of all."""
        states = {stream.state for stream in self.streams}
        if State.TAMPERED in states or self.holes:
            return State.TAMPERED
        if State.UNDECIDED in states or self.doubts or not states:
            return State.UNDECIDED
        return State.INTACT_OPEN if State.INTACT_OPEN in states else State.INTACT_SEALED

    @property
    def exit_code(self) -> int:
        """0 intact · 1 tampered, or not sealed where that was required · 2 could not be decided."""
        match self.state:
            case State.INTACT_SEALED:
                return 0
            case State.INTACT_OPEN:
                return 1 if self.require_sealed else 0
            case State.TAMPERED:
                return 1
            case State.UNDECIDED:
                return 2

    def lines(self) -> tuple[str, ...]:
        """The answer as people read it; the first line is the verdict."""
        records = sum(stream.records for stream in self.streams)
        checkpoints = sum(stream.checkpoints for stream in self.streams)
        head = (
            f"{_word(self.state)}   {len(self.streams)} streams, {records} records, {checkpoints} checkpoints"
        )
        each = tuple(line for stream in self.streams for line in _of_stream(stream))
        calls = tuple(
            f"unknown outcome: {attempt.target}, call {attempt.call}, {attempt.time}"
            for attempt in self.unknown_outcomes
        )
        missing = tuple(f"not here: stream {stream}" for stream in self.missing)
        return (head, *each, *self.holes, *calls, *missing, *self.doubts)


def _of_stream(stream: StreamVerdict) -> tuple[str, ...]:
    who = stream.source if stream.source is not None else "no identity"
    rests = f", {stream.trust.value}" if stream.trust is not None else ""
    first = f"{stream.stream[:8] or stream.name}   {stream.summary()}   {who}{rests}"
    return (first, *(f"  {note}" for note in stream.notes))


def _word(state: State) -> str:
    match state:
        case State.INTACT_SEALED:
            return "intact, sealed"
        case State.INTACT_OPEN:
            return "intact, not closed"
        case State.TAMPERED:
            return "tampered"
        case State.UNDECIDED:
            return "could not be decided"
