"""Does a record count for what lies here? For a project's tree, a wheel file, or an installed package."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from launchworthy.attestation import (
    Facts,
    Purpose,
    Subject,
    UnverifiedRecord,
    VerifiedRecord,
    Workflow,
    render_instant,
    unverified_environment,
    verify_longest_lasting,
)
from launchworthy.attestation.content import find_dist_info, installed_content_digest, wheel_content_digest
from launchworthy.attestation.installation import carried_lock, require_locked_installation
from launchworthy.attestation.records import RECORD_DIRECTORY, installed_records, records_in, wheel_records
from launchworthy.attestation.trust_file import read_trust_policy
from launchworthy.promotion.place import find_place
from launchworthy.promotion.tree_digests import digests_of_tree
from launchworthy.vocabulary import Environment, Problem, ProblemError

_SHOWN = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class _Found:
    """What lies at a path.

    Attributes:
        records: what was found.
        searched: where.
        outside: where a trust policy must not lie.
        tree: the project, or None.
        wheel: the content digest of the wheel, or None.
        installed: the installed package, or None.
    """

    records: tuple[UnverifiedRecord, ...]
    searched: str
    outside: Path | None
    tree: Path | None
    wheel: str | None
    installed: Path | None = None


def verify_at(
    path: Path,
    *,
    trust_file: Path,
    environment: Environment | None,
    environ: Mapping[str, str],
    now: int,
) -> tuple[str, ...]:
    """Verify the records at a path; returns what a person reads.

    Args:
        path: a project or a folder in it, a wheel, or an installed package's folder.
        trust_file: the platform's.
        environment: where it should count; None takes what the one record that is there says.
        environ: for git.
        now: seconds since the epoch.

    Raises:
        ProblemError: none counts.
    """
    found = _find(path)
    where = environment or _environment(found)
    digests: dict[Subject, str] = {}
    if found.tree is not None:
        digests |= digests_of_tree(found.tree, where, environ)
    if found.wheel is not None:
        digests[Subject.WHEEL] = found.wheel
    if found.installed is not None:
        require_locked_installation(found.installed.parent, carried_lock(found.installed), ())
    verified = verify_longest_lasting(
        found.records,
        trust=read_trust_policy(trust_file, environment=where, outside=found.outside),
        facts=Facts(environment=where, digests=digests),
        purpose=Purpose.BUILD if found.tree is not None else Purpose.INSPECT,
        now=now,
        searched=found.searched,
    )
    return _lines(verified, compared=len(digests), now=now)


def _find(path: Path) -> _Found:
    if path.suffix == ".whl":
        return _Found(
            records=wheel_records(path),
            searched=path.name,
            outside=None,
            tree=None,
            wheel=wheel_content_digest(path),
        )
    if (path / "__init__.py").is_file() and (path / "_launchworthy").is_dir():
        dist_info = find_dist_info(path.resolve())
        return _Found(
            records=installed_records(dist_info),
            searched=dist_info.name,
            outside=path.resolve(),
            tree=None,
            wheel=installed_content_digest(dist_info),
            installed=path.resolve(),
        )
    root = find_place(path.resolve()).root
    return _Found(
        records=records_in(root / RECORD_DIRECTORY),
        searched=RECORD_DIRECTORY,
        outside=root,
        tree=root,
        wheel=None,
    )


def _environment(found: _Found) -> Environment:
    said = {unverified_environment(record) for record in found.records}
    if len(said) == 1:
        return said.pop()
    what = f"{found.searched} has {len(found.records)} records for {len(said)} environments"
    fix = ("launchworthy verify-record --environment …",) if said else ("launchworthy promote",)
    reason = "environment-not-said" if said else "no-record"
    raise ProblemError(Problem(reason=reason, what=what, fix=fix))


def _stamped(verified: VerifiedRecord) -> str:
    if verified.stamped_at is None:
        return "by nobody: the time is the signer's word"
    at = render_instant(verified.stamped_at)
    if isinstance(verified.signer, Workflow):
        return f"at {at} or within its certificate's life after that, by Sigstore's log"
    return f"at {at}, by an authority of the trust policy"


def _lines(verified: VerifiedRecord, *, compared: int, now: int) -> tuple[str, ...]:
    predicate = verified.predicate
    ended = " (over)" if now > predicate.run_until else ""
    counts, digests = predicate.counts, verified.digests
    passed = f"{counts.passed} controls passed, {counts.not_applicable} not applicable"
    commit, wheel = digests[Subject.COMMIT][:7], digests[Subject.WHEEL][:_SHOWN]
    before = predicate.previous
    last_build, last_start = render_instant(predicate.build_until), render_instant(predicate.run_until)
    return (
        f" genuine   {verified.where}",
        f" id        {predicate.record_id}",
        f" by        {verified.signed_by}, {render_instant(predicate.signed_at)}",
        f" stamped   {_stamped(verified)}",
        f" for       {predicate.environment} only, commit {commit}, wheel {wheel}",
        f" compared  {compared} digests with what lies here",
        f" after     {'no record before it' if before is None else before.record_id}",
        f" contains  bill of materials {(predicate.sbom_sha256 or 'not named')[:_SHOWN]}",
        f" counts    {passed}, {counts.requests} requests",
        f" until     {last_build} for builds, {last_start} for starts{ended}",
    )
