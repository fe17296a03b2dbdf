"""What is asked of policy: who wants to call what, with what, and when."""

from collections.abc import Mapping
from dataclasses import dataclass

from launchworthy.manifest import TargetManifest
from launchworthy.vocabulary import Approved, Principal


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """One call, after its token was verified and its arguments were validated.

    Attributes:
        target: what is called.
        principal: from verified claims only.
        arguments: validated JSON values, defaults filled in; policy sees those that the manifest shows it.
        now: seconds since the epoch.
        peer: SPIFFE ID of the connection's other end; None where TLS is not mutual.
        forwarded_peer: SPIFFE ID for which a trusted proxy speaks; None where there is none.
        approved: a person's yes to exactly this call; None where there is none.
        lifted: ids of rules that a grant in force lifts for this caller and target; nearly always none.
    """

    target: TargetManifest
    principal: Principal
    arguments: Mapping[str, object]
    now: int
    peer: str | None
    forwarded_peer: str | None
    approved: Approved | None
    lifted: frozenset[str]
