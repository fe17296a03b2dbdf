"""Is this bearer token good, here and now, and whose is it?

A `BearerToken` and an instant go in; a `Principal` or `Refused` comes out. In this order:

1. verified a moment ago under the same keys and the same list of denials: the same caller again
2. what is no JWT: the one issuer that introspects is asked, and without one it is refused; then 7
3. three canonical parts; a header that only names algorithm and key; claims in strict JSON
4. still unverified: `iss` names a configured issuer (an unknown one causes no traffic), `alg` is on that
   issuer's list, `aud` and `exp` could be right. What fails here never costs a signature
5. the key that `kid` names, in that issuer's set and no other, for exactly that algorithm
6. the signature; only now there are `SignedClaims`
7. the claims, all of them
8. whether this caller is denied, asked every time

Whatever else goes wrong on the way is a refusal too: no exception of a parser or a library is an answer.
"""

import asyncio
from collections.abc import Callable, Iterable, Mapping
from typing import Final

from launchworthy.tokens.claims import (
    SignedClaims,
    UnverifiedClaims,
    look_before_signature,
    principal_of,
    unverified_issuer,
)
from launchworthy.tokens.compact import MAX_TOKEN_BYTES, split
from launchworthy.tokens.denial import DenyEntries
from launchworthy.tokens.endpoint import read_endpoint
from launchworthy.tokens.fetch import Fetcher, Network, system_network
from launchworthy.tokens.header import check_type, read_header
from launchworthy.tokens.id_tokens import IdTokens
from launchworthy.tokens.introspection import (
    GOOD_SECONDS,
    Introspection,
    WorkloadAssertions,
    looks_like_jwt,
)
from launchworthy.tokens.issuer import Issuer
from launchworthy.tokens.issuer_policy import IssuerPolicy
from launchworthy.tokens.key_events import IssuerStatus, KeyEvent
from launchworthy.tokens.key_sets import IssuerKeys
from launchworthy.tokens.named_exceptions import ExceptionRule, refuse_id_token
from launchworthy.tokens.scopes import ScopeHierarchy
from launchworthy.tokens.shown import shown
from launchworthy.tokens.start import start_issuers
from launchworthy.tokens.strict_json import StrictJSONError, parse_object
from launchworthy.tokens.verified_tokens import LONGEST, Verified, VerifiedTokens
from launchworthy.vocabulary import BearerToken, Principal, Problem, ProblemError, Reason, Refused

MAX_CLAIMS_DEPTH: Final = 16
LONGEST_NAP: Final = 5.0
"""Seconds after which the renewal loop looks again whatever it expected: machines sleep, clocks jump."""


class TokenVerifier:
    """Verifies access tokens of a fixed set of issuers for one audience; lives in one event loop."""

    def __init__(  # noqa: PLR0913 - clock, network and denials come in as arguments
        self,
        policies: Iterable[IssuerPolicy],
        audience: str,
        implies: Mapping[str, tuple[str, ...]],
        events: Callable[[KeyEvent], None],
        clock: Callable[[], float],
        *,
        deny: DenyEntries,
        assertions: WorkloadAssertions | None = None,
        network: Network | None = None,
    ) -> None:
        """Put the issuers together; nothing is asked of anybody yet.

        Args:
            policies: one for each issuer, at least one.
            audience: this server's resource identifier; compared byte for byte.
            implies: which scopes imply which, from `[scopes.implies]`.
            events: told of changed key sets and failed refreshes; it must not raise.
            clock: seconds that never go back, for the age of keys.
            deny: who is denied now; asked for every request.
            assertions: how this workload proves itself to an issuer that introspects.
            network: the way to the issuers; this machine's unless given.

        Raises:
            ProblemError: no issuer, one twice, no audience, two that introspect, or scopes that imply
                themselves.
        """
        policies = tuple(policies)
        _check_configuration(policies, audience, assertions)
        hierarchy = ScopeHierarchy(implies)
        network = system_network() if network is None else network
        self._issuers: dict[str, Issuer] = {}
        self._introspecting: Issuer | None = None
        for policy in policies:
            own = read_endpoint(policy.issuer, allow_loopback_http=policy.allow_loopback_http, query=False)
            fetcher = Fetcher(own, network, loopback=policy.allow_loopback_http)
            keys = IssuerKeys(policy, fetcher, clock, events)
            asked = None
            if policy.introspection is not None and assertions is not None:
                asked = Introspection(
                    policy, policy.introspection, fetcher, assertions, clock=clock, events=events
                )
            issuer = Issuer(policy, audience, hierarchy, keys=keys, introspection=asked)
            self._issuers[policy.issuer] = issuer
            self._introspecting = self._introspecting if asked is None else issuer
        self._types = frozenset(
            each.value
            for policy in policies
            for each in policy.exceptions
            if each.rule is ExceptionRule.TYP and each.value is not None
        )
        self._policies = {policy.name: policy for policy in policies}
        self._deny = deny
        self._verified = VerifiedTokens()
        self._renewal: asyncio.Task[None] | None = None

    async def start(self, deadline: float) -> None:
        """Get every issuer's keys, and keep them fresh from then on.

        Args:
            deadline: seconds after which a server without any usable key gives up.

        Raises:
            StartupRefused: stage `issuers`; 78 if an issuer is not the one configured, 75 if no issuer
                could be asked in time.
        """
        try:
            await start_issuers(self._issuers.values(), deadline)
        except BaseException:
            await self.aclose()
            raise
        self._renewal = asyncio.create_task(self._keep_fresh())

    def knows(self, token: BearerToken, now: int) -> bool:
        """Whether this token was verified a moment ago, and `verify` will not do it again.

        Args:
            token: as it came.
            now: seconds since the epoch.
        """
        return self._verified.find(token.digest, self._deny.generation, now) is not None

    async def verify(self, token: BearerToken, now: int) -> Principal:
        """Find out whose token this is; waits only where an issuer has to be asked for keys.

        Args:
            token: as it came.
            now: seconds since the epoch.

        Raises:
            Refused: `token.*`, or `keys.unavailable` with the seconds after which to try again.
        """
        try:
            principal = await self._authenticate(token, now)
        except Refused:
            raise
        except Exception as error:
            raise Refused(Reason.TOKEN_MALFORMED, f"verification ended in {type(error).__name__}") from error
        self.refuse_denied(principal)
        return principal

    async def verify_again(self, token: BearerToken, principal: Principal, now: int) -> Principal:
        """Find out whether a token that was good still is, for a stream that goes on with it.

        A withdrawn key and a token that its issuer took back end a stream as they end calls.

        Args:
            token: as it was verified.
            principal: as `verify` returned it.
            now: seconds since the epoch.

        Raises:
            Refused: `token.expired` (without leeway: a stream is no new request), or as `verify`.
        """
        if now >= principal.expires_at:
            raise Refused(Reason.TOKEN_EXPIRED, "the token has expired since")
        return await self.verify(token, now)

    def refuse_denied(self, principal: Principal) -> None:
        """Return if a caller that was verified is not denied now; waits for nothing.

        Raises:
            Refused: `token.denied`, or what the list of denied callers says.
        """
        try:
            self._deny.refuse(principal)
        except Refused:
            raise
        except Exception as error:
            raise Refused(Reason.INTERNAL, f"denials could not be asked: {type(error).__name__}") from error

    def id_tokens(self, name: str) -> IdTokens:
        """What verifies the ID tokens of one of these issuers, by its name in the settings.

        Raises:
            KeyError: there is none of this name.
        """
        policy = self._policies[name]
        keys = self._issuers[policy.issuer].keys
        return IdTokens(
            policy.issuer,
            policy.algorithms,
            keys,
            leeway=policy.leeway,
            tenant_claim=policy.tenant_claim,
        )

    def status(self) -> tuple[IssuerStatus, ...]:
        """How each issuer's keys stand; asks nobody."""
        return tuple(issuer.keys.status() for issuer in self._issuers.values())

    async def aclose(self) -> None:
        """Stop asking for keys."""
        if self._renewal is not None:
            self._renewal.cancel()
            await asyncio.wait({self._renewal})
        for issuer in self._issuers.values():
            await issuer.keys.aclose()
            if issuer.introspection is not None:
                await issuer.introspection.aclose()

    async def _authenticate(self, token: BearerToken, now: int) -> Principal:
        digest, denials = token.digest, self._deny.generation
        if (known := self._verified.find(digest, denials, now)) is not None:
            return known
        if self._introspecting is not None and not looks_like_jwt(token):
            return await self._ask(self._introspecting, token, denials, now)
        compact = split(token.reveal())
        header = read_header(compact.unverified_header, self._types)
        unverified = _read_claims(compact.unverified_payload)
        issuer = self._issuer_of(unverified)
        expected = issuer.expected(now)
        check_type(header, expected.type)
        if header.algorithm not in issuer.algorithms:
            raise Refused(
                Reason.TOKEN_ALGORITHM, f"`alg` is {shown(header.algorithm)}, which is not accepted"
            )
        look_before_signature(unverified, expected.claims, now)
        key = await issuer.keys.key_for(header.kid)
        generation = issuer.keys.generation
        key.verify(header.algorithm, compact.signing_input, compact.signature)
        if not header.is_access_token:
            refuse_id_token(unverified)
        principal = principal_of(SignedClaims(unverified), expected.claims, now)
        until = min(principal.expires_at, now + LONGEST, expected.until)
        self._verified.keep(digest, Verified(principal, issuer.keys, (generation, denials), now, until))
        return principal

    async def _ask(self, issuer: Issuer, token: BearerToken, denials: int, now: int) -> Principal:
        """Let the issuer say whose opaque token it is, and judge what it says as claims are judged."""
        if issuer.introspection is None:
            raise RuntimeError("an issuer that introspects has an introspection")
        digest, expected = token.digest, issuer.expected(now)
        answer = UnverifiedClaims(await issuer.introspection.claims_of(token, now))
        try:
            principal = principal_of(SignedClaims(answer), expected.claims, now)
        except Refused as refused:
            issuer.introspection.remember(digest, refused, now)
            raise
        until = min(principal.expires_at, now + GOOD_SECONDS, expected.until)
        voucher = issuer.introspection
        self._verified.keep(digest, Verified(principal, voucher, (voucher.generation, denials), now, until))
        return principal

    def _issuer_of(self, unverified: UnverifiedClaims) -> Issuer:
        name = unverified_issuer(unverified)
        issuer = self._issuers.get(name)
        if issuer is None:
            known = shown(list(self._issuers))
            raise Refused(Reason.TOKEN_ISSUER, f"the token is from {shown(name)}, accepted is {known}")
        return issuer

    async def _keep_fresh(self) -> None:
        issuers = tuple(self._issuers.values())
        while True:
            nap = min(issuer.keys.seconds_until_due() for issuer in issuers)
            await asyncio.sleep(min(max(nap, 0.02), LONGEST_NAP))
            await asyncio.gather(*(issuer.keys.refresh_if_due() for issuer in issuers))


def _read_claims(unverified: bytes) -> UnverifiedClaims:
    try:
        claims = parse_object(unverified, max_depth=MAX_CLAIMS_DEPTH, max_bytes=MAX_TOKEN_BYTES)
    except StrictJSONError as error:
        raise Refused(Reason.TOKEN_MALFORMED, f"the claims cannot be read: {error}") from None
    return UnverifiedClaims(claims)


def _check_configuration(
    policies: tuple[IssuerPolicy, ...], audience: str, assertions: WorkloadAssertions | None
) -> None:
    problems = []
    introspecting = [policy.name for policy in policies if policy.introspection is not None]
    if len(introspecting) > 1:
        what = f"opaque tokens would go to each of {shown(introspecting)}, and are for one of them at most"
        fix = "let one issuer introspect"
        problems.append(_problem(what, fix, f"issuers.{introspecting[1]}.introspection"))
    if introspecting and assertions is None:
        raise RuntimeError("an issuer that introspects is asked with an assertion")
    if not policies:
        problems.append(
            _problem("there is no [issuers.<name>]", "name who issues your callers' tokens", "issuers")
        )
    issuers = [policy.issuer for policy in policies]
    for policy in policies:
        if issuers.count(policy.issuer) > 1:
            what = f"the issuer {shown(policy.issuer)} is configured more than once"
            problems.append(_problem(what, "one table an issuer", f"issuers.{policy.name}.issuer"))
    if audience == "":
        problems.append(_problem("`server.resource` is empty", "write this server's URL", "server.resource"))
    if problems:
        raise ProblemError(*problems)


def _problem(what: str, fix: str, field: str) -> Problem:
    return Problem(reason="bad-value", what=what, fix=(fix,), field=field)
