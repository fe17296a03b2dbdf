"""What do we accept of one issuer? Checked when it is made, so that nothing later has to ask again."""

import re
from dataclasses import dataclass
from typing import Final

from launchworthy.tokens.algorithms import KEY_SHAPES
from launchworthy.tokens.endpoint import EndpointError, read_endpoint
from launchworthy.tokens.named_exceptions import IssuerException
from launchworthy.tokens.shown import shown
from launchworthy.vocabulary import Problem, ProblemError

MAX_LEEWAY: Final = 60
MAX_LIFETIME: Final = 24 * 3600

_CLAIM_NAME = re.compile(r"[\x21-\x3c\x3e-\x7e]{1,128}")


@dataclass(frozen=True, slots=True, kw_only=True)
class IntrospectionPolicy:
    """How one issuer is asked about opaque tokens (RFC 7662).

    Attributes:
        endpoint: where, or None where the issuer's metadata says so.
        client: what this workload is called there: its `client_id`.
        assertion_type: the `client_assertion_type` under which it proves itself.
    """

    endpoint: str | None
    client: str
    assertion_type: str


@dataclass(frozen=True, slots=True, kw_only=True)
class IssuerPolicy:
    """One `[issuers.<name>]` table, without any default.

    Attributes:
        name: the table's name, for people.
        issuer: the `iss` that is accepted, byte for byte.
        algorithms: the signature algorithms that are accepted, at least one.
        max_lifetime: the longest `exp - iat` in seconds, at most a day.
        leeway: how far clocks may differ in seconds, at most 60.
        jwks_uri: where the keys are, or None where the issuer's metadata says so.
        scope_claim: `scope`, or what carries scopes instead.
        person_claim: marks a person: `name` (the claim is there) or `name=value` (it says so); None: nobody.
        key_fresh: for how many seconds a key set is good without asking again.
        key_stale: for how many more it is good while the issuer cannot be asked.
        key_spacing: the least seconds between two attempts to ask.
        allow_loopback_http: whether this is the simulated world: http is good enough, loopback all there is.
        single_audience: whether a token may name nobody else as audience.
        exceptions: what is overlooked for a while, at most one for each rule that can be.
        introspection: how opaque tokens are asked about, or None where there are none.
    """

    name: str
    issuer: str
    algorithms: tuple[str, ...]
    max_lifetime: int
    leeway: int
    jwks_uri: str | None
    scope_claim: str
    person_claim: str | None
    tenant_claim: str | None
    key_fresh: int
    key_stale: int
    key_spacing: int
    allow_loopback_http: bool
    single_audience: bool
    exceptions: tuple[IssuerException, ...]
    introspection: IntrospectionPolicy | None

    def __post_init__(self) -> None:
        """Refuse what must never be configured.

        Raises:
            ProblemError: with every field that is wrong.
        """
        problems = (
            *self._algorithm_problems(),
            *self._number_problems(),
            *self._text_problems(),
            *self._exception_problems(),
        )
        if problems:
            raise ProblemError(*problems)

    @property
    def person_mark(self) -> tuple[str, str | None] | None:
        """The claim that marks a person and the value it must have, if any."""
        if self.person_claim is None:
            return None
        claim, equals, value = self.person_claim.partition("=")
        return (claim, value if equals else None)

    def _algorithm_problems(self) -> tuple[Problem, ...]:
        names = ", ".join(KEY_SHAPES)
        if not self.algorithms:
            return (self._problem("algorithms", "names no algorithm", f"name at least one of {names}"),)
        return tuple(
            self._problem(
                "algorithms", f"names {shown(algorithm)}, which nobody may configure", f"use {names}"
            )
            for algorithm in self.algorithms
            if algorithm not in KEY_SHAPES
        )

    def _number_problems(self) -> tuple[Problem, ...]:
        ranges = (
            ("leeway", self.leeway, 0, MAX_LEEWAY),
            ("max_lifetime", self.max_lifetime, 1, MAX_LIFETIME),
            ("key_fresh", self.key_fresh, 1, 3600),
            ("key_stale", self.key_stale, 0, 3600),
            ("key_spacing", self.key_spacing, 1, max(1, min(60, self.key_fresh))),
        )
        return tuple(
            self._problem(field, f"is {value}", f"choose {least} to {most} seconds")
            for field, value, least, most in ranges
            if not least <= value <= most
        )

    def _text_problems(self) -> tuple[Problem, ...]:
        problems = [
            self._problem(field, "is no claim's name", "write the claim as the issuer does")
            for field, value in (
                ("scope_claim", self.scope_claim),
                ("tenant_claim", "sub" if self.tenant_claim is None else self.tenant_claim),
                ("person_claim", "sub" if self.person_mark is None else self.person_mark[0]),
            )
            if _CLAIM_NAME.fullmatch(value) is None
        ]
        asked = None if self.introspection is None else self.introspection.endpoint
        urls = (("issuer", self.issuer), ("jwks_uri", self.jwks_uri), ("introspection_endpoint", asked))
        for field, url in urls:
            if url is None:
                continue
            try:
                read_endpoint(url, allow_loopback_http=self.allow_loopback_http, query=field != "issuer")
            except EndpointError as error:
                problems.append(self._problem(field, str(error), "write it as the issuer publishes it"))
        return tuple(problems)

    def _exception_problems(self) -> tuple[Problem, ...]:
        rules = [each.rule for each in self.exceptions]
        mistakes = [(each.rule, each.mistake()) for each in self.exceptions]
        mistakes += [(rule, "stands twice") for rule in set(rules) if rules.count(rule) > 1]
        return tuple(
            self._problem(f"exceptions.{rule}", mistake, "launchworthy explain settings")
            for rule, mistake in mistakes
            if mistake is not None
        )

    def _problem(self, field: str, what: str, fix: str) -> Problem:
        dotted = f"issuers.{self.name}.{field}"
        return Problem(reason="bad-value", what=f"`{dotted}` {what}", fix=(fix,), field=dotted)
