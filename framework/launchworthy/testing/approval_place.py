"""Where do people sign in who approve calls on the page? One of the world's issuers; what it says of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from launchworthy.manifest import ApprovalMode, ApprovalRule, ApproverClaim
from launchworthy.testing.issuer import SimulatedIssuer

if TYPE_CHECKING:
    from launchworthy.settings import Settings

SIMULATED_MARK = "name"
"""What marks a person in development: the simulated issuer says it of people only."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ApprovalPlace:
    """What a world has to know of them.

    Attributes:
        issuer: the name of its table in the settings.
        person_claim: what marks a person there, as the settings say it, or None.
        claims: what makes an approver, for each tool that asks some.
        fields: what the settings name in `[approval]`.
    """

    issuer: str
    person_claim: str | None
    claims: tuple[ApproverClaim, ...]
    fields: frozenset[str]

    @classmethod
    def simulated(cls, issuer: str, rules: Sequence[ApprovalRule]) -> Self | None:
        """Of development, whose settings name none; None where nobody is asked on a page."""
        claims = _claims(rules)
        if claims is None:
            return None
        return cls(issuer=issuer, person_claim=SIMULATED_MARK, claims=claims, fields=frozenset())

    @classmethod
    def promoted(cls, settings: "Settings", rules: Sequence[ApprovalRule]) -> Self | None:
        """Of the settings that are rehearsed; None where nobody is asked on a page, or nowhere."""
        claims, issuer = _claims(rules), settings.approval.issuer
        if claims is None or issuer is None:
            return None
        return cls(
            issuer=issuer,
            person_claim=settings.issuers[issuer].person_claim,
            claims=claims,
            fields=frozenset(settings.approval.model_dump(exclude_none=True)),
        )

    def mark(self) -> dict[str, object]:
        """What a person's token says that a machine's does not."""
        if self.person_claim is None:
            return {}
        name, equals, value = self.person_claim.partition("=")
        return {name: value if equals else "Simulated Person"}

    def said_of_approvers(self) -> dict[str, object]:
        """Everything that makes somebody an approver of something."""
        said: dict[str, object] = {}
        for claim in self.claims:
            values = said.setdefault(claim.name, [])
            if isinstance(values, list):
                values.append(claim.value)
        return said

    def table(self, *, client: str, issuer: SimulatedIssuer, whole: bool) -> dict[str, object]:
        """What the world file says.

        Args:
            client: who the server is to the issuer.
            issuer: where people sign in.
            whole: whether the settings name none: `development` needs not.
        """
        table: dict[str, object] = {"client": client, **({"issuer": self.issuer} if whole else {})}
        if "token_endpoint" in self.fields:
            table["token_endpoint"] = issuer.token_endpoint
        if "authorization_endpoint" in self.fields:
            table["authorization_endpoint"] = issuer.token_endpoint.replace("/token", "/authorize")
        return table


def _claims(rules: Sequence[ApprovalRule]) -> tuple[ApproverClaim, ...] | None:
    """What makes an approver, for those that are asked on a page; None where nobody is."""
    asked = [rule for rule in rules if rule.mode is ApprovalMode.URL]
    if not asked:
        return None
    return tuple(dict.fromkeys(rule.claim for rule in asked if rule.claim is not None))
