"""What is asked of policy: who wants to call what, with what, and when."""

from collections.abc import Mapping
from dataclasses import dataclass

from launchworthy.manifest import TargetManifest
from launchworthy.vocabulary import Principal


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """One call, after its token was verified and its arguments were validated.

    Attributes:
        target: what is called.
        principal: from verified claims only.
        arguments: validated JSON values, defaults filled in; policy sees those that the manifest shows it.
        now: seconds since the epoch.
    """

    target: TargetManifest
    principal: Principal
    arguments: Mapping[str, object]
    now: int
