"""Do manifests and settings speak of the same credentials, and can the settings hold what they must not?"""

from types import MappingProxyType, SimpleNamespace

import pytest
from pydantic import ValidationError

from launchworthy.credentials.allowances import check_credentials
from launchworthy.manifest import CredentialAllowance
from launchworthy.settings import CredentialSettings
from launchworthy.vocabulary import ProblemError

EXCHANGE = {
    "broker": "token-exchange",
    "issuer": "https://login.acme.example",
    "url": "https://payments.acme.example",
}
VAULT = {"broker": "openbao", "address": "https://bao.acme.example", "role": "orders", "path": "a/creds/b"}
CLOUD = {
    "broker": "aws-sts",
    "address": "https://sts.amazonaws.com",
    "role_arn": "arn:aws:iam::123456789012:role/orders",
}
FILE = {"broker": "file", "reference": "file:/run/secrets/legacy"}


def lent(**tables):
    return {name: CredentialSettings.model_validate_strings(table) for name, table in tables.items()}


def borrowing(**allowed):
    target = SimpleNamespace(
        name="refund", where="manifests/tools.toml:3", credentials=MappingProxyType(allowed)
    )
    return SimpleNamespace(targets={"refund": target})


def allowance(*scopes, ttl=120):
    return CredentialAllowance(scopes=scopes, ttl=ttl)


def reasons(manifests, settings):
    with pytest.raises(ProblemError) as refused:
        check_credentials(manifests, settings)
    return [problem.reason for problem in refused.value.problems]


def test_what_is_lent_and_borrowed_alike_is_fine():
    check_credentials(borrowing(), {})
    check_credentials(borrowing(payments=allowance("refunds:create")), lent(payments=EXCHANGE))
    check_credentials(borrowing(cloud=allowance(ttl=900)), lent(cloud=CLOUD))
    check_credentials(borrowing(vault=allowance()), lent(vault=VAULT))


def test_what_nobody_lends_and_what_nobody_borrows_is_told():
    assert reasons(borrowing(payments=allowance("a")), lent(vault=VAULT)) == [
        "credential-not-lent", "credential-not-borrowed",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("allowed", "table"),
    [
        (allowance(), EXCHANGE),
        (allowance("a"), VAULT),
        (allowance("a"), FILE),
        (allowance(ttl=899), CLOUD),
    ],
)
def test_what_a_broker_cannot_lend_like_that_is_told(allowed, table):
    assert reasons(borrowing(one=allowed), lent(one=table)) == ["credential-unfit"]


@pytest.mark.parametrize(
    ("table", "why"),
    [
        ({**EXCHANGE, "path": "a/b"}, "has no field `path`"),
        ({**EXCHANGE, "address": "https://bao.acme.example"}, "has no field `address`"),
        ({**VAULT, "issuer": "https://login.acme.example"}, "has no field `issuer`"),
        ({"broker": "token-exchange", "url": "https://a.example"}, "needs `issuer`"),
        ({"broker": "token-exchange", "issuer": "https://a.example"}, "needs `url` or `resource`"),
        (
            {"broker": "id-jag", **{k: v for k, v in EXCHANGE.items() if k != "broker"}},
            "authorization_server",
        ),
        ({"broker": "openbao", "address": "https://a.example", "role": "x"}, "needs `path`"),
        ({"broker": "file"}, "needs `reference`"),
        ({**CLOUD, "role_arn": "arn:aws:iam::1:user/x"}, "ARN of a role"),
        ({**VAULT, "path": "../../sys"}, "a mount and a path"),
        ({**VAULT, "path": "a/../b"}, "a mount and a path"),
        ({**EXCHANGE, "url": "https://a:b@payments.acme.example"}, "no user"),
        ({**EXCHANGE, "url": "http://payments.acme.example"}, "https"),
        ({**FILE, "reference": "file:/etc/passwd"}, "/run/secrets"),
        ({**FILE, "reference": "file:/run/secrets/../shadow"}, "/run/secrets"),
        ({**EXCHANGE, "token": "ghp_0123456789"}, "Extra inputs"),
        ({"broker": "env"}, "Input should be"),
    ],
)
def test_a_table_holds_what_its_broker_uses_and_nothing_else(table, why):
    with pytest.raises(ValidationError, match=why):
        CredentialSettings.model_validate_strings(table)


def test_whom_a_token_is_for_is_the_upstream_unless_the_settings_say_otherwise():
    assert lent(a=EXCHANGE)["a"].audience == "https://payments.acme.example"
    named = lent(a={**EXCHANGE, "resource": "https://payments.acme.example/api"})
    assert named["a"].audience == "https://payments.acme.example/api"
