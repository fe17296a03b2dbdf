"""The simulated issuer behaves as a strict one would: what it gives, and what it refuses."""

import hashlib
import re
import secrets
import socket
import time
from base64 import urlsafe_b64encode
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx2
import pytest
from joserfc import jwt
from joserfc.jwk import KeySet
from joserfc.jws import JWSRegistry

from launchworthy.testing.issuer import ABSENT, PERSON, Fault, SimulatedClient, SimulatedIssuer
from launchworthy.testing.issuer_clients import ASSERTION_TYPE, RegisteredClient
from launchworthy.testing.issuer_grants import ACCESS_TOKEN, EXCHANGE

ORDERS, PAYMENTS = "https://orders.acme.example/mcp", "https://payments.acme.example"
CALLBACK = "http://127.0.0.1:9/callback"
DOCUMENT = "https://agent.acme.example/client.json"
ALGORITHMS = ("ES256", "RS256", "Ed25519", "PS256")


class Clock:
    def __init__(self) -> None:
        self.ahead = 0

    def __call__(self) -> float:
        return time.time() + self.ahead  # noqa: TID251 - a test's own clock


CLOCK = Clock()


def metadata_of(client_id: str) -> dict[str, Any]:
    return {
        "client_id": DOCUMENT if client_id == DOCUMENT else "https://else.example",
        "redirect_uris": [CALLBACK],
    }


@pytest.fixture(scope="module")
def issuer() -> Iterator[SimulatedIssuer]:
    resources = {ORDERS: ("orders:read", "orders:write"), PAYMENTS: ("refunds:create", "orders:read")}
    running = SimulatedIssuer(
        resources, algorithms=ALGORITHMS, clock=CLOCK, fetch_client_metadata=metadata_of
    )
    running.clients.add(RegisteredClient(client_id="browser", keys=None, redirect_uris=(CALLBACK,)))
    with running:
        yield running


@pytest.fixture(scope="module")
def http() -> Iterator[httpx2.Client]:
    with httpx2.Client(trust_env=False) as client:
        yield client


def form(issuer: SimulatedIssuer, **changes: Any) -> dict[str, str]:
    fields = {
        "grant_type": "client_credentials",
        "client_assertion_type": ASSERTION_TYPE,
        "client_assertion": issuer.client.assertion(issuer.issuer, int(CLOCK())),
        "resource": ORDERS,
        "scope": "orders:read",
    } | changes
    return {name: value for name, value in fields.items() if value is not ABSENT}


def ask(http: httpx2.Client, issuer: SimulatedIssuer, **changes: Any) -> httpx2.Response:
    return http.post(issuer.token_endpoint, data=form(issuer, **changes))


def error(response: httpx2.Response) -> tuple[int, str]:
    return response.status_code, response.json()["error"]


def claims(issuer: SimulatedIssuer, http: httpx2.Client, token: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Header and claims, checked with another implementation of JWT."""
    keys = KeySet.import_key_set(http.get(issuer.jwks_uri).json())
    registry = JWSRegistry(algorithms=ALGORITHMS)
    read = jwt.decode(token, keys, registry=registry)
    return read.header, read.claims


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


def authorize(http: httpx2.Client, issuer: SimulatedIssuer, verifier: str, **changes: Any) -> httpx2.Response:
    challenge = urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
    query = {
        "response_type": "code",
        "client_id": "browser",
        "redirect_uri": CALLBACK,
        "resource": ORDERS,
        "scope": "orders:read",
        "state": "s<&>",
        "code_challenge": challenge,
        "code_challenge_method": "S256",
    } | changes
    kept = {name: value for name, value in query.items() if value is not ABSENT}
    return http.get(f"{issuer.issuer}/authorize", params=kept)


def click(
    http: httpx2.Client, issuer: SimulatedIssuer, page: httpx2.Response, answer: str = "yes"
) -> dict[str, str]:
    found = re.search(r'name="request" value="([^"]+)"', page.text)
    assert found is not None
    back = http.post(f"{issuer.issuer}/authorize", data={"request": found[1], "answer": answer})
    assert back.status_code == 303
    assert back.headers["location"].startswith(CALLBACK)
    return {name: values[0] for name, values in parse_qs(urlsplit(back.headers["location"]).query).items()}


def redeem(
    http: httpx2.Client, issuer: SimulatedIssuer, code: str, verifier: str, /, **changes: Any
) -> httpx2.Response:
    fields = {
        "grant_type": "authorization_code",
        "client_id": "browser",
        "code": code,
        "code_verifier": verifier,
        "redirect_uri": CALLBACK,
        "resource": ORDERS,
    } | changes
    return http.post(issuer.token_endpoint, data={k: v for k, v in fields.items() if v is not ABSENT})


def test_a_person_signs_in_with_one_click(issuer: SimulatedIssuer, http: httpx2.Client) -> None:
    verifier = secrets.token_urlsafe(32)
    page = authorize(http, issuer, verifier)
    assert "frame-ancestors 'none'" in page.headers["content-security-policy"]
    back = click(http, issuer, page)
    assert (back["state"], back["iss"]) == ("s<&>", issuer.issuer)
    answer = redeem(http, issuer, back["code"], verifier)
    _, read = claims(issuer, http, answer.json()["access_token"])
    assert (read["sub"], read["client_id"], read["aud"], read["scope"]) == (
        PERSON,
        "browser",
        ORDERS,
        "orders:read",
    )
    assert error(redeem(http, issuer, back["code"], verifier)) == (400, "invalid_grant")


def test_a_person_can_say_no_and_a_page_is_answered_once(
    issuer: SimulatedIssuer, http: httpx2.Client
) -> None:
    page = authorize(http, issuer, "v")
    assert click(http, issuer, page, "no")["error"] == "access_denied"
    found = re.search(r'name="request" value="([^"]+)"', page.text)
    assert found is not None
    again = http.post(f"{issuer.issuer}/authorize", data={"request": found[1], "answer": "yes"})
    assert error(again) == (400, "invalid_request")


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"code_verifier": "wrong"}, "invalid_grant"),
        ({"code_verifier": ABSENT}, "invalid_grant"),
        ({"redirect_uri": CALLBACK + "x"}, "invalid_grant"),
        ({"redirect_uri": ABSENT}, "invalid_grant"),
        ({"client_id": DOCUMENT}, "invalid_grant"),
        ({"code": "wrong"}, "invalid_grant"),
        ({"resource": PAYMENTS}, "invalid_target"),
        ({"resource": ABSENT}, "invalid_target"),
    ],
)
def test_a_code_is_for_its_client_address_verifier_and_resource(
    issuer: SimulatedIssuer, http: httpx2.Client, change: dict[str, Any], code: str
) -> None:
    verifier = secrets.token_urlsafe(32)
    back = click(http, issuer, authorize(http, issuer, verifier))
    assert error(redeem(http, issuer, back["code"], verifier, **change)) == (400, code)
    good = click(http, issuer, authorize(http, issuer, verifier))
    assert redeem(http, issuer, good["code"], verifier).status_code == 200


def test_a_code_ends_after_a_minute(issuer: SimulatedIssuer, http: httpx2.Client) -> None:
    back = click(http, issuer, authorize(http, issuer, "v"))
    CLOCK.ahead += 61
    assert error(redeem(http, issuer, back["code"], "v")) == (400, "invalid_grant")


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"code_challenge_method": "plain"}, "invalid_request"),
        ({"code_challenge_method": ABSENT}, "invalid_request"),
        ({"code_challenge": ABSENT}, "invalid_request"),
        ({"code_challenge": "short"}, "invalid_request"),
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"resource": ABSENT}, "invalid_target"),
        ({"scope": "admin"}, "invalid_scope"),
    ],
)
def test_a_wrong_authorization_request_goes_back_with_its_error(
    issuer: SimulatedIssuer, http: httpx2.Client, change: dict[str, Any], code: str
) -> None:
    back = authorize(http, issuer, "v", **change)
    assert back.status_code == 303
    answer = parse_qs(urlsplit(back.headers["location"]).query)
    assert (answer["error"], answer["state"]) == ([code], ["s<&>"])


@pytest.mark.parametrize(
    "change",
    [
        {"redirect_uri": "https://evil.example/"},
        {"redirect_uri": CALLBACK + "/x"},
        {"redirect_uri": ABSENT},
        {"client_id": "nobody"},
        {"client_id": "https://else.example/client.json"},
        {"client_id": ABSENT},
    ],
)
def test_what_names_no_known_client_and_address_goes_nowhere(
    issuer: SimulatedIssuer, http: httpx2.Client, change: dict[str, Any]
) -> None:
    answer = authorize(http, issuer, "v", **change)
    assert answer.status_code in (400, 401)
    assert "location" not in answer.headers


def test_a_client_may_be_known_by_its_metadata_document(issuer: SimulatedIssuer, http: httpx2.Client) -> None:
    back = click(http, issuer, authorize(http, issuer, "v" * 43, client_id=DOCUMENT))
    assert redeem(http, issuer, back["code"], "v" * 43, client_id=DOCUMENT).status_code == 200


def test_the_page_shows_what_a_client_sends_without_believing_it(
    issuer: SimulatedIssuer, http: httpx2.Client
) -> None:
    issuer.clients.add(RegisteredClient(client_id="<script>x</script>", keys=None, redirect_uris=(CALLBACK,)))
    page = authorize(http, issuer, "v", client_id="<script>x</script>")
    assert page.status_code == 200
    assert "<script>" not in page.text


def test_a_client_can_register_itself(issuer: SimulatedIssuer, http: httpx2.Client) -> None:
    answer = http.post(f"{issuer.issuer}/register", json={"redirect_uris": [CALLBACK], "client_name": "x"})
    assert answer.status_code == 201
    client_id = answer.json()["client_id"]
    assert "client_secret" not in answer.json()
    back = click(http, issuer, authorize(http, issuer, "v" * 43, client_id=client_id))
    assert redeem(http, issuer, back["code"], "v" * 43, client_id=client_id).status_code == 200


def test_a_client_can_register_with_a_key(issuer: SimulatedIssuer, http: httpx2.Client) -> None:
    agent = SimulatedClient("will-be-named")
    public = {"keys": [agent.key.as_dict(private=False)]}
    wish = {"token_endpoint_auth_method": "private_key_jwt", "jwks": public}
    agent.client_id = http.post(f"{issuer.issuer}/register", json=wish).json()["client_id"]
    assert ask(http, issuer, client_assertion=agent.assertion(issuer.issuer, int(CLOCK()))).status_code == 200


@pytest.mark.parametrize(
    "wish",
    [
        b"x",
        b"[]",
        b'{"redirect_uris": "x"}',
        b'{"redirect_uris": [1]}',
        b'{"token_endpoint_auth_method": "client_secret_basic"}',
        b'{"token_endpoint_auth_method": "private_key_jwt"}',
        b'{"token_endpoint_auth_method": "private_key_jwt", "jwks": {"keys": [{}]}}',
    ],
)
def test_a_senseless_registration_is_refused(
    issuer: SimulatedIssuer, http: httpx2.Client, wish: bytes
) -> None:
    assert http.post(f"{issuer.issuer}/register", content=wish).status_code == 400


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
