"""Who may approve, by the platform's trust policy? People whom their own issuer vouches for, or a job.

    approvers = { issuer = "https://login.acme.example", client = "approve", groups = ["payments-leads"] }
    approvers = "released-job"

The first is proved: a person signs in for exactly this approval (`approval.proved`). The `client` is the
one at which they sign in: a nonce of anybody's choosing can be had in an ID token for another client, from
people who only meant to sign in there. The second is the platform's word that the promoter's identity is
given to no job that a reviewer has not released.

    break_glass_approvers = { issuer = "…", client = "approve", groups = ["on-call"], keys = ["login.json"] }

Two of these approve a grant. Their issuer's keys lie beside the policy: an emergency is no time to depend on
one more service, and a server asks nobody whether a grant is genuine.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from launchworthy.attestation.json_document import cite
from launchworthy.attestation.places import is_fit
from launchworthy.vocabulary import Environment


class ReleasedJob(StrEnum):
    """The platform's word that a person released the job that signs."""

    RELEASED_JOB = "released-job"


@dataclass(frozen=True, slots=True, kw_only=True)
class Approvers:
    """People, by their sign-in.

    Attributes:
        issuer: who vouches for them.
        client: the audience of their ID tokens.
        groups: one of them is enough.
        claim: which claim of the ID token holds groups.
        key_sets: of the issuer, pinned; none, where they are fetched from the issuer.
    """

    issuer: str
    client: str
    groups: frozenset[str]
    claim: str
    key_sets: tuple[bytes, ...]


KeySetFile = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,99}\.json$")]
_Word = Annotated[str, Field(pattern=r"^[!-~]{1,256}$")]


class ApproversTable(BaseModel):
    """`approvers = { … }` of the trust policy."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid", hide_input_in_errors=True)

    issuer: _Word
    client: _Word
    groups: Annotated[tuple[_Word, ...], Field(min_length=1, max_length=64)]
    claim: _Word = "groups"
    keys: Annotated[tuple[KeySetFile, ...], Field(max_length=16)] = ()

    def approvers(self, files: Mapping[str, bytes]) -> Approvers:
        """The same with the key sets."""
        return Approvers(
            issuer=self.issuer,
            client=self.client,
            groups=frozenset(self.groups),
            claim=self.claim,
            key_sets=tuple(files[name] for name in self.keys),
        )


ApproversField = ApproversTable | Literal["released-job"] | None


def problem_of(table: ApproversField, environment: Environment) -> str | None:
    """What is wrong with who approves in an environment; None if nothing is."""
    match table:
        case None if environment is Environment.PRODUCTION:
            return "[production] names no approvers, and what goes there is approved by a person"
        case ApproversTable() if not is_fit(table.issuer, environment, schemes=("https",)):
            return f"[{environment}] approvers: `{cite(table.issuer)}` is no issuer for this environment"
        case _:
            return None


def break_glass_problem(table: ApproversTable | None, environment: Environment) -> str | None:
    """What is wrong with who approves grants in an environment; None if nothing is."""
    if table is None:
        return None
    if not is_fit(table.issuer, environment, schemes=("https",)):
        return (
            f"[{environment}] break_glass_approvers: `{cite(table.issuer)}` is no issuer for this environment"
        )
    if not table.keys:
        return f"[{environment}] break_glass_approvers pins no `keys`, and nobody is asked for any"
    return None
