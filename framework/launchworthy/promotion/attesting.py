"""How does a report become a record? In a second job, which runs no code of the project and believes nothing.

1. the report is read as a stranger's and decided anew (`report_file`)
2. every digest that can be computed without building is computed from the tree, and equals the report's
3. the report is approved as the trust policy asks, and so is every waiver in it (`approved`)
4. the identity that is to sign is one of the trust policy's promoters for this environment
5. the statement is signed with that identity's X.509-SVID, fetched now and forgotten, and the signature is
   stamped by a time-stamp authority of the trust policy, where it names any; or, where a workflow is the
   promoter, with a one-off key by way of Sigstore (`promoter`)
6. the record is verified as a build would verify it, and only then written; beside it the bill of materials
   that it names, and a summary in a form that other tools read (`attestation.summary`)

The wheel is not built here, because that would run the project's code. The one that was rehearsed lies beside
the report; its digest is computed anew, and every file in it is one of this tree, byte for byte.
"""

import hashlib
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from launchworthy._version import __version__
from launchworthy.attestation import (
    BUILD_LIMIT,
    RUN_LIMIT,
    Counts,
    Facts,
    Predicate,
    Purpose,
    Subject,
    TrustPolicy,
    UnverifiedRecord,
    new_statement,
    render_instant,
    render_statement,
    verify_record,
)
from launchworthy.attestation.content import wheel_content_digest
from launchworthy.attestation.project_files import UV_LOCK
from launchworthy.attestation.records import RECORD_DIRECTORY, record_name
from launchworthy.attestation.summary import render_summary, summary_name
from launchworthy.attestation.tree import read_git_facts
from launchworthy.attestation.trust_file import read_trust_policy
from launchworthy.attestation.wheel_of_tree import require_wheel_of
from launchworthy.promotion.approvals.book import FOLDER
from launchworthy.promotion.approved import Grounds, approved
from launchworthy.promotion.finding import Status
from launchworthy.promotion.place import find_place
from launchworthy.promotion.promoter import sealing_of, the_promoter
from launchworthy.promotion.promoting import write_whole
from launchworthy.promotion.report_file import ReportFile, read_report, report_content, require_cleared
from launchworthy.promotion.result import report_digest
from launchworthy.promotion.sbom import NAME as SBOM_NAME
from launchworthy.promotion.sbom import render_sbom
from launchworthy.promotion.tree_digests import digests_of_tree
from launchworthy.vocabulary import Problem, ProblemError

_SHOWN = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Attested:
    """A record that was written.

    Attributes:
        path: relative to the project.
        signer: who signed.
        predicate: what it says.
        digests: of what.
        approved_by: who approved the report, or why nobody had to.
        stamped_at: when a time-stamp authority saw the signature, or from when Sigstore's log may have; None
            where none is asked.
    """

    path: str
    signer: str
    approved_by: str
    stamped_at: int | None
    predicate: Predicate
    digests: Mapping[Subject, str]

    def _clock(self) -> str:
        return "its own clock" if self.stamped_at is None else f"stamped at {render_instant(self.stamped_at)}"

    def _before(self) -> str:
        before = self.predicate.previous
        kept = f"keep this one as {FOLDER}/{record_name(self.predicate.environment)}, for the next"
        return f"{'no record before it' if before is None else before.record_id}; {kept}"

    def lines(self) -> tuple[str, ...]:
        """What a person reads."""
        signed = render_instant(self.predicate.signed_at).replace("T", " ").replace("Z", " UTC")
        commit, wheel = self.digests[Subject.COMMIT], self.digests[Subject.WHEEL]
        settings, lock = self.digests[Subject.SETTINGS], self.digests[Subject.UV_LOCK]
        locked = f"uv.lock {lock[:_SHOWN]} · settings {settings[:_SHOWN]}"
        last_build = render_instant(self.predicate.build_until)[:10]
        last_start = render_instant(self.predicate.run_until)[:10]
        return (
            f" signed    {self.path}",
            f" by        {self.signer}, {signed} ({self._clock()})",
            f" approved  {self.approved_by}",
            f" for       commit {commit[:7]} · wheel {wheel[:_SHOWN]} without its record · {locked}",
            f" after     {self._before()}",
            f" for       {self.predicate.environment} only; build until {last_build}, run until {last_start}",
        )


def attest_report(  # noqa: PLR0913 - what a signature depends on
    start: Path,
    report_path: Path,
    *,
    wheel: Path | None,
    endpoint: str | None,
    identity: str | None,
    trust_file: Path,
    environ: Mapping[str, str],
    clock: Callable[[], float],
) -> Attested:
    """Check a report against the tree, sign it, and write the record.

    Args:
        start: the project, or a folder in it.
        report_path: of `promote`.
        wheel: that was rehearsed; None takes the one beside the report.
        endpoint: of the Workload API: `unix:///…`.
        identity: who signs; may be left out where the trust policy lists one promoter.
        trust_file: the platform's.
        environ: for git.
        clock: seconds since the epoch.

    Raises:
        ProblemError: it must not be signed, or cannot be.
    """
    root = find_place(start).root
    content = report_content(report_path)
    report = read_report(content, where=str(report_path))
    require_cleared(report, where=str(report_path))
    wheel = rehearsed_wheel(root, report_path, wheel)
    digests = _same_digests(root, report, wheel, environ, where=str(report_path))
    trust = read_trust_policy(trust_file, environment=report.environment, outside=root)
    now = int(clock())
    grounds = approved(root, report, content, report_path.parent, trust=trust, environ=environ, now=now)
    promoter = the_promoter(trust, report.environment, identity)
    sealing = sealing_of(promoter, trust, report.environment, endpoint=endpoint, clock=clock)
    now = int(clock())
    build_until = min((now + BUILD_LIMIT, *grounds.ends))
    sbom = render_sbom((root / UV_LOCK).read_bytes(), wheel_digest=digests[Subject.WHEEL])
    predicate = _predicate(report, content, trust, grounds, sbom=sbom, now=now, build_until=build_until)
    envelope = sealing(render_statement(new_statement(digests, predicate)))
    summary = render_summary(digests, predicate)
    name = record_name(report.environment)
    facts = Facts(environment=report.environment, digests=digests)
    verified = verify_record(
        UnverifiedRecord(where=name, envelope=envelope),
        trust=trust,
        facts=facts,
        purpose=Purpose.BUILT,
        now=int(clock()),
    )
    _write(
        root / RECORD_DIRECTORY,
        {SBOM_NAME: sbom, summary_name(report.environment): sealing(summary), name: envelope},
    )
    return Attested(
        path=f"{RECORD_DIRECTORY}/{name}",
        signer=verified.signed_by,
        approved_by=grounds.approved_by,
        stamped_at=verified.stamped_at,
        predicate=predicate,
        digests=digests,
    )


def _write(folder: Path, contents: Mapping[str, bytes]) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, content in contents.items():
            write_whole(folder / name, content)
    except OSError as error:
        problem = Problem(
            reason="record-not-written",
            where=str(folder),
            what=f"the record cannot be written there ({error.strerror})",
            fix=("let this process write there: attest works in a checkout of its own",),
        )
        raise ProblemError(problem) from None


def rehearsed_wheel(root: Path, report_path: Path, said: Path | None) -> Path:
    """The wheel that was rehearsed: the one that was named, or the one beside the report, or in its folder.

    Raises:
        ProblemError: `no-wheel`: there is none, or several.
    """
    if said is not None:
        return said
    for folder in (report_path.parent, root / RECORD_DIRECTORY):
        found = sorted(folder.glob("*.whl"))
        if len(found) == 1:
            return found[0]
    what = "the wheel that was rehearsed is not beside the report, and its digest cannot be computed"
    fix = ("take all of dist/promotion from the job that promoted, or name it: --wheel",)
    raise ProblemError(Problem(reason="no-wheel", where=str(report_path), what=what, fix=fix))


def _same_digests(
    root: Path, report: ReportFile, wheel: Path, environ: Mapping[str, str], *, where: str
) -> dict[Subject, str]:
    """The digests of tree and wheel, which are the report's; the wheel holds the tree and nothing else."""
    here = digests_of_tree(root, report.environment, environ)
    require_wheel_of(root, wheel, read_git_facts(root, environ=environ))
    here[Subject.WHEEL] = wheel_content_digest(wheel)
    different = [
        subject.value for subject, digest in here.items() if report.facts.get(subject.value) != digest
    ]
    if different or report.dirty:
        named = ", ".join(f"`{name}`" for name in different) or "one with changes"
        what = f"was made of another tree: {named}"
        fix = ("launchworthy promote, on the commit that is to be built",)
        raise ProblemError(Problem(reason="report-of-another-tree", where=where, what=what, fix=fix))
    return here


def _predicate(  # noqa: PLR0913 - what a predicate says
    report: ReportFile,
    content: bytes,
    trust: TrustPolicy,
    grounds: Grounds,
    *,
    sbom: bytes,
    now: int,
    build_until: int,
) -> Predicate:
    return Predicate.model_validate(
        {
            "record_id": f"lwr1-{secrets.token_hex(16)}",
            "environment": report.environment,
            "report_sha256": report_digest(content),
            "sbom_sha256": hashlib.sha256(sbom).hexdigest(),
            "counts": Counts(
                passed=report.count(Status.PASS),
                waived=len(grounds.waivers),
                not_applicable=report.count(Status.NOT_APPLICABLE),
                requests=report.requests,
            ),
            "waivers": grounds.waivers,
            "catalogue": report.catalogue,
            "framework": __version__,
            "trust_policy_sha256": trust.sha256,
            "signed_at": now,
            "build_until": build_until,
            "run_until": now + RUN_LIMIT,
            "approval": grounds.approval,
            **grounds.carried,
        }
    )
