"""May this wheel exist? The gate of a build that asks for a promoted wheel (`LAUNCHWORTHY_BUILD`).

It is asked twice: before there is a wheel, about the tree; and after, about the tree and the wheel, with the
record that the wheel carries. It compiles and resolves nothing: policy and settings are compared by their
files, and whatever they compile to is compared at the start.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Self

from launchworthy.attestation.content import wheel_content_digest
from launchworthy.attestation.facts import Facts, Purpose
from launchworthy.attestation.project_files import read_tree_facts
from launchworthy.attestation.records import RECORD_DIRECTORY, built_record, wheel_records
from launchworthy.attestation.statement import Subject
from launchworthy.attestation.tree import read_git_facts
from launchworthy.attestation.trust_file import TRUST_FILE, read_trust_policy
from launchworthy.attestation.verification import UnverifiedRecord, VerifiedRecord, verify_longest_lasting
from launchworthy.attestation.wheel_of_tree import require_wheel_of
from launchworthy.vocabulary import Environment, Problem, ProblemError

BUILD_VARIABLE = "LAUNCHWORTHY_BUILD"
TRUST_VARIABLE = "LAUNCHWORTHY_TRUST"
_BUILDABLE = (Environment.PRODUCTION, Environment.STAGING, Environment.REHEARSAL)


@dataclass(frozen=True, slots=True, kw_only=True)
class BuildGate:
    """What a gated build is asked about.

    Attributes:
        root: the project.
        environment: for which is built.
        trust_file: the platform's policy.
        environ: the builder's environment, for git.
    """

    root: Path
    environment: Environment
    trust_file: Path
    environ: Mapping[str, str]

    @classmethod
    def is_asked_for(cls, environ: Mapping[str, str]) -> bool:
        """Whether anybody asked for a promoted wheel; an empty or unknown answer is one, and is refused."""
        return BUILD_VARIABLE in environ

    @classmethod
    def open(cls, root: Path, environ: Mapping[str, str]) -> Self:
        """Read what was asked for.

        Raises:
            ProblemError: it is none of the three environments that a wheel can be promoted for.
        """
        asked = environ[BUILD_VARIABLE]
        if asked not in _BUILDABLE:
            fix = (f"set it to {', '.join(_BUILDABLE[:-1])} or {_BUILDABLE[-1]}, or unset it",)
            what = f"`{BUILD_VARIABLE}` names no environment that a wheel can be promoted for"
            raise ProblemError(Problem(reason="unknown-build", what=what, fix=fix))
        trust_file = Path(environ[TRUST_VARIABLE]) if TRUST_VARIABLE in environ else TRUST_FILE
        return cls(root=root, environment=Environment(asked), trust_file=trust_file, environ=environ)

    def verify_tree(self, *, now: int) -> VerifiedRecord:
        """Before the build: the record in `dist/promotion` is for this tree.

        Raises:
            ProblemError: there is none that counts; or the tree or the trust policy cannot be used.
        """
        facts = self._tree_facts()
        return self._verify(
            built_record(self.root, self.environment), facts, Purpose.BUILD, RECORD_DIRECTORY, now
        )

    def verify_wheel(self, wheel: Path, *, now: int) -> VerifiedRecord:
        """After the build: the wheel is of this tree, and the record that it carries is for both.

        Raises:
            ProblemError: it is not, or cannot be told.
        """
        git = read_git_facts(self.root, environ=self.environ)
        facts = read_tree_facts(self.root, git, environment=self.environment)
        require_wheel_of(self.root, wheel, git)
        facts = replace(facts, digests={**facts.digests, Subject.WHEEL: wheel_content_digest(wheel)})
        return self._verify(wheel_records(wheel), facts, Purpose.BUILT, wheel.name, now)

    def _tree_facts(self) -> Facts:
        git = read_git_facts(self.root, environ=self.environ)
        return read_tree_facts(self.root, git, environment=self.environment)

    def _verify(
        self, found: tuple[UnverifiedRecord, ...], facts: Facts, purpose: Purpose, searched: str, now: int
    ) -> VerifiedRecord:
        trust = read_trust_policy(self.trust_file, environment=self.environment, outside=self.root)
        return verify_longest_lasting(
            found, trust=trust, facts=facts, purpose=purpose, now=now, searched=searched
        )
