"""An allowed call and what allowed it. There is no denied decision: a denial is `Refused`, raised."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """A call was allowed by exactly this rule, under exactly this policy.

    Attributes:
        rule: the one permit that the decision cites: `manifest:place_order`.
        policy_digest: hex SHA-256 of the compiled policy.
        manifest_digest: hex SHA-256 of the manifests.
    """

    rule: str
    policy_digest: str
    manifest_digest: str
