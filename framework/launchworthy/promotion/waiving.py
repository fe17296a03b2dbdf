"""Which failures does somebody answer for meanwhile? Waivers, applied to findings, never to a rehearsal."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Final

from launchworthy.approval.proved.proof import Approval
from launchworthy.promotion.approvals.book import Book
from launchworthy.promotion.chain import Link, answers_to, require_renewable, unverified_link
from launchworthy.promotion.checks.assertions import broken
from launchworthy.promotion.control import Control
from launchworthy.promotion.finding import Assertion, ControlId, Finding, Status, conclude
from launchworthy.promotion.project import Project
from launchworthy.promotion.trusted import Entry, WaiverTable, end_of
from launchworthy.vocabulary import ProblemError

LONGEST: Final = timedelta(days=30)
_LEDGER = ControlId("GOV-06")


def waive(findings: Iterable[Finding], controls: Iterable[Control], project: Project) -> tuple[Finding, ...]:
    """Apply what counts, and hold against GOV-06 what waives nothing.

    Args:
        findings: one a control.
        controls: the same controls.
        project: its waivers, and the approvals of them.
    """
    waivable = {control.id for control in controls if control.waivable}
    link = _link(project)
    waived: dict[ControlId, Finding] = {}
    idle: list[Assertion] = []
    found = {finding.control: finding for finding in findings}
    for waiver in project.trusted.waivers:
        control = ControlId(waiver.table.control)
        if waiver.table.environment != project.rehearsed or control not in found:
            continue
        finding = found[control]
        if finding.status is not Status.FAIL:
            idle.append(_idle(waiver, finding))
        elif control in waivable and not finding.rehearsed and counts(waiver, project.book, link):
            waived[control] = replace(finding, status=Status.WAIVED, message=str(waiver.table))
    if idle and _LEDGER in found:
        found[_LEDGER] = _held_against(found[_LEDGER], idle)
    return tuple(waived.get(finding.control, finding) for finding in found.values())


def counts(waiver: Entry[WaiverTable], book: Book, link: Link | None) -> bool:
    """Whether a waiver is approved, has not ended, and was approved for at most 30 days, and renewed twice.

    Args:
        waiver: of promotion.toml.
        book: which approvals there are.
        link: the end of the chain of records; None where it cannot be read, and then nothing counts.
    """
    if link is None:
        return False
    try:
        require_renewable(waiver, link)
        approvals = answers_to(waiver, book, link)
    except ProblemError:
        return False
    return all(mistake(waiver, approval, book.now) is None for approval in approvals)


def _link(project: Project) -> Link | None:
    try:
        return unverified_link(project.root, project.environment)
    except ProblemError:
        return None


def mistake(waiver: Entry[WaiverTable], approval: Approval, now: int) -> str | None:
    """What is wrong with the dates of an approved waiver; None if nothing is."""
    if now >= end_of(waiver.table.expires):
        return f"the waiver of {waiver.table.control} ended on {waiver.table.expires}"
    approved = datetime.fromtimestamp(approval.approved_at, UTC).date()
    if waiver.table.expires > approved + LONGEST:
        return (
            f"the waiver of {waiver.table.control} lasts longer than 30 days from its approval on {approved}"
        )
    return None


def _idle(waiver: Entry[WaiverTable], finding: Finding) -> Assertion:
    what = f"the waiver of {finding.control} waives nothing: it came out as {finding.status.value}"
    return broken(what, waiver.where, "take it out")


def _held_against(finding: Finding, idle: list[Assertion]) -> Finding:
    return conclude(
        finding.control,
        (*finding.assertions, *idle),
        rehearsed=finding.rehearsed,
        seconds=finding.seconds,
    )
