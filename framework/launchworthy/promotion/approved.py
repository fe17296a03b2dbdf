"""May this report be signed, as far as people are concerned? Its approval, and those of all it rests on.

Who made the report may have believed other approvers than the platform's: waivers, rotations, evidence and
exceptions are all looked at again, by the trust policy that counts.

Whoever approves has not written it: somebody whose mail address stands in the commit as author or committer
is refused. Names in git prove nothing, so they only ever add to a refusal.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from launchworthy.approval.proved.proof import Approval
from launchworthy.attestation import ApprovalReference, Approvers, ReleasedJob, TrustPolicy, Waiver
from launchworthy.attestation.git import Git
from launchworthy.promotion.approvals.asking import report_matter
from launchworthy.promotion.approvals.book import BY_RELEASE, FOLDER, Book
from launchworthy.promotion.approvals.exceptions import issuer_exceptions
from launchworthy.promotion.approvals.locked import LOCK, require_lock_approved
from launchworthy.promotion.chain import (
    Link,
    answers_to,
    carried_on,
    require_remembered,
    require_renewable,
)
from launchworthy.promotion.chain_witness import witnessed_link
from launchworthy.promotion.finding import Status
from launchworthy.promotion.place import find_place
from launchworthy.promotion.report_file import ReportFile
from launchworthy.promotion.trusted import Entry, Trusted, WaiverTable, end_of, read_trusted
from launchworthy.promotion.waiving import mistake
from launchworthy.settings import inspect_settings, read_project
from launchworthy.vocabulary import Environment, Problem, ProblemError

_NOBODY_ASKED: Final = "by nobody: the trust policy asks for none here"


@dataclass(frozen=True, slots=True, kw_only=True)
class Grounds:
    """What people answered for.

    Attributes:
        approval: of the report; None where nobody signs in.
        approved_by: the same for people to read.
        waivers: one a waived control.
        carried: what the next record carries on of the chain (`chain.carried_on`).
        ends: instants at which something that the report rests on ends.
    """

    approval: ApprovalReference | None
    approved_by: str
    waivers: tuple[Waiver, ...]
    carried: Mapping[str, object]
    ends: tuple[int, ...]


def approved(  # noqa: PLR0913 - what an approval depends on
    root: Path,
    report: ReportFile,
    content: bytes,
    folder: Path,
    *,
    trust: TrustPolicy,
    environ: Mapping[str, str],
    now: int,
) -> Grounds:
    """Look for every approval that this report needs.

    Args:
        root: of the project.
        report: what is to be signed, cleared.
        content: its bytes.
        folder: where it lies, and its approval beside it.
        trust: the platform's.
        environ: for git.
        now: seconds since the epoch.

    Raises:
        ProblemError: `not-approved`, `approval-not-genuine`, `approver-wrote-it` or
            `approver-keys-unavailable`; as `witnessed_link`.
    """
    approvers = trust.of(report.environment).approvers
    book = Book(
        break_glass=None,
        root=root,
        folders=(folder, root / FOLDER),
        approvers=approvers,
        why_nobody=f"{trust.where} names no approvers",
        simulated=report.environment.simulated,
        now=now,
    )
    trusted = read_trusted(root)
    link = witnessed_link(root, report.environment, trust, environ=environ, now=now)
    require_remembered(trusted, link)
    require_lock_approved(book, (root / LOCK).read_bytes())
    waived = tuple(_waived(report, trusted))
    waivers = tuple(_answered_for(entry, book, link) for entry in waived)
    carried = carried_on(trusted, waived, link)
    over = (
        *(waiver.until for waiver in waivers),
        *_ledger(trusted, book),
        *_exceptions(root, report.environment, book),
    )
    ends = tuple(end for end in over if end > now)
    match approvers:
        case None:
            return Grounds(
                approval=None, approved_by=_NOBODY_ASKED, waivers=waivers, carried=carried, ends=ends
            )
        case ReleasedJob():
            return Grounds(
                approval=None, approved_by=f"by {BY_RELEASE}", waivers=waivers, carried=carried, ends=ends
            )
        case Approvers():
            approval = book.require(report_matter(content, folder / "report.json", report.environment))
            _refuse_author(approval, root, environ)
            return Grounds(
                approval=_reference(approval),
                approved_by=f"by {approval.name} ({approval.issuer})",
                waivers=waivers,
                carried=carried,
                ends=ends,
            )


def _ledger(trusted: Trusted, book: Book) -> Iterator[int]:
    """When each piece of evidence is over.

    Raises:
        ProblemError: one is over since the report was made, or an entry is not approved.
    """
    for matter in trusted.matters:
        book.require(matter)
    for piece in trusted.evidence:
        end = end_of(piece.table.expires)
        if book.now >= end:
            what = f"the evidence {piece.table.file} ended on {piece.table.expires}"
            raise ProblemError(_not_trusted(piece.where, what))
        yield end


def _exceptions(root: Path, environment: Environment, book: Book) -> Iterator[int]:
    """When each exception of an issuer is over: what is built later would be refused at its start.

    Raises:
        ProblemError: one is over since the report was made, or production's is not approved.
    """
    meant = _meant(environment)
    settings = inspect_settings(read_project(root, find_place(root).package), meant)
    for each in issuer_exceptions(settings):
        if (wrong := each.terms.mistake(book.now)) is not None:
            what = f"the exception `{each.terms.rule}` of `{each.issuer}` {wrong}"
            fix = ("take it out, or let its owner renew it; then promote again",)
            field = f"{each.field}.until"
            raise ProblemError(Problem(reason="exception-over", what=what, fix=fix, field=field))
        if meant is Environment.PRODUCTION:
            book.require(each.matter)
        yield each.terms.ends_at


def _meant(environment: Environment) -> Environment:
    """Whose settings and waivers count."""
    return Environment.PRODUCTION if environment is Environment.REHEARSAL else environment


def _waived(report: ReportFile, trusted: Trusted) -> Iterator[Entry[WaiverTable]]:
    for finding in report.findings:
        if finding.status is Status.WAIVED:
            yield _waiver_of(finding.control, _meant(report.environment), trusted)


def _answered_for(entry: Entry[WaiverTable], book: Book, link: Link) -> Waiver:
    """A waiver that is approved, in its dates, and not renewed for ever.

    Raises:
        ProblemError: it is not.
    """
    require_renewable(entry, link)
    for approval in answers_to(entry, book, link):
        if (wrong := mistake(entry, approval, book.now)) is not None:
            raise ProblemError(_not_trusted(entry.where, wrong))
    return Waiver(control=entry.table.control, owner=entry.table.owner, until=end_of(entry.table.expires))


def _waiver_of(control: str, environment: Environment, trusted: Trusted) -> Entry[WaiverTable]:
    for entry in trusted.waivers:
        if (entry.table.control, entry.table.environment) == (control, environment.value):
            return entry
    raise ProblemError(_not_trusted("promotion.toml", f"has no waiver of {control} for {environment}"))


def _not_trusted(where: str, what: str) -> Problem:
    fix = ("launchworthy promote, and what it says",)
    return Problem(reason="not-approved", where=where, what=what, fix=fix)


def _reference(approval: Approval) -> ApprovalReference:
    return ApprovalReference(
        issuer=approval.issuer,
        subject=approval.subject,
        sha256=approval.sha256,
        approved_at=approval.approved_at,
    )


def _refuse_author(approval: Approval, root: Path, environ: Mapping[str, str]) -> None:
    """Refuse an approver who wrote or committed what is approved.

    Raises:
        ProblemError: `approver-wrote-it`.
    """
    if approval.name.casefold() in Git(root, environ).hands("HEAD"):
        what = f"{approval.name} approved what they have written or committed themselves"
        fix = ("let another approver approve the report: launchworthy approve",)
        raise ProblemError(Problem(reason="approver-wrote-it", what=what, fix=fix))
