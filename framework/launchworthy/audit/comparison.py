"""What do the files say of each other, and what do anchors say of them?

* an anchor is a checkpoint that the stream's own key has signed and that was kept elsewhere: what it covers
  can no longer be changed, cut off or signed in another way
* the first record of a stream names the one before with its size and root, and so vouches for both; the last
  record of a stream that grew too big names the one after
* a stream that is missing between others was taken away; one beyond the first or the last may lie elsewhere
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from launchworthy.audit.checkpoint import (
    Checkpoint,
    CheckpointError,
    VerifierKey,
    open_checkpoint,
    unverified_origin,
)
from launchworthy.audit.evidence import Evidence
from launchworthy.audit.merkle import EMPTY_ROOT
from launchworthy.audit.stream_key import ORIGIN_PREFIX, root_text
from launchworthy.audit.verdict import Damage, Trust, UnknownOutcome


@dataclass(frozen=True, slots=True, kw_only=True)
class Anchors:
    """What was kept outside.

    Attributes:
        genuine: by stream, what its key has signed.
        elsewhere: streams that are spoken of and are not here.
    """

    genuine: Mapping[str, tuple[Checkpoint, ...]]
    elsewhere: tuple[str, ...]


def sort_anchors(notes: Iterable[str], keys: Mapping[str, VerifierKey]) -> Anchors:
    """Find the stream of each note, and see that its key has signed it.

    A note that its key has not signed says nothing, for or against the file, and is passed over.
    """
    genuine: dict[str, tuple[Checkpoint, ...]] = defaultdict(tuple)
    elsewhere: set[str] = set()
    for note in notes:
        origin = unverified_origin(note)
        stream = origin.removeprefix(ORIGIN_PREFIX)
        key = keys.get(stream)
        if key is None:
            elsewhere.add(stream)
            continue
        try:
            genuine[stream] += (open_checkpoint(note, key),)
        except CheckpointError:
            continue
    return Anchors(genuine=genuine, elsewhere=tuple(sorted(elsewhere)))


def wanted_sizes(files: Iterable[Evidence], anchors: Anchors) -> Mapping[str, set[int]]:
    """The sizes of each stream for which somebody else names a root."""
    wanted: dict[str, set[int]] = defaultdict(set)
    for file in files:
        if file.previous is not None:
            wanted[file.previous.stream].add(file.previous.size)
    for stream, checkpoints in anchors.genuine.items():
        wanted[stream].update(checkpoint.size for checkpoint in checkpoints)
    return wanted


def compare_with_anchors(file: Evidence, checkpoints: Iterable[Checkpoint]) -> None:
    """Find what an anchor says otherwise than the file."""
    for checkpoint in sorted(checkpoints, key=lambda one: one.size):
        if file.damage is not None:
            return
        damage = _difference(file, checkpoint.size, root_text(checkpoint.root), "an anchor")
        if damage is None:
            file.anchored_to = max(file.anchored_to, checkpoint.size)
        file.damage = damage


def tell_twins_apart(files: Sequence[Evidence]) -> None:
    """Two files of one stream: at most one of them is what was written."""
    seen: dict[str, Evidence] = {}
    for file in files:
        twin = seen.setdefault(file.stream, file)
        if file.stream and twin is not file and twin.path.resolve() != file.path.resolve():
            file.damage = file.damage or Damage(
                record=None, until=None, what=f"`{twin.path.name}` holds the same stream"
            )


def follow_links(files: Sequence[Evidence]) -> None:
    """Let streams vouch for those before them, or find that they were changed since.

    A stream that never served needs no identity: the word of a believed stream after it is enough.
    """
    present = {file.stream: file for file in reversed(files) if file.stream}
    changed = True
    while changed:
        changed = any(_vouch(file, present) for file in files if file.believed)
    for file in files:
        earlier = present.get(file.previous.stream) if file.previous is not None else None
        if not file.believed and earlier is not None and _contradicts(file, earlier):
            file.notes.append(f"it says otherwise of stream {earlier.stream[:8]} than that says itself")


def find_holes(files: Sequence[Evidence]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Streams that believed ones speak of and that are not here.

    Returns:
        What is missing between files of one directory, in a sentence each; and the ids of all that is
        missing.
    """
    present = {file.stream for file in files}
    present |= {stream for file in files if file.believed for stream in file.facts.deleted}
    holes: list[str] = []
    missing: list[str] = []
    for file in files:
        if not file.believed:
            continue
        neighbours = _opened_in(file.directory, files)
        link, successor = file.previous, file.facts.successor
        if link is not None and link.stream not in present:
            missing.append(link.stream)
            if any(opened < link.opened for opened in neighbours):
                holes.append(f"stream {link.stream} is missing; stream {file.stream} followed it")
        if successor is not None and successor not in present:
            missing.append(successor)
            if any(opened > file.opened for opened in neighbours):
                holes.append(f"stream {successor} is missing; it followed stream {file.stream}")
    return tuple(holes), tuple(missing)


def unknown_outcomes(files: Iterable[Evidence]) -> tuple[UnknownOutcome, ...]:
    """Attempts whose outcome is in none of the files; a rotation may lie between the two."""
    every = tuple(files)
    ended = {call for file in every for call in file.facts.outcomes}
    return tuple(
        UnknownOutcome(call=call, target=target, stream=file.stream, seq=seq, time=time)
        for file in every
        for call, (seq, time, target) in file.facts.attempts.items()
        if call not in ended
    )


def _opened_in(directory: Path | None, files: Iterable[Evidence]) -> tuple[str, ...]:
    """When the files of a directory were made; none where single files were named."""
    if directory is None:
        return ()
    return tuple(file.opened for file in files if file.directory == directory and file.opened)


def _vouch(file: Evidence, present: Mapping[str, Evidence]) -> bool:
    """Hold an earlier file against what a believed one says of it; whether that changed anything."""
    link = file.previous
    earlier = present.get(link.stream) if link is not None else None
    if link is None or earlier is None or earlier is file or earlier.damage is not None:
        return False
    earlier.damage = _difference(earlier, link.size, link.root, f"stream {file.stream[:8]}, which followed,")
    if earlier.damage is not None:
        return True
    changed = earlier.anchored_to < link.size
    earlier.anchored_to = max(earlier.anchored_to, link.size)
    if earlier.trust is None and earlier.facts.bound is None:  # unbound, and undamaged: it never served
        earlier.trust = Trust.LINKED
        changed = True
    return changed


def _contradicts(file: Evidence, earlier: Evidence) -> bool:
    link = file.previous
    return link is not None and _difference(earlier, link.size, link.root, "it") is not None


def _difference(file: Evidence, size: int, root: str, who: str) -> Damage | None:
    """What is wrong with a file if somebody saw it with this size and root."""
    facts = file.facts
    if facts.size < size:
        what = f"cut off here: {who} has seen {size} records"
        return Damage(record=facts.size, until=size - 1, what=what)
    seen = facts.roots.get(size) if size else root_text(EMPTY_ROOT)
    if seen == root:
        return None
    since = facts.covered if facts.covered < size else 0
    return Damage(record=since, until=size - 1, what=f"not what {who} has seen")
