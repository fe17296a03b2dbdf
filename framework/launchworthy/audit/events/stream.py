"""What does a stream say about itself? Its beginning, its binding, its checkpoints, its end."""

from typing import ClassVar

from launchworthy.audit.events.event import Count, Event, Text


class PreviousStream(Event):
    """The newest stream that lay in the directory when this one began (a part of `StreamOpen`, no record)."""

    type: ClassVar[str] = "stream.previous"

    stream: str
    opened: str
    size: Count
    root: str


class StreamOpen(Event):
    """The first record, seq 0: the key whose signatures will seal this stream, and what came before."""

    type: ClassVar[str] = "stream.open"

    format: str
    key: str
    previous: PreviousStream | None = None
    checkpoint_records: Count
    checkpoint_seconds: Count
    idle_seconds: Count


class StreamBound(Event):
    """The workload's identity says that the key is its own: see `audit.binding`."""

    type: ClassVar[str] = "stream.bound"

    kind: str
    size: Count
    root: str
    algorithm: str
    signature: str
    chain: tuple[str, ...]
    bundle: tuple[str, ...]
    token: str | None = None


class StreamCheckpoint(Event):
    """A signed note over everything before this record, and what strangers were not given a record for."""

    type: ClassVar[str] = "stream.checkpoint"

    note: str
    uncounted: dict[str, Count] | None = None


class StreamClose(Event):
    """The end; only a checkpoint that covers it may follow."""

    type: ClassVar[str] = "stream.close"

    reason: Text
    next: str | None = None


class StreamDegraded(Event):
    """The disk refused a record: attempts are refused until `stream.recovered`."""

    type: ClassVar[str] = "stream.degraded"

    cause: Text


class StreamRecovered(Event):
    """Records can be written again: why and since when they could not be, and how many were refused."""

    type: ClassVar[str] = "stream.recovered"

    cause: Text
    since: Text
    refused: Count


class StreamDeleted(Event):
    """A closed file was deleted: its time was over, and its shipper and an anchor had passed it.

    Attributes:
        deleted: the id of the stream that was in it.
        opened: when it was opened, as in the name of its file.
        size: how many records it had.
        root: the Merkle root over all of them.
        shipped: how many of them were acknowledged by where they were sent.
        anchored: how many of them a checkpoint covers that was kept outside.
        retention_days: how long they had to be kept.
    """

    type: ClassVar[str] = "stream.deleted"

    deleted: str
    opened: str
    size: Count
    root: str
    shipped: Count
    anchored: Count
    retention_days: Count
