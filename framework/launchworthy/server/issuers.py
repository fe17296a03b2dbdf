"""How does a server come to its token verifier? Policies from settings, denials, and its own proof."""

import time
from collections.abc import Callable

from launchworthy.audit import events
from launchworthy.identity import IdentityUnavailable, WorkloadIdentity
from launchworthy.server.control import DeniedCallers
from launchworthy.server.parts import Parts
from launchworthy.server.readiness import refused_for
from launchworthy.server.wiring import record_or_degrade
from launchworthy.settings import IssuerSettings, Settings, listed_exceptions
from launchworthy.tokens import (
    ExceptionRule,
    IntrospectionPolicy,
    IssuerException,
    IssuerPolicy,
    KeyEvent,
    KeyEventKind,
)
from launchworthy.tokens.introspection import JWT_BEARER, JWT_SPIFFE
from launchworthy.tokens.verifier import TokenVerifier
from launchworthy.vocabulary import Environment, Problem, ProblemError, Secret


class IdentityAssertions:
    """This workload's proofs, for issuers that ask who asks."""

    def __init__(self, identity: WorkloadIdentity) -> None:
        """Take them from this identity."""
        self._identity = identity

    async def assertion(self, audience: str) -> Secret:
        """A proof for exactly this audience.

        Raises:
            Refused: `identity.*`, with the seconds after which to try again.
        """
        try:
            return await self._identity.assertion(audience)
        except IdentityUnavailable as unavailable:
            raise refused_for(unavailable.status) from None


def token_verifier(parts: Parts) -> TokenVerifier:
    """One policy an issuer, and the one audience.

    Raises:
        ProblemError: an exception is over, or lasts too long.
    """
    settings = parts.settings
    refuse_bad_exceptions(settings, parts.now())
    policies = [issuer_policy(name, issuer, settings) for name, issuer in settings.issuers.items()]
    implies = {scope: tuple(implied) for scope, implied in parts.manifests.server.scopes.implies.items()}
    return TokenVerifier(
        policies,
        settings.server.resource,
        implies,
        _key_auditor(parts),
        time.monotonic,
        deny=DeniedCallers(parts.control),
        assertions=IdentityAssertions(parts.identity),
    )


def refuse_bad_exceptions(settings: Settings, now: int) -> None:
    """Refuse to start with an exception that holds no more: nobody would know why tokens are refused.

    In development it is only not applied.

    Raises:
        ProblemError: `exception-over`.
    """
    if settings.environment is Environment.DEVELOPMENT:
        return
    problems = [
        Problem(
            reason="exception-over",
            where=settings.sources.get(f"{field}.until"),
            what=f"`{field}` {mistake}",
            fix=("take it out, or let its owner renew it for 90 days at most",),
            field=f"{field}.until",
        )
        for name, issuer in settings.issuers.items()
        for each in listed_exceptions(issuer.exceptions)
        for field in (f"issuers.{name}.exceptions.{each.rule}",)
        if (mistake := each.mistake(now)) is not None
    ]
    if problems:
        raise ProblemError(*problems)


def issuer_policy(name: str, issuer: IssuerSettings, settings: Settings) -> IssuerPolicy:
    """What is accepted of one issuer, as the settings say it."""
    introspection = None
    if issuer.introspection:
        introspection = IntrospectionPolicy(
            endpoint=issuer.introspection_endpoint,
            client=settings.identity.expected_id,
            assertion_type=JWT_SPIFFE if settings.identity.kind == "spiffe" else JWT_BEARER,
        )
    return IssuerPolicy(
        name=name,
        issuer=issuer.issuer,
        algorithms=issuer.algorithms,
        max_lifetime=int(issuer.max_lifetime),
        leeway=int(issuer.leeway),
        jwks_uri=issuer.jwks_uri,
        scope_claim=issuer.scope_claim,
        person_claim=issuer.person_claim,
        tenant_claim=issuer.tenant_claim,
        key_fresh=issuer.key_fresh,
        key_stale=issuer.key_stale,
        key_spacing=issuer.key_spacing,
        allow_loopback_http=settings.environment.simulated,
        single_audience=settings.environment is not Environment.DEVELOPMENT,
        exceptions=tuple(
            IssuerException(rule=ExceptionRule(each.rule), value=each.value, until=each.ends_at)
            for each in listed_exceptions(issuer.exceptions)
        ),
        introspection=introspection,
    )


def _key_auditor(parts: Parts) -> Callable[[KeyEvent], None]:
    def record(event: KeyEvent) -> None:
        if event.kind is KeyEventKind.CHANGED:
            detail = "; ".join(part for part in (event.detail, _ignored(event)) if part)
            changed = events.KeysChanged(
                issuer=event.issuer, added=event.added, removed=event.removed, detail=detail or None
            )
            record_or_degrade(parts, changed)
        else:
            record_or_degrade(parts, events.KeysRefreshFailed(issuer=event.issuer, detail=event.detail))

    return record


def _ignored(event: KeyEvent) -> str:
    return f"not used: {', '.join(event.ignored)}" if event.ignored else ""
