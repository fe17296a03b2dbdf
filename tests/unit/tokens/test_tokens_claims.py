"""Signed claims become a caller, exactly as far as they and the issuer's mapping say."""

from dataclasses import replace
from typing import Any

import pytest

from launchworthy.tokens.claims import (
    Expectation,
    SignedClaims,
    UnverifiedClaims,
    look_before_signature,
    principal_of,
    unverified_issuer,
)
from launchworthy.tokens.scopes import ScopeHierarchy
from launchworthy.vocabulary import PrincipalKind, ProblemError, Reason, Refused

NOW = 1_800_000_000
EXPECTED = Expectation(
    issuer="https://login.acme.example",
    audience="https://orders.acme.example/mcp",
    other_audience=None,
    single_audience=True,
    leeway=30,
    max_lifetime=3600,
    scope_claim="scope",
    client_claim="client_id",
    id_claim="jti",
    tenant_claim=None,
    person_mark=None,
    hierarchy=ScopeHierarchy({}),
)
GOOD: dict[str, object] = {
    "iss": EXPECTED.issuer,
    "sub": "00u4f2c",
    "aud": EXPECTED.audience,
    "exp": NOW + 600,
    "iat": NOW,
    "jti": "1",
    "client_id": "support-agent",
    "scope": "orders:read",
}


def test_a_principal_holds_what_the_claims_say() -> None:
    chain = {"sub": "agent-2", "act": {"sub": "agent-1"}}
    principal = principal_of(SignedClaims({**GOOD, "act": chain, "email": "x"}), EXPECTED, NOW)
    assert principal.key == (EXPECTED.issuer, "00u4f2c", "support-agent")
    assert principal.scopes == {"orders:read"}
    assert principal.actors == ("agent-2", "agent-1")
    assert (principal.token_id, principal.issued_at, principal.expires_at) == ("1", NOW, NOW + 600)
    assert not hasattr(principal, "email")


def test_an_end_with_a_fraction_is_cut_not_rounded() -> None:
    assert principal_of(SignedClaims({**GOOD, "exp": NOW + 60.9}), EXPECTED, NOW).expires_at == NOW + 60


def test_scopes_imply_what_is_declared_to_its_end_and_nothing_by_their_spelling() -> None:
    hierarchy = ScopeHierarchy({"admin": ("write",), "write": ("read",)})
    expected = replace(EXPECTED, hierarchy=hierarchy)

    def granted(scope: str) -> frozenset[str]:
        return principal_of(SignedClaims({**GOOD, "scope": scope}), expected, NOW).scopes

    assert granted("admin") == {"admin", "write", "read"}
    assert granted("write other") == {"write", "read", "other"}
    assert granted("admin:all orders") == {"admin:all", "orders"}


def test_a_scope_that_implies_itself_is_refused() -> None:
    for implies in ({"a": ("a",)}, {"a": ("b",), "b": ("c",), "c": ("a",)}):
        with pytest.raises(ProblemError, match="scope-cycle"):
            ScopeHierarchy(implies)
    ScopeHierarchy({"a": ("b", "c"), "b": ("d",), "c": ("d",)})


PERSON_CASES = [
    (("name", None), {"name": "Zoë"}, PrincipalKind.PERSON),
    (("name", None), {}, PrincipalKind.MACHINE),
    (("name", None), {"name": None}, PrincipalKind.MACHINE),
    (("name", None), {"name": ""}, PrincipalKind.MACHINE),
    (("name", None), {"name": False}, PrincipalKind.MACHINE),
    (("idtyp", "user"), {"idtyp": "user"}, PrincipalKind.PERSON),
    (("idtyp", "user"), {"idtyp": "app"}, PrincipalKind.MACHINE),
    (("idtyp", "user"), {"idtyp": ["user"]}, PrincipalKind.MACHINE),
    (("idtyp", "user"), {}, PrincipalKind.MACHINE),
    (None, {"name": "Zoë", "sub": "zoe@acme.example", "idtyp": "user"}, PrincipalKind.MACHINE),
]


@pytest.mark.parametrize(("mark", "claims", "kind"), PERSON_CASES)
def test_a_person_is_who_the_mapping_says_and_nobody_else(
    mark: Any, claims: Any, kind: PrincipalKind
) -> None:
    expected = replace(EXPECTED, person_mark=mark)
    assert principal_of(SignedClaims({**GOOD, **claims}), expected, NOW).kind is kind


def test_what_is_for_someone_else_or_over_is_seen_before_the_signature() -> None:
    look_before_signature(UnverifiedClaims(GOOD), EXPECTED, NOW)
    for change, reason in (
        ({"aud": "https://other.example"}, Reason.TOKEN_AUDIENCE),
        ({"exp": NOW - 30}, Reason.TOKEN_EXPIRED),
        ({"exp": "soon"}, Reason.TOKEN_CLAIMS),
    ):
        with pytest.raises(Refused) as refusal:
            look_before_signature(UnverifiedClaims({**GOOD, **change}), EXPECTED, NOW)
        assert refusal.value.reason is reason


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"aud": "https://other.example"}, Reason.TOKEN_AUDIENCE),
        ({"exp": NOW - 30, "iat": NOW - 60}, Reason.TOKEN_EXPIRED),
        ({"exp": None}, Reason.TOKEN_CLAIMS),
        ({"iat": NOW + 31}, Reason.TOKEN_NOT_YET),
        ({"scope": " ".join("s" * 100 + str(number) for number in range(41))}, Reason.TOKEN_CLAIMS),
    ],
)
def test_everything_is_looked_at_again_after_the_signature(change: dict[str, object], reason: Reason) -> None:
    principal_of(SignedClaims(GOOD), EXPECTED, NOW)
    with pytest.raises(Refused) as refusal:
        principal_of(SignedClaims({**GOOD, **change}), EXPECTED, NOW)
    assert refusal.value.reason is reason


def test_an_issuer_is_a_string() -> None:
    assert unverified_issuer(UnverifiedClaims(GOOD)) == EXPECTED.issuer
    with pytest.raises(Refused) as refusal:
        unverified_issuer(UnverifiedClaims({"iss": [EXPECTED.issuer]}))
    assert refusal.value.reason is Reason.TOKEN_ISSUER


def test_claims_of_another_issuer_are_refused_even_if_their_signature_held() -> None:
    with pytest.raises(Refused) as refusal:
        principal_of(SignedClaims({**GOOD, "iss": "https://login.acme.example/"}), EXPECTED, NOW)
    assert refusal.value.reason is Reason.TOKEN_ISSUER


def test_the_operator_learns_whom_the_token_is_for() -> None:
    with pytest.raises(Refused) as refusal:
        principal_of(SignedClaims({**GOOD, "aud": "https://orders.acme.example/"}), EXPECTED, NOW)
    assert refusal.value.detail == (
        "the token is for `https://orders.acme.example/`, this server is `https://orders.acme.example/mcp`"
    )


@pytest.mark.parametrize(
    ("aud", "shown"),
    [
        ("x\x1b[31m`\n", "`x?[31m??`"),
        ("\u202eevil", "`?evil`"),
        ("x" * 500, "`" + "x" * 96 + "…`"),
        (["a", "b", "c", "d", "e"], "`a`, `b`, `c` and 2 more"),
        (5, "a number"),
        (None, "nothing"),
        (True, "a boolean"),
        ({"token": "eyJ"}, "an object"),
        ([], "a list"),
        ([5], "a list"),
    ],
)
def test_what_a_stranger_sent_is_cut_and_cleaned_in_details(aud: object, shown: str) -> None:
    with pytest.raises(Refused) as refusal:
        principal_of(SignedClaims({**GOOD, "aud": aud}), EXPECTED, NOW)
    assert shown in refusal.value.detail
    assert refusal.value.detail.isprintable()


SEVERAL = replace(EXPECTED, tenant_claim="org")


def test_a_caller_is_the_tenants_that_the_claim_names() -> None:
    assert principal_of(SignedClaims({**GOOD, "org": "acme"}), SEVERAL, NOW).tenant == "acme"
    assert principal_of(SignedClaims({**GOOD, "org": "acme"}), EXPECTED, NOW).tenant is None


@pytest.mark.parametrize(
    "tenant", [None, "", 7, True, ["acme"], {"id": "acme"}, "a" * 513, "acme\n", "a\u202eb"]
)
def test_a_caller_of_whom_it_is_not_said_whose_they_are_is_refused(tenant: object) -> None:
    with pytest.raises(Refused) as refused:
        principal_of(SignedClaims({**GOOD, "org": tenant}), SEVERAL, NOW)
    assert refused.value.reason is Reason.TOKEN_CLAIMS


def test_a_tenant_under_another_name_is_none() -> None:
    with pytest.raises(Refused):
        principal_of(SignedClaims({**GOOD, "tenant": "acme"}), SEVERAL, NOW)
