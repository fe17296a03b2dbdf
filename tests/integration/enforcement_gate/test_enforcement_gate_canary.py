"""Who shows a token and a nonce hears what was seen of the request; nobody else hears anything."""

import hashlib

import pytest
from house import LEGACY, MODERN, House

HEADER, NONCE = "launchworthy-canary", "n" * 32


def test_a_verified_caller_hears_what_was_seen(house: House, revision: str) -> None:
    token = house.token("shop:read")
    method = "server/discover" if revision == MODERN else "ping"
    answer = house.post(method, revision=revision, token=token, headers={HEADER: NONCE})
    nonce, seen_revision, seen_method, name, digest, call = answer.headers[HEADER].split(" ")
    assert (nonce, seen_revision, name) == (NONCE, revision, "None")
    assert seen_method == (method if revision == MODERN else "None")
    assert digest == hashlib.sha256(token.encode()).hexdigest()
    assert call == answer.headers["launchworthy-call"]


@pytest.mark.parametrize("headers", [{}, {HEADER: "short"}, {HEADER: "n" * 30 + " n"}, {HEADER: "n" * 100}])
def test_who_does_not_ask_hears_nothing(house: House, headers: dict[str, str]) -> None:
    answer = house.post("server/discover", headers=headers)
    assert (answer.status_code, HEADER in answer.headers) == (200, False)


@pytest.mark.parametrize(("token", "status"), [(None, 401), ("not-a-token", 401)])
def test_a_stranger_hears_nothing(house: House, token: str | None, status: int) -> None:
    answer = house.post("server/discover", token=token, headers={HEADER: NONCE})
    assert (answer.status_code, HEADER in answer.headers) == (status, False)
    assert NONCE not in answer.text


def test_a_refused_request_and_a_call_hear_nothing(house: House) -> None:
    refused = house.post("server/discover", headers={HEADER: NONCE, "mcp-protocol-version": LEGACY})
    called = house.post("tools/call", {"name": "add", "arguments": {"a": 1, "b": 2}}, headers={HEADER: NONCE})
    assert (refused.status_code, called.status_code) == (400, 200)
    assert HEADER not in refused.headers
    assert HEADER not in called.headers


def test_metadata_hear_nothing(house: House) -> None:
    answer = house.http.get(
        house.resource.replace("/mcp", "/.well-known/oauth-protected-resource/mcp"), headers={HEADER: NONCE}
    )
    assert (answer.status_code, HEADER in answer.headers) == (200, False)
