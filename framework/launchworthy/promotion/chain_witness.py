"""Is the record that is kept the last one? The project's history is asked for every other that it ever held.

An older record is as genuine as the last one. Put back in its place, it would take back what was carried on
since: renewals of waivers, secrets that were found. So whatever branch or tag still leads to a genuine record
of the same environment, the kept one is not older, and what any of them carries on is carried on.

What no reference leads to any more is not seen, nor what lay in another folder before the project moved:
branch protection, and `previous = "required"`, are the platform's.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from launchworthy.attestation import (
    Facts,
    Predicate,
    Purpose,
    Renewal,
    TrustPolicy,
    UnverifiedRecord,
    render_instant,
    verify_record,
)
from launchworthy.attestation.envelope import ENVELOPE_LIMIT
from launchworthy.attestation.git import Git
from launchworthy.attestation.records import record_name
from launchworthy.promotion.approvals.book import FOLDER
from launchworthy.promotion.chain import Link, verified_link
from launchworthy.promotion.scanning.history import LIST_SECONDS, require_whole
from launchworthy.vocabulary import Environment, Problem, ProblemError

_SHOWN: Final = 7


@dataclass(frozen=True, slots=True, kw_only=True)
class _Witnessed:
    """A genuine record of the history, and the object that holds it."""

    blob: str
    predicate: Predicate


def witnessed_link(
    root: Path, environment: Environment, trust: TrustPolicy, *, environ: Mapping[str, str], now: int
) -> Link:
    """The end of the chain so far, and what every record of the history carries on.

    Args:
        root: of the project.
        environment: whose records.
        trust: the platform's: what it does not believe says nothing, whoever committed it.
        environ: for git.
        now: seconds since the epoch.

    Raises:
        ProblemError: as `verified_link`; `record-rolled-back`: the history holds a later one;
            `history-not-whole`.
    """
    link = verified_link(root, environment, trust, now=now)
    path = f"{FOLDER}/{record_name(environment)}"
    found = tuple(_genuine(root, path, environment, trust, environ=environ, now=now))
    if not found:
        return link
    last = max(found, key=lambda each: each.predicate.signed_at)
    if link.reference is None or link.signed_at < last.predicate.signed_at:
        kept = "is not there" if link.reference is None else f"is {link.reference.record_id}"
        signed = render_instant(last.predicate.signed_at)
        what = f"{kept}, and this history holds {last.predicate.record_id}, which was signed at {signed}"
        fix = (f"git show {last.blob[:_SHOWN]} > {path}", "and commit it: the next record names the last one")
        raise ProblemError(Problem(reason="record-rolled-back", where=path, what=what, fix=fix))
    return _joined(link, found)


def _joined(link: Link, found: tuple[_Witnessed, ...]) -> Link:
    """With the most that any record says of a control, and every secret that any of them names."""
    renewals = dict(link.renewals)
    secrets = set(link.secrets)
    for each in found:
        secrets.update(each.predicate.secrets)
        for said in each.predicate.renewals:
            renewals[said.control] = _later(renewals.get(said.control), said)
    return replace(link, renewals=renewals, secrets=frozenset(secrets))


def _later(one: Renewal | None, other: Renewal) -> Renewal:
    if one is None:
        return other
    return Renewal(control=one.control, count=max(one.count, other.count), until=max(one.until, other.until))


def _genuine(
    root: Path,
    path: str,
    environment: Environment,
    trust: TrustPolicy,
    *,
    environ: Mapping[str, str],
    now: int,
) -> Iterator[_Witnessed]:
    nothing = Facts(environment=environment, digests={})
    for blob, content in _versions(root, path, environ):
        record = UnverifiedRecord(where=f"{path} ({blob[:_SHOWN]})", envelope=content)
        try:
            verified = verify_record(record, trust=trust, facts=nothing, purpose=Purpose.LINK, now=now)
        except ProblemError:  # anybody can commit one that is not genuine; it must stop nobody
            continue
        yield _Witnessed(blob=blob, predicate=verified.predicate)


def _versions(root: Path, path: str, environ: Mapping[str, str]) -> Iterator[tuple[str, bytes]]:
    """What a file ever held, in whatever a branch or a tag leads to; no more of it than a record can have.

    Each commit that changed the file is asked for it. A listing of objects would not do: it names each of
    them once, so that a tag on a content, or a commit where it has another name, hides it.

    Raises:
        ProblemError: `history-not-whole`, `git-not-usable`.
    """
    git = Git(root, environ)
    require_whole(git)
    inside = f":(top,literal){(root.resolve() / path).relative_to(git.top).as_posix()}"
    seen = set[str]()
    asked = ("rev-list", "--all", "--full-history", "--", inside)
    for commit in git.run(*asked, deadline=LIST_SECONDS).decode("ascii").split():
        for entry in git.run("ls-tree", "-z", "--full-tree", commit, "--", inside).split(b"\0"):
            about = entry.partition(b"\t")[0].decode("ascii").split()
            if not about or about[1] != "blob" or about[2] in seen:
                continue
            seen.add(about[2])
            if int(git.run("cat-file", "-s", about[2])) <= ENVELOPE_LIMIT:
                yield about[2], git.run("cat-file", "blob", about[2])
