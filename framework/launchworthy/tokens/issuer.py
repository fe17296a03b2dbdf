"""What belongs to one issuer? Its policy beside its keys, so that neither is ever used with another's."""

from launchworthy.tokens.claims import Expectation
from launchworthy.tokens.introspection import Introspection
from launchworthy.tokens.issuer_policy import IssuerPolicy
from launchworthy.tokens.key_sets import IssuerKeys
from launchworthy.tokens.named_exceptions import Excepted, ExceptionRule
from launchworthy.tokens.scopes import ScopeHierarchy


class Expected:
    """What one issuer's tokens must be like, from one moment until the next exception is over.

    Attributes:
        claims: what they must say.
        type: the other `typ` that is accepted, or None.
        until: seconds since the epoch.
    """

    __slots__ = ("claims", "type", "until")

    def __init__(self, policy: IssuerPolicy, audience: str, hierarchy: ScopeHierarchy, now: int) -> None:
        """Apply the exceptions that hold now."""
        excepted = Excepted(policy.exceptions, now)
        self.until = excepted.until
        self.type = excepted.value(ExceptionRule.TYP)
        self.claims = Expectation(
            issuer=policy.issuer,
            audience=audience,
            other_audience=excepted.value(ExceptionRule.AUDIENCE),
            single_audience=policy.single_audience and not excepted.holds(ExceptionRule.SEVERAL_AUDIENCES),
            leeway=policy.leeway,
            max_lifetime=policy.max_lifetime,
            scope_claim=policy.scope_claim,
            client_claim=excepted.value(ExceptionRule.CLIENT) or "client_id",
            id_claim=excepted.value(ExceptionRule.JTI) or "jti",
            tenant_claim=policy.tenant_claim,
            person_mark=policy.person_mark,
            hierarchy=hierarchy,
        )


class Issuer:
    """One configured issuer.

    Attributes:
        name: its name in the settings.
        algorithms: what it may sign with.
        keys: what it signs with.
        introspection: how it is asked about opaque tokens, or None.
    """

    def __init__(
        self,
        policy: IssuerPolicy,
        audience: str,
        hierarchy: ScopeHierarchy,
        *,
        keys: IssuerKeys,
        introspection: Introspection | None,
    ) -> None:
        """Keep them together."""
        self.name = policy.name
        self.algorithms = frozenset(policy.algorithms)
        self.keys = keys
        self.introspection = introspection
        self._policy = policy
        self._audience = audience
        self._hierarchy = hierarchy
        self._expected = Expected(policy, audience, hierarchy, 0)

    def expected(self, now: int) -> Expected:
        """What its tokens must be like now; an exception that is over never comes back."""
        if now >= self._expected.until:
            self._expected = Expected(self._policy, self._audience, self._hierarchy, now)
        return self._expected
