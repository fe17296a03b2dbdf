"""Which matters are approved here? The proofs that lie in a project, believed only by the trust policy.

A proof is kept in `approvals/`, under the name that its matter gives it; the one over a report lies beside
the report. Where the platform lets a job be released instead of asking people for their names, whoever
releases the job that signs approves all that the report shows.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Final

from launchworthy.approval.proved.keys import keys_of
from launchworthy.approval.proved.matter import Matter
from launchworthy.approval.proved.proof import MAX_FILE, Approval, Keys, verify_proof
from launchworthy.attestation import Approvers, ReleasedJob
from launchworthy.attestation.records import RECORD_DIRECTORY
from launchworthy.attestation.trust_file import read_trust_policy
from launchworthy.vocabulary import Environment, Problem, ProblemError

FOLDER: Final = "approvals"
BY_RELEASE: Final = "whoever releases the job that signs"


@dataclass(frozen=True, kw_only=True)
class Book:
    """The approvals of one project, for one environment.

    Attributes:
        root: of the project.
        folders: where proofs lie.
        approvers: of the trust policy; None where it asks nobody, or where there is none.
        break_glass: who approves grants, by the same policy.
        why_nobody: why nobody can approve, for messages.
        simulated: whether the issuer is one of this machine.
        now: seconds since the epoch.
    """

    root: Path
    folders: Sequence[Path]
    approvers: Approvers | ReleasedJob | None
    break_glass: Approvers | None
    why_nobody: str
    simulated: bool
    now: int

    def require(self, matter: Matter) -> Approval:
        """The approval of a matter.

        Raises:
            ProblemError: `not-approved`, `approval-not-genuine` or `approver-keys-unavailable`.
        """
        if self.approvers is None:
            raise ProblemError(self._absent(matter, self.why_nobody))
        if isinstance(self.approvers, ReleasedJob):
            return Approval(
                matter=matter,
                issuer=ReleasedJob.RELEASED_JOB.value,
                subject=BY_RELEASE,
                name=BY_RELEASE,
                approved_at=self.now,
                sha256=matter.sha256,
            )
        return self._kept(matter, matter.file_name, self.approvers)

    def require_two(self, matter: Matter) -> tuple[Approval, Approval]:
        """The approvals of two people; whoever releases a job has no name, and counts as one.

        Raises:
            ProblemError: as `require`; `not-approved` where they are one person.
        """
        first = self.require(matter)
        if not isinstance(self.approvers, Approvers):
            raise ProblemError(
                self._absent(matter, "two people must, and whoever releases a job has no name")
            )
        second = self._kept(matter, matter.second_file_name, self.approvers)
        if second.subject == first.subject:
            raise ProblemError(self._absent(matter, f"two people must, and {first.name} did it twice"))
        return first, second

    def _kept(self, matter: Matter, name: str, approvers: Approvers) -> Approval:
        for folder in self.folders:
            file = folder / name
            if file.is_file():
                with file.open("rb") as stream:
                    content = stream.read(MAX_FILE + 1)
                return verify_proof(
                    content,
                    matter,
                    approvers=approvers,
                    keys=self._keys,
                    now=self.now,
                    where=_relative(file, self.root),
                )
        raise ProblemError(self._absent(matter, f"there is no {FOLDER}/{name}"))

    @cached_property
    def _keys(self) -> Keys:
        if not isinstance(self.approvers, Approvers):
            raise TypeError("only people have keys")
        return keys_of(self.approvers, simulated=self.simulated)

    @staticmethod
    def _absent(matter: Matter, why: str) -> Problem:
        what = f"nobody has approved this {matter.kind.value}: {why}"
        fix = ("one of the approvers of the platform's trust.toml runs: launchworthy approve",)
        return Problem(reason="not-approved", what=what, fix=fix)


def open_book(root: Path, trust_file: Path, *, environment: Environment, now: int) -> Book:
    """The approvals of a project; without a trust policy that says who approves, none of them counts.

    Args:
        root: of the project.
        trust_file: the platform's.
        environment: to be promoted.
        now: seconds since the epoch.
    """
    approvers = break_glass = None
    why = "the platform's trust policy names no approvers"
    try:
        trust = read_trust_policy(trust_file, environment=environment, outside=root).of(environment)
        approvers, break_glass = trust.approvers, trust.break_glass
    except ProblemError as error:
        why = f"{trust_file} {error.problems[0].what}"
    return Book(
        root=root,
        folders=(root / FOLDER, root / RECORD_DIRECTORY),
        approvers=approvers,
        break_glass=break_glass,
        why_nobody=why,
        simulated=environment.simulated,
        now=now,
    )


def _relative(file: Path, root: Path) -> str:
    return file.relative_to(root).as_posix() if file.is_relative_to(root) else str(file)
