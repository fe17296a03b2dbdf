"""Where a client's way in is wrong in one thing, it ends there: no token, no call, and a clear error."""

import re

import pytest
from mcp.client.auth import OAuthFlowError
from mcp.client.auth.oauth2 import OAuthTokenError
from sdk_client_orders import (
    DOCUMENT,
    Company,
    Person,
    by_assertion,
    by_key,
    by_secret,
    by_sign_in,
    run,
    watched,
)


def ended(place: Company, auth, mode: str):
    """The error that the client ends with."""

    async def scenario():
        async with watched(place, auth, mode) as (client, _):
            await client.call_tool("find_orders", {"customer": "c-17"})

    with pytest.raises(BaseException) as raised:  # noqa: PT011 - a group, narrowed below
        run(scenario)
    return _innermost(raised.value)


def _innermost(error: BaseException) -> BaseException:
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error


@pytest.mark.parametrize(
    ("auth", "said"),
    [
        (lambda place: by_secret(place, client_secret="another"), "invalid_client"),
        (lambda place: by_secret(place, client_id="nobody"), "invalid_client"),
        (lambda place: by_secret(place, client_id="simulated-agent"), "invalid_client"),
        (lambda place: by_key(place, aud="https://else.example"), "invalid_client"),
        (lambda place: by_key(place, iss="else"), "invalid_client"),
        (lambda place: by_assertion(place, claims={"aud": "https://else.example"}), "invalid_grant"),
        (lambda place: by_assertion(place, claims={"client_id": "another"}), "invalid_grant"),
        (lambda place: by_assertion(place, claims={"resource": "https://else.example"}), "invalid_target"),
        (lambda place: by_assertion(place, claims={"exp": 5}), "invalid_grant"),
        (lambda place: by_assertion(place, claims={"exp": 4_000_000_000}), "invalid_grant"),
        (lambda place: by_assertion(place, claims={"jti": ""}), "invalid_grant"),
        (lambda place: by_assertion(place, claims={"iss": "https://else.example"}), "invalid_grant"),
        (lambda place: by_assertion(place, header={"typ": "at+jwt"}), "invalid_grant"),
        (lambda place: by_assertion(place, header={"kid": "nobody"}), "invalid_grant"),
        (lambda place: by_assertion(place, signature=lambda _: bytes(64)), "invalid_grant"),
        (lambda place: by_assertion(place, held=("orders:write",)), "invalid_scope"),
    ],
)
def test_a_proof_that_is_wrong_in_one_thing_gets_no_token(place: Company, auth, said: str) -> None:
    place.world.executions.taken()
    error = ended(place, auth(place), "2026-07-28")
    assert isinstance(error, OAuthTokenError)
    assert said in str(error)
    assert place.world.executions.taken() == 0


def test_a_person_may_say_no(place: Company, mode: str) -> None:
    error = ended(place, by_sign_in(place, person=Person("no")), mode)
    assert isinstance(error, OAuthFlowError)
    assert "No authorization code" in str(error)


def test_a_document_that_is_another_clients_opens_no_page(place: Company) -> None:
    error = ended(place, by_sign_in(place, DOCUMENT.replace("agent", "thief")), "2026-07-28")
    assert isinstance(error, OAuthFlowError)
    assert "State parameter mismatch" in str(error)  # nothing came back at all


def test_a_client_that_is_bound_to_another_issuer_sends_its_secret_nowhere(place: Company) -> None:
    before = place.issuer.counts["token"]
    error = ended(place, by_secret(place, issuer="http://127.0.0.1:9"), "2026-07-28")
    assert isinstance(error, OAuthFlowError)
    assert re.search("issuer mismatch", str(error))
    assert place.issuer.counts["token"] == before


def test_an_identity_assertion_is_redeemed_once(place: Company) -> None:
    jti = {"jti": "one-of-a-kind"}

    async def scenario():
        async with watched(place, by_assertion(place, claims=jti), "2026-07-28") as (client, _):
            await client.call_tool("find_orders", {"customer": "c-17"})

    run(scenario)
    assert "invalid_grant" in str(ended(place, by_assertion(place, claims=jti), "2026-07-28"))
