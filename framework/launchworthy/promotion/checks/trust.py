"""Governance: is everything that is taken on trust approved, within its dates, and about something real?"""

import hashlib
import os
import re
from collections.abc import Container, Iterator, Mapping

from launchworthy.approval.proved.proof import Approval
from launchworthy.attestation import Approvers
from launchworthy.attestation.git import Git
from launchworthy.attestation.tree import GitFacts
from launchworthy.promotion.chain import answers_to, require_renewable, unverified_link
from launchworthy.promotion.checks.assertions import broken, seen
from launchworthy.promotion.checks.workflows import jobs_that_sign
from launchworthy.promotion.control import load_catalogue
from launchworthy.promotion.finding import Assertion
from launchworthy.promotion.project import Project
from launchworthy.promotion.registry import registry
from launchworthy.promotion.trusted import Entry, EvidenceTable, RotationTable, WaiverTable, end_of
from launchworthy.promotion.waiving import mistake
from launchworthy.vocabulary import ProblemError

_CLOCKS_APART = 300
"""Seconds that two machines' clocks may differ."""
_WORKFLOW = re.compile(r"\.github/workflows/[^/]+\.ya?ml")


@registry.check("GOV-06")
def what_is_taken_on_trust_has_an_approval_and_an_end(project: Project) -> Iterator[Assertion]:
    """Every waiver, rotation and piece of evidence is approved, in its dates, and of a known control."""
    waivable = {str(each.id): each.waivable for each in load_catalogue()}
    for waiver in project.trusted.waivers:
        yield from _waiver(project, waiver, waivable)
    for rotation in project.trusted.rotations:
        yield from _rotation(project, rotation)
    for piece in project.trusted.evidence:
        yield from _evidence(project, piece, waivable)
    if not project.trusted.matters:
        yield seen("promotion.toml takes nothing on trust")


@registry.check("GOV-06")
def the_clock_is_not_before_the_commit(project: Project) -> Iterator[Assertion]:
    """Every date here is judged by this machine's clock: one that was set back extends all of them."""
    if not isinstance(project.git, GitFacts):
        return
    git = Git(project.root, {"PATH": os.defpath, **project.environ})
    committed = int(git.run("log", "-1", "--format=%ct", project.git.commit))
    if committed > project.now + _CLOCKS_APART:
        what = (
            f"the commit was made {committed - project.now} s from now: this clock is behind, or the commit's"
        )
        yield broken(
            what, None, "set the clock of whichever machine is wrong, and commit anew if it was that one"
        )
    else:
        yield seen("the clock is not before the commit")


@registry.check("GOV-02")
def somebody_else_approves(project: Project) -> Iterator[Assertion]:
    """The manifest names who approves, the trust policy says how it is proved, none signs unreleased."""
    for path, text in project.texts():
        if _WORKFLOW.fullmatch(path):
            for name, released in jobs_that_sign(text):
                if not released:
                    what = f"job `{name}` signs without anybody having released it"
                    yield broken(what, path, "environment: production   # with required reviewers")
    approvers = project.manifests.server.ownership.approvers
    yield seen(f"[ownership] names who approves: {', '.join(approvers)}")
    match project.book.approvers:
        case Approvers() as people:
            groups = ", ".join(sorted(people.groups))
            yield seen(f"attest demands an approval of this report by {groups}, signed in at {people.issuer}")
        case None:
            yield seen(
                "attest signs nothing for production unless the platform's trust policy names approvers"
            )
        case _:
            yield seen("the trust policy says that a person releases the job that signs")


def _waiver(
    project: Project, waiver: Entry[WaiverTable], waivable: Mapping[str, bool]
) -> Iterator[Assertion]:
    control = waiver.table.control
    link = unverified_link(project.root, project.environment)
    if control not in waivable:
        yield broken(
            f"a waiver is of `{control}`, which is no control of this release", waiver.where, "take it out"
        )
    elif not waivable[control]:
        what = f"{control} is waived, and a control of that kind never is: what it finds is broken"
        yield broken(what, waiver.where, "take it out, and make the control hold")
    else:
        try:
            require_renewable(waiver, link)
            approvals = answers_to(waiver, project.book, link)
        except ProblemError as error:
            problem = error.problems[0]
            yield broken(problem.what, waiver.where, *problem.fix)
            return
        wrong = [each for one in approvals if (each := mistake(waiver, one, project.now)) is not None]
        if wrong:
            yield broken(wrong[0], waiver.where, "make the control hold, or have a new waiver approved")
        else:
            names = " and ".join(each.name for each in approvals)
            yield seen(f"the waiver of {control} is approved by {names}")


def _rotation(project: Project, rotation: Entry[RotationTable]) -> Iterator[Assertion]:
    if end_of(rotation.table.on) > end_of_today(project):
        yield broken(f"{rotation.table.finding} is rotated in the future", rotation.where, "correct `on`")
        return
    approval = _approval(project, rotation)
    if isinstance(approval, Assertion):
        yield approval
    else:
        yield seen(f"{rotation.table.finding} is {rotation.table.action}; approved by {approval.name}")


def _evidence(project: Project, piece: Entry[EvidenceTable], controls: Container[str]) -> Iterator[Assertion]:
    table = piece.table
    file = project.root / table.file
    if table.control not in controls:
        yield broken(
            f"evidence is for `{table.control}`, which is no control of this release",
            piece.where,
            "take it out",
        )
    elif not file.is_file() or not file.resolve().is_relative_to(project.root.resolve()):
        yield broken(
            f"the evidence {table.file} is not there", piece.where, "add the file, or take the entry out"
        )
    elif (digest := hashlib.sha256(file.read_bytes()).hexdigest()) != table.sha256:
        yield broken(f"{table.file} is not the file that `sha256` names", piece.where, f'sha256 = "{digest}"')
    elif project.now >= end_of(table.expires):
        yield broken(f"the evidence {table.file} ended on {table.expires}", piece.where, "gather it anew")
    else:
        approval = _approval(project, piece)
        yield (
            approval
            if isinstance(approval, Assertion)
            else seen(f"{table.file} is approved by {approval.name}")
        )


def end_of_today(project: Project) -> int:
    """The end of this day, UTC."""
    return project.now - project.now % 86_400 + 86_400


def _approval(
    project: Project, entry: Entry[WaiverTable] | Entry[RotationTable] | Entry[EvidenceTable]
) -> Approval | Assertion:
    """The approval of an entry, or what is missing."""
    try:
        return project.book.require(entry.matter)
    except ProblemError as error:
        problem = error.problems[0]
        return broken(problem.what, entry.where, *problem.fix)
