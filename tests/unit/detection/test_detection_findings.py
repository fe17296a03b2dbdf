"""What a finding says, and that it never says the value."""

import copy
import dataclasses
import json
import pickle
import traceback

import pytest
from detection_values import PROVIDERS, Values

from launchworthy.detection import Finding, find_secrets, fingerprint, is_secret_value, is_sensitive_name

VALUES = Values(3)
TOKEN = VALUES.checked("gh" + "p_")
SALT = b"orders-project"

CHOSEN = "Lantern" + "88x"


def only(text: str, path: str = "config/production.toml") -> Finding:
    (finding,) = find_secrets(text, path=path)
    return finding


def test_a_finding_names_file_line_column_field_and_kind() -> None:
    finding = only(f'[credentials.payments]\nbroker = "x"\n\ntoken = "{TOKEN}"\n')
    assert (finding.path, finding.line, finding.column) == ("config/production.toml", 4, 10)
    assert (finding.field, finding.kind) == ("token", "github-token")


def test_several_findings_come_in_order_and_each_place_once() -> None:
    text = f"A_TOKEN={TOKEN}\nB=1\nDB_PASSWORD={CHOSEN}\nURL=https://u:{CHOSEN}@db.internal/x\n"
    found = find_secrets(text, path=".env")
    assert [(finding.line, finding.kind) for finding in found] == [
        (1, "github-token"),
        (3, "password"),
        (4, "url-password"),
    ]


def test_a_finding_never_shows_the_value() -> None:
    finding = only(f'token = "{TOKEN}"')
    assert TOKEN not in repr(finding)
    assert "fingerprint_input" not in repr(finding)
    with pytest.raises(TypeError):
        str(finding.fingerprint_input)
    for leak in (pickle.dumps, copy.deepcopy, dataclasses.asdict, json.dumps):
        with pytest.raises(TypeError) as refused:
            leak(finding)  # type: ignore[operator]
        assert TOKEN not in "".join(traceback.format_exception(refused.value))


def test_a_name_that_is_a_secret_itself_is_not_said() -> None:
    assert TOKEN not in repr(find_secrets(f"{TOKEN}_PASSWORD=Lantern88x\n", path=".env"))
    assert only("SHOP_PASSWORD=Lantern88x\n", ".env").field == "SHOP_PASSWORD"


def test_a_text_without_secrets_has_no_findings() -> None:
    assert find_secrets("", path="x.env") == ()
    assert find_secrets('[server]\nresource = "https://orders.acme.example/mcp"\n', path="x.toml") == ()


def test_letters_that_grow_in_lower_case_move_no_finding() -> None:
    finding = only(f"# \u0130\u0130\u0130\ntoken = '{TOKEN}'\n")
    assert (finding.line, finding.column) == (2, 10)
    assert finding.fingerprint_input.reveal() == TOKEN


def test_lone_surrogates_are_read_like_anything_else() -> None:
    assert only(f"x = '\ud800'\ntoken = '{TOKEN}'\n").line == 2


def test_a_fingerprint_is_the_same_wherever_the_value_stands() -> None:
    first = only(f'token = "{TOKEN}"')
    second = only(f"\n\nexport GH={TOKEN}\n", path="deploy.sh")
    assert fingerprint(first, SALT) == fingerprint(second, SALT)
    assert len(fingerprint(first, SALT)) == len("lwf1-") + 16


def test_a_fingerprint_is_pinned_for_ever() -> None:
    assert fingerprint(only("DB_PASSWORD=Lantern88x", ".env"), b"0123456789abcdef") == "lwf1-757493b005d35edc"


def test_a_fingerprint_is_another_one_for_another_value_and_another_project() -> None:
    one, other = only(f'token = "{TOKEN}"'), only(f'token = "{VALUES.checked("gh" + "p_")}"')
    assert fingerprint(one, SALT) != fingerprint(other, SALT)
    assert fingerprint(one, SALT) != fingerprint(one, b"another-project")


def test_a_short_salt_is_refused() -> None:
    with pytest.raises(ValueError, match="at least 8 bytes"):
        fingerprint(only(f'token = "{TOKEN}"'), b"short")


@pytest.mark.parametrize(
    "name",
    [
        "password",
        "DB_PASSWORD",
        "dbPassword",
        "passphrase",
        "SMTP_PASS",
        "PGPASSWORD",
        "client_secret",
        "clientSecret",
        "token",
        "ACCESS_TOKEN",
        "apiToken",
        "authorization",
        "api_key",
        "apiKey",
        "APIKEY",
        "x-api-key",
        "private_key",
        "AWS_SECRET_ACCESS_KEY",
        "OPENAI_API_KEY",
        "stripeKey",
        "signing-key",
        "jwt",
        "credentials",
        "GITHUB_PAT",
        "password_production",
        "SECRET_KEY_BASE",
        "credentials.payments.token",
        "_authToken",
        "redis.password",
    ],
)
def test_a_sensitive_name_is_known(name: str) -> None:
    assert is_sensitive_name(name)


@pytest.mark.parametrize(
    "name",
    [
        "resource",
        "listen",
        "token_url",
        "token_endpoint",
        "key_id",
        "password_hash",
        "max_tokens",
        "secret_name",
        "token_type",
        "password_file",
        "public_key",
        "primary_key",
        "next_token",
        "pad_token",
        "keyboard",
        "author",
        "scope_claim",
        "client_claim",
        "key_fresh",
        "key_stale",
        "key_spacing",
        "jwks_uri",
        "algorithms",
        "records",
        "max_lifetime",
        "leeway",
        "expected_id",
        "trust_domains",
        "encrypted_password",
        "GPG_KEY",
        "tokenizer",
        "PWD",
        "OLDPWD",
        "",
    ],
)
def test_a_name_that_only_sounds_like_it_is_not(name: str) -> None:
    assert not is_sensitive_name(name)


@pytest.mark.parametrize("make", PROVIDERS)
@pytest.mark.parametrize("seed", range(5))
def test_a_token_of_each_provider_is_known_without_its_name(make: object, seed: int) -> None:
    token = make(Values(seed))  # type: ignore[operator]
    assert is_secret_value("region", token) is not None
    assert find_secrets(f"region: {token}\n", path="x.yaml") != ()


def test_a_checksum_that_fits_is_believed_even_in_an_odd_token() -> None:
    assert is_secret_value("x", VALUES.checked("np" + "m_")) == "npm-token"
    assert is_secret_value("x", "np" + "m_" + "a" * 36) is None


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DB_PASSWORD", "hunter" + "2"),
        ("password", "correct" + " horse"),
        ("password", "12345" + "678"),
        ("passphrase", "anchor-" + "basket-copper"),
        ("url", "postgres://orders:" + "lantern88@db.internal/orders"),
        ("authorization", "Basic " + "b3JkZXJzOkxhbnRlcm44OHg="),
        ("token", "f47ac10b" + "-58cc-4372-a567-0e02b2c3d479"),
        ("upstream", "https://shop.acme.example/v1?api_key=" + "4f1c9e07ab62d835" * 2),
        ("dsn", "host=db user=orders password=" + "Lantern88x dbname=orders"),
        ("extra", f'{{"user": "orders", "password": "{CHOSEN}"}}'),
        ("PWD", "kettle" + "4meadow"),
    ],
)
def test_a_value_that_people_choose_is_known_by_its_name(name: str, value: str) -> None:
    assert is_secret_value(name, value) is not None


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("password", "${DB_PASSWORD}"),
        ("password", "openbao:payments/creds/refunds"),
        ("password", "file:/run/secrets/db"),
        ("password", "/run/secrets/db"),
        ("token", "<your-token>"),
        ("token", "https://login.acme.example/token"),
        ("token", "left-for-later.invalid"),
        ("api_key", "…"),
        ("secret", "orders-db"),
        ("request_id", "f47ac10b-58cc-4372-a567-0e02b2c3d479"),
        ("expected_id", "spiffe://acme.example/ns/orders/sa/orders"),
        ("database", "orders.sqlite"),
        ("password", ""),
        ("PWD", "/srv/orders"),
        ("upstream", "https://shop.acme.example/v1?page_token=next"),
    ],
)
def test_a_reference_or_placeholder_is_none(name: str, value: str) -> None:
    assert is_secret_value(name, value) is None
