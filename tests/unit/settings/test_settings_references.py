"""How a reference to a secret is written, and what is none."""

import pytest
from settings_cases import everything_said

from launchworthy.settings import parse_secret_ref
from launchworthy.vocabulary import SecretScheme

TOKEN = "gh" + "p_" + "zQWBuTSOoRi4A9spHcVY5ncnsDkxkJ" + "0mLq17"
LOWER_TOKEN = "da" + "pi" + "4f1c9e07ab62d835f0c47e19b6a2d853"


@pytest.mark.parametrize(
    ("text", "scheme", "locator", "key", "version"),
    [
        ("file:/run/secrets/audit-key", SecretScheme.FILE, "/run/secrets/audit-key", None, None),
        (
            "file:/run/credentials/orders.service/key",
            SecretScheme.FILE,
            "/run/credentials/orders.service/key",
            None,
            None,
        ),
        ("openbao:payments/creds/refunds", SecretScheme.OPENBAO, "payments/creds/refunds", None, None),
        ("openbao:kv/orders#password", SecretScheme.OPENBAO, "kv/orders", "password", None),
        ("openbao:kv/orders#password@3", SecretScheme.OPENBAO, "kv/orders", "password", "3"),
    ],
)
def test_a_reference_names_a_place(
    text: str, scheme: SecretScheme, locator: str, key: str | None, version: str | None
) -> None:
    reference = parse_secret_ref(text)
    assert (reference.scheme, reference.locator, reference.key, reference.version) == (
        scheme,
        locator,
        key,
        version,
    )
    assert str(reference) == text


@pytest.mark.parametrize(
    "text",
    [
        "",
        "hunter2",
        "file:hunter2",
        "file:/etc/passwd",
        "file:/run/secrets",
        "file:/run/secrets/",
        "file:/run/secrets/../../etc/shadow",
        "file:/run/secretsother/x",
        "file:run/secrets/x",
        "env:TOKEN",
        "plain:hunter2",
        "openbao:hunter2",
        "openbao:/abs/path",
        "openbao:a//b",
        "openbao:a/b#",
        "openbao:a/b@latest",
        "openbao:a b/c",
        "vault:a/b",
        "FILE:/run/secrets/x",
        "file:/run/secrets/x\n",
        "openbao:kv/" + TOKEN,
        "file:/run/secrets/" + LOWER_TOKEN,
        "openbao:a/../b",
    ],
)  # fmt: skip
def test_anything_else_is_none_and_is_not_said(text: str) -> None:
    with pytest.raises(ValueError, match="reference") as error:
        parse_secret_ref(text)
    assert len(text) < 8 or text not in everything_said(error.value)


def test_systemd_may_keep_credentials_elsewhere() -> None:
    parse_secret_ref("file:/var/lib/creds/x", credentials_directory="/var/lib/creds")
    for directory in (None, "", "/", "creds", "/var/../etc", "/var/lib/other"):
        with pytest.raises(ValueError, match="reference"):
            parse_secret_ref("file:/var/lib/creds/x", credentials_directory=directory)
