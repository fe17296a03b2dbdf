"""A client with a secret proves itself by it, one way at a time; and the issuer offers only what there is."""

from base64 import b64encode
from typing import Any

import httpx2
import pytest
from tokens_issuer_world import ORDERS

from launchworthy.testing.issuer import SimulatedIssuer
from launchworthy.testing.issuer_clients import RegisteredClient

SECRET = "only-for-this-test+%"


@pytest.fixture
def shared(issuer: SimulatedIssuer) -> str:
    issuer.clients.add(RegisteredClient(client_id="shared", keys=None, redirect_uris=(), secret=SECRET))
    return "shared"


def ask(http: httpx2.Client, issuer: SimulatedIssuer, basic: str | None, **form: Any) -> int:
    headers = {} if basic is None else {"authorization": basic}
    data = {"grant_type": "client_credentials", "resource": ORDERS, "scope": "orders:read", **form}
    return http.post(issuer.token_endpoint, data=data, headers=headers).status_code


def basic(name: str, secret: str) -> str:
    return "Basic " + b64encode(f"{name}:{secret}".encode()).decode()


QUOTED = "only-for-this-test%2B%25"


def test_a_secret_comes_in_the_header_or_in_the_form(issuer, http, shared):
    assert ask(http, issuer, basic(shared, QUOTED)) == 200
    assert ask(http, issuer, basic(shared, QUOTED), client_id=shared) == 200
    assert ask(http, issuer, None, client_id=shared, client_secret=SECRET) == 200


@pytest.mark.parametrize(
    ("header", "form"),
    [
        (basic("shared", "wrong"), {}),
        (basic("shared", ""), {}),
        (basic("shared", QUOTED), {"client_secret": SECRET}),
        (basic("shared", QUOTED), {"client_id": "browser"}),
        ("Basic !", {}),
        ("Basic " + b64encode(b"shared").decode(), {}),
        ("Bearer " + b64encode(f"shared:{QUOTED}".encode()).decode(), {}),
        (None, {"client_id": "shared"}),
        (None, {"client_id": "shared", "client_secret": ""}),
        (None, {"client_id": "browser", "client_secret": "anything"}),
    ],
)
@pytest.mark.usefixtures("shared")
def test_any_other_way_is_no_proof(issuer, http, header, form):
    assert ask(http, issuer, header, **form) == 401


def test_what_nobody_can_use_is_not_offered(http):
    def offered(issuer: SimulatedIssuer) -> tuple[set[str], set[str], bool]:
        found = http.get(f"{issuer.issuer}/.well-known/oauth-authorization-server").json()
        return (
            set(found["token_endpoint_auth_methods_supported"]),
            {one for one in found["grant_types_supported"] if one.endswith("jwt-bearer")},
            found["client_id_metadata_document_supported"],
        )

    with SimulatedIssuer({ORDERS: ("orders:read",)}) as lonely:
        assert offered(lonely) == ({"private_key_jwt", "none"}, set(), False)
        answer = http.get(f"{lonely.issuer}/authorize", params={"client_id": "https://agent.acme.example/c"})
        assert answer.json()["error"] == "invalid_client"
        lonely.clients.add(RegisteredClient(client_id="a", keys=None, redirect_uris=(), secret=SECRET))
        lonely.trust(lonely)
        methods, grants, _ = offered(lonely)
        assert {"client_secret_basic", "client_secret_post"} < methods
        assert grants == {"urn:ietf:params:oauth:grant-type:jwt-bearer"}
    known = SimulatedIssuer(
        {ORDERS: ("orders:read",)}, fetch_client_metadata=lambda name: {"client_id": name}
    )
    with known:
        assert offered(known)[2] is True


def test_nobody_is_vouched_for_where_nobody_is_trusted(issuer, http, shared):
    word = issuer.vouch(issuer.issuer, issuer.grant(client=shared))
    jwt_bearer = {"grant_type": "urn:ietf:params:oauth:grant-type:jwt-bearer", "assertion": word}
    answer = http.post(
        issuer.token_endpoint, data=jwt_bearer | {"client_id": shared, "client_secret": SECRET}
    )
    assert answer.json()["error"] == "unsupported_grant_type"
