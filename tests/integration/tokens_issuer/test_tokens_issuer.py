"""The simulated issuer behaves as a strict one would: what it gives, and what it refuses."""

import socket
from typing import Any
from urllib.parse import urlsplit

import httpx2
import pytest
from tokens_issuer_world import ALGORITHMS, CLOCK, ORDERS, PAYMENTS, ask, claims, error

from launchworthy.testing.issuer import ABSENT, PERSON, Fault, SimulatedClient, SimulatedIssuer
from launchworthy.testing.issuer_clients import ASSERTION_TYPE
from launchworthy.testing.issuer_grants import ACCESS_TOKEN, EXCHANGE


def test_discovery_names_what_there_is(issuer: SimulatedIssuer, http: httpx2.Client) -> None:
    for place in ("oauth-authorization-server", "openid-configuration"):
        metadata = http.get(f"{issuer.issuer}/.well-known/{place}").json()
        assert (metadata["issuer"], metadata["jwks_uri"]) == (issuer.issuer, issuer.jwks_uri)
        assert metadata["code_challenge_methods_supported"] == ["S256"]


def test_the_key_set_holds_no_private_part(issuer: SimulatedIssuer, http: httpx2.Client) -> None:
    keys = http.get(issuer.jwks_uri).json()["keys"]
    assert [key["alg"] for key in keys] == list(ALGORITHMS)
    assert all({"d", "p", "q", "k"}.isdisjoint(key) for key in keys)


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_a_minted_token_is_signed_with_the_algorithm_that_is_asked_for(
    issuer: SimulatedIssuer, http: httpx2.Client, algorithm: str
) -> None:
    header, _ = claims(issuer, http, issuer.mint(algorithm=algorithm))
    assert header == {"alg": algorithm, "kid": issuer.keys.active(algorithm).kid, "typ": "at+jwt"}


def test_minting_changes_exactly_what_is_asked(issuer: SimulatedIssuer, http: httpx2.Client) -> None:
    _, plain = claims(issuer, http, issuer.mint())
    _, changed = claims(issuer, http, issuer.mint(claims={"sub": "other", "jti": ABSENT}))
    assert {"iss", "sub", "aud", "exp", "iat", "jti", "client_id", "scope"} == set(plain)
    assert changed["sub"] == "other"
    assert set(plain) - set(changed) == {"jti"}
    assert all(plain[name] == changed[name] for name in ("iss", "aud", "client_id", "scope"))


def test_client_credentials_give_an_access_token_for_one_resource(
    issuer: SimulatedIssuer, http: httpx2.Client
) -> None:
    answer = ask(http, issuer)
    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "no-store"
    body = answer.json()
    assert (body["token_type"], body["expires_in"], body["scope"]) == ("Bearer", 600, "orders:read")
    header, read = claims(issuer, http, body["access_token"])
    assert header["typ"] == "at+jwt"
    assert (read["aud"], read["sub"], read["client_id"]) == (ORDERS, "simulated-agent", "simulated-agent")


def test_an_assertion_is_good_once(issuer: SimulatedIssuer, http: httpx2.Client) -> None:
    assertion = issuer.client.assertion(issuer.issuer, int(CLOCK()))
    assert ask(http, issuer, client_assertion=assertion).status_code == 200
    assert error(ask(http, issuer, client_assertion=assertion)) == (401, "invalid_client")


@pytest.mark.parametrize(
    "change",
    [
        {"aud": "{token}"},
        {"aud": "{issuer}/"},
        {"aud": ["{issuer}", "https://else.example"]},
        {"iss": "else"},
        {"sub": "else"},
        {"exp": 5},
        {"exp": 4_000_000_000},
        {"exp": None},
        {"jti": ""},
    ],
)
def test_an_assertion_that_is_wrong_in_one_way_is_refused(
    issuer: SimulatedIssuer, http: httpx2.Client, change: dict[str, Any]
) -> None:
    def filled(value: Any) -> Any:
        if isinstance(value, str):
            return value.format(token=issuer.token_endpoint, issuer=issuer.issuer)
        return [filled(item) for item in value] if isinstance(value, list) else value

    changes = {name: filled(value) for name, value in change.items()}
    audience = changes.pop("aud", issuer.issuer)
    assertion = issuer.client.assertion(audience, int(CLOCK()), **changes)
    assert error(ask(http, issuer, client_assertion=assertion)) == (401, "invalid_client")
    assert ask(http, issuer).status_code == 200


def test_an_assertion_of_another_key_is_refused(issuer: SimulatedIssuer, http: httpx2.Client) -> None:
    thief = SimulatedClient(issuer.client.client_id).assertion(issuer.issuer, int(CLOCK()))
    for assertion in (thief, "x", "a.b.c", ""):
        assert error(ask(http, issuer, client_assertion=assertion)) == (401, "invalid_client")


def test_a_client_with_a_key_does_not_come_without(issuer: SimulatedIssuer, http: httpx2.Client) -> None:
    bare = ask(
        http, issuer, client_assertion=ABSENT, client_assertion_type=ABSENT, client_id="simulated-agent"
    )
    assert error(bare) == (401, "invalid_client")


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"resource": ABSENT}, "invalid_target"),
        ({"resource": "https://else.example"}, "invalid_target"),
        ({"resource": f"{ORDERS}/"}, "invalid_target"),
        ({"resource": [ORDERS, PAYMENTS]}, "invalid_target"),
        ({"scope": "orders:read refunds:create"}, "invalid_scope"),
        ({"scope": ["orders:read", "orders:write"]}, "invalid_request"),
        ({"grant_type": "password"}, "unsupported_grant_type"),
        ({"grant_type": ABSENT}, "unsupported_grant_type"),
    ],
)
def test_a_request_for_anything_but_one_known_resource_and_its_scopes_is_refused(
    issuer: SimulatedIssuer, http: httpx2.Client, change: dict[str, Any], code: str
) -> None:
    assert error(ask(http, issuer, **change)) == (400, code)


def exchange(
    http: httpx2.Client, issuer: SimulatedIssuer, subject_token: str, /, **changes: Any
) -> httpx2.Response:
    fields: dict[str, Any] = {
        "grant_type": EXCHANGE,
        "subject_token": subject_token,
        "subject_token_type": ACCESS_TOKEN,
        "resource": PAYMENTS,
        "scope": "orders:read",
    }
    return ask(http, issuer, **fields | changes)


def test_an_exchanged_token_is_narrower_ends_no_later_and_names_who_acts(
    issuer: SimulatedIssuer, http: httpx2.Client
) -> None:
    ends = int(CLOCK()) + 100
    subject = issuer.mint(
        issuer.grant(subject=PERSON, client="browser"), claims={"exp": ends, "act": {"sub": "before"}}
    )
    body = exchange(http, issuer, subject).json()
    _, read = claims(issuer, http, body["access_token"])
    assert body["issued_token_type"] == ACCESS_TOKEN
    assert 98 <= body["expires_in"] <= 100
    assert (read["sub"], read["aud"], read["exp"], read["scope"]) == (PERSON, PAYMENTS, ends, "orders:read")
    assert read["act"] == {"sub": "simulated-agent", "act": {"sub": "before"}}


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"scope": "refunds:create"}, "invalid_scope"),
        ({"subject_token": "x"}, "invalid_grant"),
        ({"subject_token": ABSENT}, "invalid_grant"),
        ({"subject_token_type": "urn:ietf:params:oauth:token-type:id_token"}, "invalid_request"),
        ({"requested_token_type": "urn:ietf:params:oauth:token-type:id-jag"}, "invalid_request"),
        ({"resource": "https://else.example"}, "invalid_target"),
    ],
)
def test_an_exchange_for_more_is_refused(
    issuer: SimulatedIssuer, http: httpx2.Client, change: dict[str, Any], code: str
) -> None:
    assert error(exchange(http, issuer, issuer.mint(), **change)) == (400, code)
    assert exchange(http, issuer, issuer.mint()).status_code == 200


def test_a_token_of_a_withdrawn_key_an_old_or_a_forged_one_is_not_exchanged(
    issuer: SimulatedIssuer, http: httpx2.Client
) -> None:
    old = issuer.mint(claims={"exp": int(CLOCK()) - 1})
    forged = issuer.mint(signature=lambda _: bytes(64))
    unknown = issuer.mint(header={"kid": "nobody"})
    for token in (old, forged, unknown):
        assert error(exchange(http, issuer, token)) == (400, "invalid_grant")


def test_a_public_client_can_neither_act_for_itself_nor_for_others(
    issuer: SimulatedIssuer, http: httpx2.Client
) -> None:
    public = {"client_assertion": ABSENT, "client_assertion_type": ABSENT, "client_id": "browser"}
    assert error(ask(http, issuer, **public)) == (400, "unauthorized_client")
    assert error(exchange(http, issuer, issuer.mint(), **public)) == (400, "unauthorized_client")


def test_a_revoked_token_is_not_exchanged_any_more(issuer: SimulatedIssuer, http: httpx2.Client) -> None:
    token = issuer.mint(claims={"jti": "to-be-revoked"})
    proof = {"client_assertion_type": ASSERTION_TYPE}
    for sent in ("none-of-ours", token):
        assertion = issuer.client.assertion(issuer.issuer, int(CLOCK()))
        answer = http.post(
            f"{issuer.issuer}/revoke", data={"token": sent, "client_assertion": assertion, **proof}
        )
        assert answer.status_code == 200
    assert issuer.revoked("to-be-revoked")
    assert not issuer.revoked("another")
    assert error(exchange(http, issuer, token)) == (400, "invalid_grant")


def test_the_token_endpoint_can_be_broken(issuer: SimulatedIssuer, http: httpx2.Client) -> None:
    issuer.faults.token = Fault.STATUS_500
    assert ask(http, issuer).status_code == 500
    issuer.faults.clear()
    assert ask(http, issuer).status_code == 200


def test_a_stopped_issuer_refuses_connections_and_comes_back_as_the_same() -> None:
    issuer = SimulatedIssuer({ORDERS: ("orders:read",)})
    issuer.start()
    issuer.start()
    before = httpx2.get(issuer.jwks_uri, trust_env=False).json()
    issuer.stop()
    issuer.stop()
    with pytest.raises(httpx2.ConnectError):
        httpx2.get(issuer.jwks_uri, trust_env=False)
    with issuer:
        assert httpx2.get(issuer.jwks_uri, trust_env=False).json() == before


def test_it_listens_on_loopback_only(issuer: SimulatedIssuer) -> None:
    port = urlsplit(issuer.issuer).port
    assert port is not None
    outside = {info[4][0] for info in socket.getaddrinfo(socket.gethostname(), port, type=socket.SOCK_STREAM)}
    for address in outside - {"127.0.0.1", "127.0.1.1", "::1"}:
        with socket.socket(socket.AF_INET6 if ":" in str(address) else socket.AF_INET) as attempt:
            attempt.settimeout(1)
            assert attempt.connect_ex((str(address), port)) != 0


@pytest.mark.parametrize(
    "make", [lambda: SimulatedIssuer({}), lambda: SimulatedIssuer({ORDERS: ()}, algorithms=())]
)
def test_an_issuer_without_resources_or_keys_is_refused(make: Any) -> None:
    with pytest.raises(ValueError, match="at least one"):
        make()


def test_an_algorithm_it_does_not_have_is_refused() -> None:
    with pytest.raises(ValueError, match="HS256"):
        SimulatedIssuer({ORDERS: ("a",)}, algorithms=("HS256",))
