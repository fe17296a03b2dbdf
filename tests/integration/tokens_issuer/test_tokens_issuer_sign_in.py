"""A person says yes once, to one client, for one resource; and clients become known."""

import hashlib
import re
import secrets
from base64 import urlsafe_b64encode
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx2
import pytest
from tokens_issuer_world import CALLBACK, CLOCK, DOCUMENT, ORDERS, PAYMENTS, ask, claims, error

from launchworthy.testing.issuer import ABSENT, PERSON, SimulatedClient, SimulatedIssuer
from launchworthy.testing.issuer_clients import RegisteredClient


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
