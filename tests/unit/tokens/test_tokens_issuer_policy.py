"""An issuer's policy cannot be made of what must never be configured."""

from typing import Any

import pytest

from launchworthy.tokens import (
    ExceptionRule,
    IntrospectionPolicy,
    IssuerException,
    IssuerPolicy,
    NobodyDenied,
)
from launchworthy.tokens.introspection import JWT_BEARER
from launchworthy.tokens.verifier import TokenVerifier
from launchworthy.vocabulary import ProblemError, Secret


def excepted(rule: str, value: str | None) -> IssuerException:
    return IssuerException(rule=ExceptionRule(rule), value=value, until=2_000_000_000)


GOOD: dict[str, Any] = {
    "name": "acme",
    "issuer": "https://login.acme.example",
    "algorithms": ("ES256", "RS256"),
    "max_lifetime": 3600,
    "leeway": 30,
    "jwks_uri": None,
    "scope_claim": "scope",
    "person_claim": None,
    "tenant_claim": None,
    "key_fresh": 300,
    "key_stale": 900,
    "key_spacing": 10,
    "allow_loopback_http": False,
    "single_audience": True,
    "exceptions": (),
    "introspection": None,
}
AUDIENCE = "https://orders.acme.example/mcp"


@pytest.mark.parametrize(
    "change",
    [
        {},
        {"algorithms": ("EdDSA", "Ed25519", "PS256", "ES384", "ES512")},
        {"leeway": 0},
        {"leeway": 60},
        {"max_lifetime": 86400},
        {"jwks_uri": "https://keys.acme.example/keys?p=1"},
        {"person_claim": "idtyp=user"},
        {"key_stale": 0},
        {"key_fresh": 2, "key_spacing": 1},
        {"issuer": "http://127.0.0.1:9000", "allow_loopback_http": True},
    ],
)
def test_a_sane_policy_is_made(change: dict[str, Any]) -> None:
    assert IssuerPolicy(**GOOD | change).name == "acme"


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"algorithms": ()}, "algorithms"),
        ({"algorithms": ("none",)}, "algorithms"),
        ({"algorithms": ("ES256", "HS256")}, "algorithms"),
        ({"algorithms": ("es256",)}, "algorithms"),
        ({"leeway": 61}, "leeway"),
        ({"leeway": -1}, "leeway"),
        ({"max_lifetime": 0}, "max_lifetime"),
        ({"max_lifetime": 86401}, "max_lifetime"),
        ({"key_fresh": 0, "key_spacing": 1}, "key_fresh"),
        ({"key_stale": -1}, "key_stale"),
        ({"key_stale": 3601}, "key_stale"),
        ({"key_spacing": 0}, "key_spacing"),
        ({"key_spacing": 61}, "key_spacing"),
        ({"key_fresh": 5}, "key_spacing"),
        ({"scope_claim": ""}, "scope_claim"),
        ({"exceptions": (excepted("client", "a b"),)}, "exceptions.client"),
        ({"exceptions": (excepted("client", "sub"),)}, "exceptions.client"),
        ({"exceptions": (excepted("client", None),)}, "exceptions.client"),
        ({"exceptions": (excepted("jti", "sid"),)}, "exceptions.jti"),
        ({"exceptions": (excepted("typ", ""),)}, "exceptions.typ"),
        ({"exceptions": (excepted("audience", "a b"),)}, "exceptions.audience"),
        ({"exceptions": (excepted("several_audiences", "yes"),)}, "exceptions.several_audiences"),
        ({"exceptions": (excepted("typ", "JWT"), excepted("typ", "jwt"))}, "exceptions.typ"),
        (
            {
                "introspection": IntrospectionPolicy(
                    endpoint="http://x.example/ask", client="orders", assertion_type="x"
                )
            },
            "introspection_endpoint",
        ),
        ({"person_claim": "=user"}, "person_claim"),
        ({"issuer": "http://login.acme.example"}, "issuer"),
        ({"issuer": "http://127.0.0.1:9000"}, "issuer"),
        ({"issuer": "https://login.acme.example?x"}, "issuer"),
        ({"issuer": "https://10.0.0.1"}, "issuer"),
        ({"issuer": ""}, "issuer"),
        ({"jwks_uri": "http://login.acme.example/keys"}, "jwks_uri"),
        ({"jwks_uri": "https://a:b@login.acme.example/keys"}, "jwks_uri"),
    ],
)
def test_what_must_never_be_configured_is_refused_with_its_field(change: dict[str, Any], field: str) -> None:
    with pytest.raises(ProblemError) as error:
        IssuerPolicy(**GOOD | change)
    assert {problem.field for problem in error.value.problems} == {f"issuers.acme.{field}"}


def test_all_that_is_wrong_is_said_at_once() -> None:
    with pytest.raises(ProblemError) as error:
        IssuerPolicy(**GOOD | {"algorithms": ("none", "HS256"), "leeway": 99, "issuer": "x"})
    assert len(error.value.problems) == 4


@pytest.mark.parametrize(
    ("policies", "audience", "implies"),
    [
        ([], AUDIENCE, {}),
        ([GOOD], "", {}),
        ([GOOD, GOOD | {"name": "again"}], AUDIENCE, {}),
        ([GOOD], AUDIENCE, {"a": ("a",)}),
    ],
)
def test_a_verifier_without_issuer_or_audience_or_with_an_issuer_twice_is_refused(
    policies: list[dict[str, Any]], audience: str, implies: dict[str, tuple[str, ...]]
) -> None:
    TokenVerifier([IssuerPolicy(**GOOD)], AUDIENCE, {}, lambda _: None, lambda: 0.0, deny=NobodyDenied())
    with pytest.raises(ProblemError):
        TokenVerifier(
            [IssuerPolicy(**fields) for fields in policies],
            audience,
            implies,
            lambda _: None,
            lambda: 0.0,
            deny=NobodyDenied(),
        )


class Proofs:
    async def assertion(self, audience: str) -> Secret:
        return Secret(audience)


def test_opaque_tokens_go_to_one_issuer_at_most() -> None:
    asked = {"introspection": IntrospectionPolicy(endpoint=None, client="orders", assertion_type=JWT_BEARER)}
    first = IssuerPolicy(**GOOD | asked)
    second = {"name": "other", "issuer": "https://other.example"}

    def made(*policies: IssuerPolicy) -> TokenVerifier:
        deny = NobodyDenied()
        return TokenVerifier(
            policies, AUDIENCE, {}, lambda _: None, lambda: 0.0, deny=deny, assertions=Proofs()
        )

    made(first, IssuerPolicy(**GOOD | second))
    with pytest.raises(ProblemError, match="one of them at most"):
        made(first, IssuerPolicy(**GOOD | asked | second))
