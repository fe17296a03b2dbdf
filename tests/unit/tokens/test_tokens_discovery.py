"""An issuer's metadata are taken from three places, and believed only about itself."""

import pytest

from launchworthy.tokens.discovery import MetadataError, WrongIssuerError, endpoint_of, well_known_urls

ISSUER = "https://login.acme.example/tenant"
GOOD = {"issuer": ISSUER, "jwks_uri": "https://login.acme.example/keys?p=1"}


OAUTH, OPENID = "/.well-known/oauth-authorization-server", "/.well-known/openid-configuration"


@pytest.mark.parametrize(
    ("issuer", "paths"),
    [
        ("https://h.example", (OAUTH, OPENID)),
        ("https://h.example/", (OAUTH, OPENID)),
        ("https://h.example/t", (f"{OAUTH}/t", f"{OPENID}/t", f"/t{OPENID}")),
        ("https://h.example/t/u/", (f"{OAUTH}/t/u", f"{OPENID}/t/u", f"/t/u{OPENID}")),
    ],
)
def test_metadata_are_looked_for_in_the_well_known_places(issuer: str, paths: tuple[str, ...]) -> None:
    assert well_known_urls(issuer) == tuple(f"https://h.example{path}" for path in paths)


def test_the_address_of_the_keys_is_taken_from_metadata_of_exactly_this_issuer() -> None:
    assert (
        endpoint_of(GOOD, "jwks_uri", ISSUER, allow_loopback_http=False)
        == "https://login.acme.example/keys?p=1"
    )


@pytest.mark.parametrize(
    "issuer",
    [ISSUER + "/", ISSUER.upper(), "https://login.acme.example", "https://evil.example", None, 5, [ISSUER]],
)
def test_metadata_of_another_issuer_are_refused(issuer: object) -> None:
    with pytest.raises(WrongIssuerError):
        endpoint_of({**GOOD, "issuer": issuer}, "jwks_uri", ISSUER, allow_loopback_http=False)


@pytest.mark.parametrize(
    "uri",
    [
        None,
        5,
        "",
        [GOOD["jwks_uri"]],
        "/keys",
        "http://login.acme.example/keys",
        "https://keys.acme.example/keys",
        "https://login.acme.example:8443/keys",
        "https://a@login.acme.example/keys",
        "https://169.254.169.254/latest",
        "https://login.acme.example.evil.example/keys",
        "file:///etc/passwd",
        "https://login.acme.example/keys#x",
        "http://127.0.0.1/keys",
    ],
)
@pytest.mark.parametrize("simulated", [False, True])
def test_keys_that_are_not_https_on_the_issuers_host_are_refused(uri: object, *, simulated: bool) -> None:
    with pytest.raises(MetadataError):
        endpoint_of({**GOOD, "jwks_uri": uri}, "jwks_uri", ISSUER, allow_loopback_http=simulated)
