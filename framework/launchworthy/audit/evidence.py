"""What does one file show by itself? Its replay, the first damage, and whether its key is believed."""

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path

from launchworthy.audit.binding import BindingUntrusted, trust_domain_of, verify_binding
from launchworthy.audit.checkpoint import VerifierKey
from launchworthy.audit.moment import parse_rfc3339
from launchworthy.audit.previous import FILE_NAME
from launchworthy.audit.reading import LineError, parse_envelope, whole_lines
from launchworthy.audit.replay import BrokenChainError, Facts, Link, Replay, TamperedError
from launchworthy.audit.trust import TrustedRoots
from launchworthy.audit.verdict import Damage, State, StreamVerdict, Trust

_PROGRESS_BYTES = 8 * 1024 * 1024


@dataclass(slots=True, kw_only=True)
class Evidence:
    """A file, and what is known of it so far.

    Attributes:
        path: of the file.
        directory: of which it is a part, where a directory was named.
        stream: the id that its first line claims; empty where there is none.
        key: the key that the id belongs to.
        previous: what its first line says of the stream before.
        facts: of the replay.
        damage: the first record that is wrong.
        torn: bytes after the last whole line.
        trust: why its key is believed.
        doubt: why not.
        anchored_to: records that somebody else vouches for.
    """

    path: Path
    directory: Path | None
    stream: str
    key: VerifierKey | None
    previous: Link | None
    facts: Facts = field(default_factory=Facts)
    damage: Damage | None = None
    torn: int = 0
    trust: Trust | None = None
    doubt: str = ""
    anchored_to: int = 0
    notes: list[str] = field(default_factory=list)

    @property
    def opened(self) -> str:
        """When it was made, as its name says; empty for a file of another name."""
        name = FILE_NAME.fullmatch(self.path.name)
        return name["opened"] if name is not None else ""

    @property
    def believed(self) -> bool:
        """Whether what it says of other files counts."""
        return self.damage is None and self.trust is not None


def read_head(path: Path, directory: Path | None) -> Evidence:
    """What the first line claims; whether it is so, the replay finds out.

    Raises:
        OSError: the file cannot be read.
    """
    with path.open("rb") as file:
        line, whole = next(whole_lines(file), (b"", False))
    replay = Replay(max_gap=1, wanted=frozenset())
    try:
        if whole:
            replay.feed(line)
    except TamperedError:
        replay.facts = Facts()
    facts = replay.facts
    return Evidence(
        path=path, directory=directory, stream=facts.stream, key=facts.key, previous=facts.previous
    )


def replay_file(
    evidence: Evidence,
    *,
    max_gap: int,
    wanted: frozenset[int],
    progress: Callable[[int], None] | None = None,
) -> None:
    """Read a file from its first line to the first that is wrong.

    Args:
        evidence: is told what was found.
        max_gap: records between checkpoints at most.
        wanted: sizes for which somebody else names a root.
        progress: is told now and then how many bytes were read since.

    Raises:
        OSError: the file cannot be read.
    """
    replay = Replay(max_gap=max_gap, wanted=wanted)
    evidence.facts = replay.facts
    with evidence.path.open("rb") as file:
        try:
            taken = _feed(replay, _counted(whole_lines(file), progress))
            evidence.torn = os.fstat(file.fileno()).st_size - taken
            replay.finish(evidence.torn)
        except TamperedError as error:
            evidence.damage = error.damage
            return
    named = FILE_NAME.fullmatch(evidence.path.name)
    if named is not None and evidence.facts.size and named["stream"] != evidence.facts.stream:
        evidence.damage = Damage(record=None, until=None, what="the file bears the name of another stream")


def believe(
    evidence: Evidence, *, pinned: frozenset[VerifierKey], roots: TrustedRoots, sources: frozenset[str] | None
) -> None:
    """Find out whether the key of a stream is the workload's, by what the verifier brought."""
    facts = evidence.facts
    if facts.key in pinned:
        evidence.trust = Trust.PINNED
        return
    if facts.bound is None:
        evidence.doubt = "it was never bound to an identity, and its key is not pinned"
        return
    if sources is not None and facts.bound.source not in sources:
        evidence.doubt = f"it is bound to `{facts.bound.source}`, which was not asked for"
        return
    try:
        verify_binding(
            facts.bound.proof,
            facts.bound.payload,
            source=facts.bound.source,
            at=parse_rfc3339(facts.bound.time),
            roots=roots.of(trust_domain_of(facts.bound.source)),
        )
    except BindingUntrusted as error:
        evidence.doubt = f"its binding cannot be verified: {error}"
        return
    evidence.trust = Trust.BOUND


def conclude(evidence: Evidence) -> StreamVerdict:
    """What can be said, once everything was compared."""
    facts, damage = evidence.facts, evidence.damage
    if damage is not None:
        state = State.TAMPERED
    elif facts.size == 0 or evidence.trust is None:
        state = State.UNDECIDED
    else:
        state = State.INTACT_SEALED if facts.sealed else State.INTACT_OPEN
    never_ready = () if facts.served or facts.size == 0 else ("it never became ready",)
    return StreamVerdict(
        name=str(evidence.path),
        stream=evidence.stream,
        state=state,
        source=facts.bound.source if facts.bound is not None else None,
        trust=evidence.trust,
        records=facts.size,
        checkpoints=facts.checkpoints,
        sealed_to=facts.covered,
        sealed_at=facts.sealed_at,
        anchored_to=evidence.anchored_to,
        torn=evidence.torn,
        first=facts.first,
        last=facts.last,
        served=facts.served,
        damage=damage,
        doubt=None if state is not State.UNDECIDED else _doubt(evidence),
        notes=(*never_ready, *evidence.notes),
    )


def _doubt(evidence: Evidence) -> str:
    return evidence.doubt if evidence.facts.size else "it holds no whole record"


def _counted(
    lines: Iterator[tuple[bytes, bool]], progress: Callable[[int], None] | None
) -> Iterator[tuple[bytes, bool]]:
    """The same lines; somebody is told how far it is."""
    if progress is None:
        yield from lines
        return
    since = 0
    for line, whole in lines:
        yield line, whole
        since += len(line) + 1
        if since >= _PROGRESS_BYTES:
            progress(since)
            since = 0
    progress(since)


def _feed(replay: Replay, lines: Iterator[tuple[bytes, bool]]) -> int:
    """Feed every whole line, and say how many bytes they were.

    Raises:
        TamperedError: one of them is wrong.
    """
    taken = 0
    for line, whole in lines:
        if not whole:
            break
        try:
            replay.feed(line)
        except BrokenChainError as error:
            following, _ = next(lines, (b"", False))
            raise _blame(error, line, following) from None
        taken += len(line) + 1
    return taken


def _blame(error: BrokenChainError, line: bytes, following: bytes) -> TamperedError:
    """Which of two records was changed, when the second does not fit the first.

    The third tells: if the second still fits it, the first was changed.
    """
    second = error.damage.record or 0
    try:
        fits = parse_envelope(following)["prev"] == sha256(line).hexdigest()
    except LineError:
        fits = following == b""
    return TamperedError(error.damage.what, second - 1 if fits and second > 0 else second)
