"""Are these files what was written? Every file alone, then what they and outside anchors say of each other.

A file alone shows whether its key has signed it. Whether that key was the workload's is shown by a key that
the verifier has pinned, or by the binding to an identity whose roots the verifier brings. What a file alone
cannot show, that nothing was cut off at its end and no file was taken away, is shown by the stream that
followed it, and by checkpoints that were kept elsewhere.

Tamper-*evident*, up to the last checkpoint that somebody else has: records that no checkpoint covers can be
changed by who can write the file, and a process that was taken over can lie from then on.
"""

from collections.abc import Callable, Iterable
from pathlib import Path

from launchworthy.audit.checkpoint import CheckpointError, VerifierKey
from launchworthy.audit.comparison import (
    compare_with_anchors,
    find_holes,
    follow_links,
    sort_anchors,
    tell_twins_apart,
    unknown_outcomes,
    wanted_sizes,
)
from launchworthy.audit.evidence import Evidence, believe, conclude, read_head, replay_file
from launchworthy.audit.reading import audit_files
from launchworthy.audit.trust import TrustedRoots
from launchworthy.audit.verdict import Damage, State, StreamVerdict, Trust, UnknownOutcome, Verification
from launchworthy.vocabulary import Problem, ProblemError

__all__ = [
    "MAX_GAP",
    "Damage",
    "State",
    "StreamVerdict",
    "Trust",
    "UnknownOutcome",
    "Verification",
    "verify_paths",
]

MAX_GAP = 1000
"""Records between checkpoints that are accepted: what the writer keeps to."""


def verify_paths(  # noqa: PLR0913 - all that a verifier may bring
    paths: Iterable[Path],
    *,
    require_sealed: bool,
    pinned_keys: Iterable[str] = (),
    trust_directory: Path | None = None,
    anchors: Iterable[str] = (),
    max_gap: int = MAX_GAP,
    sources: frozenset[str] | None = None,
    progress: Callable[[int], None] | None = None,
) -> Verification:
    """Verify audit files, and directories of them.

    Args:
        paths: files or directories; a directory stands for every `*.jsonl` in it.
        require_sealed: whether a file that was not closed is a no.
        pinned_keys: verifier keys (`urn:launchworthy:stream:…+…+…`) that are known to be ours.
        trust_directory: archived bundles, see `TrustedRoots.load`.
        anchors: signed checkpoints that were kept elsewhere, see `read_anchors`.
        max_gap: records between checkpoints at most.
        progress: is told now and then how many bytes were read since.
        sources: identities that may stand behind a stream; None takes whatever the roots vouch for.

    Raises:
        ProblemError: a path, a pinned key or the trust directory cannot be used.
    """
    roots = TrustedRoots.load(trust_directory) if trust_directory is not None else TrustedRoots.none()
    pinned = frozenset(_pinned(key) for key in pinned_keys)
    files = [file for path in paths for file in _files(path)]
    kept = sort_anchors(anchors, {file.stream: file.key for file in files if file.key is not None})
    wanted = wanted_sizes(files, kept)
    for file in files:
        replay_file(file, max_gap=max_gap, wanted=frozenset(wanted.get(file.stream, ())), progress=progress)
        believe(file, pinned=pinned, roots=roots, sources=sources)
    tell_twins_apart(files)
    for file in files:
        compare_with_anchors(file, kept.genuine.get(file.stream, ()))
    follow_links(files)
    holes, missing = find_holes(files)
    doubts = tuple(f"an anchor speaks of stream {stream}, which is not here" for stream in kept.elsewhere)
    return Verification(
        streams=tuple(conclude(file) for file in files),
        unknown_outcomes=unknown_outcomes(files),
        holes=holes,
        missing=tuple(sorted({*missing, *kept.elsewhere})),
        doubts=doubts if files else (*doubts, "there are no audit files"),
        require_sealed=require_sealed,
    )


def _pinned(text: str) -> VerifierKey:
    try:
        return VerifierKey.parse(text)
    except CheckpointError as error:
        problem = Problem(
            reason="bad-pinned-key",
            what=f"a pinned key cannot be read: {error}",
            fix=("give the `key` of a `stream.open` record, as it stands there",),
        )
        raise ProblemError(problem) from None


def _files(path: Path) -> list[Evidence]:
    """The files of a path, each with what its first line claims."""
    directory = path if path.is_dir() else None
    try:
        return [read_head(file, directory) for file in audit_files(path)]
    except OSError as error:
        problem = Problem(
            reason="audit-file-unreadable",
            where=str(path),
            what=f"cannot be read: {error.strerror}",
            fix=("name audit files, or directories of them",),
        )
        raise ProblemError(problem) from None
