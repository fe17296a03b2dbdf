"""Whose are the callers of a simulated world? All of one tenant, but for a token that says another."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Self

from launchworthy.manifest import Manifests
from launchworthy.testing.issuer import SimulatedIssuer

if TYPE_CHECKING:
    from launchworthy.settings import Settings

CLAIM: Final = "tenant"


@dataclass(frozen=True, slots=True, kw_only=True)
class CallersTenant:
    """What good tokens say of it.

    Attributes:
        tenant: the one that the manifests' examples are about.
        claims: by issuer table, the claim that has it.
    """

    tenant: str
    claims: Mapping[str, str]

    @classmethod
    def promoted(cls, settings: "Settings", manifests: Manifests) -> Self | None:
        """As the settings say that are rehearsed; None where there is one tenant."""
        if not manifests.has_tenants:
            return None
        named = {name: each.tenant_claim for name, each in settings.issuers.items()}
        claims = {name: claim for name, claim in named.items() if claim is not None}
        return cls(tenant=manifests.example_tenant, claims=claims)

    @staticmethod
    def tell(tenant: "CallersTenant | None", issuers: Mapping[str, SimulatedIssuer]) -> None:
        """Have every access token of these issuers say it."""
        if tenant is not None:
            for name, issuer in issuers.items():
                issuer.say_of_all({tenant.claims[name]: tenant.tenant})

    @staticmethod
    def field(tenant: "CallersTenant | None", issuer: str, *, whole: bool) -> dict[str, object]:
        """The issuer's field that names the claim, where no settings say it."""
        return {} if tenant is None or not whole else {"tenant_claim": tenant.claims[issuer]}
