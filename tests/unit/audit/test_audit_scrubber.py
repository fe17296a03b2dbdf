"""The scrubber: what is nothing but a secret is cut out, and what is not stays."""

import base64

import pytest

from launchworthy.audit.scrubber import Scrubber

JWT = "eyJ" + "hbGciOiJFUzI1NiJ9.eyJzdWIiOiJ4In0.c2lnbmF0dXJlLWJ5dGVz"
KEY = "-----BEGIN {}PRIVATE KEY-----\nMIGHAgEAMBMGByqGSM49\n-----END {}PRIVATE KEY-----"


@pytest.mark.parametrize(
    ("kind", "secret"),
    [
        ("jwt", JWT),
        ("jwt", JWT.rpartition(".")[0]),
        ("jwt", "eyJ" + "hbGciOiJkaXIifQ..aXY.Y2lwaGVydGV4dA.dGFn"),
        ("jwt", "eyJ" + "hbGciOiJFUzI1NiIsInR5cCI6ImF0K2p3dCIsImtpZCI6IjEifQ"),
        ("authorization", f"Bearer {JWT}"),
        ("authorization", "bearer mF_9.B5f-4.1JqM"),
        ("authorization", "DPoP Kz~8mXK1EalYznwH-LC-1fBAo.4Ljp~zsPE_NeO.gxU"),
        ("authorization", "Basic " + "dXNlcjpwYXNzd29yZA=="),
        ("private_key", KEY.format("", "")),
        ("private_key", KEY.format("EC ", "EC ")),
        ("private_key", KEY.format("RSA ", "RSA ")[:50]),
        ("parameter", "access_token=mF_9.B5f-4.1JqM"),
        ("parameter", '"client_secret": "{}"'.format("s3cr3t-s3cr3t")),
        ("parameter", "password: " + "correct-horse-battery"),
        ("userinfo", "postgres://orders:" + "hunter2@db.acme.example/orders"),
        ("aws", "AKIA" + "IOSFODNN7EXAMPLE"),
        ("github", "ghp_" + "a" * 36),
        ("github", "github_pat_" + "a" * 40),
        ("gitlab", "glpat-" + "a" * 20),
        ("google", "AIza" + "a" * 35),
        ("openbao", "hvs." + "a" * 30),
        ("openbao", "s." + "a" * 24),
        ("package_index", "pypi-" + "a" * 60),
        ("slack", "xoxb-" + "1" * 20),
        ("service", "sk_live_" + "a" * 24),
    ],
)
def test_a_secret_is_cut_out_and_counted_by_kind(kind, secret):
    scrubber = Scrubber()
    scrubbed = scrubber.scrub(f"before {secret} after")
    assert f"[scrubbed:{kind}]" in scrubbed
    assert scrubber.hits[kind] == 1
    assert scrubbed.startswith("before ")
    tail = secret.rpartition("@")[0].rpartition(":")[2] if kind == "userinfo" else secret[-8:]
    assert tail not in scrubbed


@pytest.mark.parametrize(
    "text",
    [
        "Bearer",
        'Bearer scope="orders:read", resource_metadata="https://orders.acme.example/.well-known/x"',
        'Bearer error="invalid_token", error_description="the token is expired"',
        "invalid_token insufficient_scope",
        "the password is missing",
        "https://login.acme.example/authorize?client_id=support-agent",
        "spiffe://acme.example/ns/orders/sa/orders",
        "policy 9c41" + "9c41" * 15,
        "4T7K-9QX2-M0DV",
        "urn:launchworthy:stream:ab00" + "ab" * 14,
        base64.b64encode(bytes(32)).decode(),
        "-----BEGIN CERTIFICATE-----",
        "orders.refund_order_with_a_very_long_name_that_goes_on",
        "",
    ],
)
def test_what_is_no_secret_stays(text):
    scrubber = Scrubber()
    assert scrubber.scrub(text) == text
    assert not scrubber.hits


def test_several_secrets_in_a_text_are_all_cut_out():
    scrubber = Scrubber()
    assert scrubber.scrub(f"{JWT} and {JWT}") == "[scrubbed:jwt] and [scrubbed:jwt]"
    assert scrubber.hits["jwt"] == 2


def test_a_long_text_is_scrubbed_in_time():
    hostile = ("eyJ" + "a" * 20 + ".") * 20_000 + "-----BEGIN PRIVATE KEY-----" * 1000 + "bearer " * 10_000
    assert "PRIVATE KEY" not in Scrubber().scrub(hostile)
