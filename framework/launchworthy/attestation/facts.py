"""What is this tree, wheel or process, in the terms of a record? And for what is it asked?"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from launchworthy.attestation.statement import Subject, check_digest
from launchworthy.vocabulary import Environment


class Purpose(StrEnum):
    """For what a record is verified: which date counts, and which facts must be there to compare."""

    BUILD = "build"
    """Before a gated build: the tree, file by file. `build_until` counts."""
    BUILT = "built"
    """After it: the same, and the wheel. `build_until` counts."""
    START = "start"
    """At a start: the wheel as installed, and what was loaded from it. `run_until` counts."""
    INSPECT = "inspect"
    """To show what a genuine record says, an expired one too. It allows nothing."""
    LINK = "link"
    """To carry on what a genuine record says in the one after it, a revoked or outdated one too. It allows
    nothing: what was counted once stays counted."""


_TREE = frozenset(
    {
        Subject.COMMIT,
        Subject.TREE,
        Subject.UV_LOCK,
        Subject.LOCK,
        Subject.MANIFEST_FILES,
        Subject.POLICY_FILES,
        Subject.SETTINGS_FILES,
        Subject.PROMOTION_FILES,
    }
)
REQUIRED: Mapping[Purpose, frozenset[Subject]] = {
    Purpose.BUILD: _TREE,
    Purpose.BUILT: _TREE | {Subject.WHEEL},
    Purpose.START: frozenset({Subject.WHEEL, Subject.MANIFESTS, Subject.POLICY, Subject.SETTINGS}),
    Purpose.INSPECT: frozenset(),
    Purpose.LINK: frozenset(),
}
"""The least that must be compared; whatever else is given is compared too."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What is here, to be compared with what a record says.

    Attributes:
        environment: where we are, or for what is built.
        digests: the digest of each subject that is known here, in lower-case hex.
    """

    environment: Environment
    digests: Mapping[Subject, str]

    def __post_init__(self) -> None:
        """Refuse a digest that could equal no record's.

        Raises:
            ValueError: one has the wrong form; that is a programmer's error.
        """
        for subject, digest in self.digests.items():
            check_digest(subject, digest)

    def require_all(self, purpose: Purpose) -> None:
        """See that nothing is left out that this purpose needs.

        Raises:
            ValueError: something is; that is a programmer's error.
        """
        missing = REQUIRED[purpose] - set(self.digests)
        if missing:
            raise ValueError(f"to {purpose}, facts need {', '.join(sorted(missing))}")
