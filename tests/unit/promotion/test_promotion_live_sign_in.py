"""Whose answer to a sign-in counts, where a live run has a person sign in?"""

import threading
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import httpx2
import pytest

from launchworthy.probe.issuing import CannotMint
from launchworthy.promotion.live.sign_in import SignIn

ISSUER = "https://login.acme.example"
METADATA = {"authorization_endpoint": f"{ISSUER}/authorize"}
SAYS_WHO = {**METADATA, "authorization_response_iss_parameter_supported": True}
ASKED = {"resource": "https://orders.acme.example/mcp", "scope": "orders:read"}


def code(metadata: dict[str, Any], **answer: str) -> dict[str, str]:
    """What becomes of an answer; a browser brings it, with the state that was asked with."""

    def show(purpose: str, address: str) -> None:
        assert purpose == f"a token for {ASKED['resource']}"
        asked = {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}
        assert asked.items() >= ASKED.items()
        query = urlencode({"state": asked["state"], "code": "c-1", **answer})
        bring = (f"{asked['redirect_uri']}?{query}",)
        threading.Thread(target=lambda url: httpx2.get(url, trust_env=False), args=bring, daemon=True).start()

    return SignIn(show=show, wait=10).code(metadata, issuer=ISSUER, client="live", asked=ASKED)


@pytest.mark.parametrize("metadata", [METADATA, SAYS_WHO])
def test_the_answer_to_this_question_brings_its_code(metadata: dict[str, Any]) -> None:
    form = code(metadata, iss=ISSUER)
    assert (form["grant_type"], form["code"], form["client_id"]) == ("authorization_code", "c-1", "live")
    assert len(form["code_verifier"]) >= 43


def test_an_issuer_that_says_that_it_names_itself_must() -> None:
    assert code(METADATA)["code"] == "c-1"
    with pytest.raises(CannotMint, match="does not say whose it is"):
        code(SAYS_WHO)


@pytest.mark.parametrize(
    "answer", [{"iss": "https://elsewhere.example"}, {"state": "another"}, {"error": "access_denied"}]
)
def test_any_other_answer_brings_none(answer: dict[str, str]) -> None:
    with pytest.raises(CannotMint, match="the sign-in failed"):
        code(METADATA, **answer)


def test_nobody_is_waited_for_for_ever() -> None:
    with pytest.raises(CannotMint, match="nobody came back from the sign-in"):
        SignIn(show=lambda *_: None, wait=0.5).code(METADATA, issuer=ISSUER, client="live", asked=ASKED)


@pytest.mark.parametrize("others", ["", "&code=c-2", "&state=another", "&iss=https://elsewhere.example"])
def test_what_says_something_twice_is_no_answer_and_other_visits_end_no_wait(others: str) -> None:
    def bring(address: str) -> None:
        asked = {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}
        query = urlencode({"state": asked["state"], "code": "c-1", "iss": ISSUER})
        with httpx2.Client(trust_env=False, base_url=asked["redirect_uri"]) as browser:
            for _ in range(24):  # more visits than there are half seconds
                assert browser.get("/favicon.ico").status_code == 404
            heard.append(browser.get(f"{asked['redirect_uri']}?{query}{others}").status_code)

    def show(_purpose: str, address: str) -> None:
        threading.Thread(target=bring, args=(address,), daemon=True).start()

    heard: list[int] = []
    sign_in = SignIn(show=show, wait=1 if others else 10)
    if others:
        with pytest.raises(CannotMint, match="nobody came back"):
            sign_in.code(METADATA, issuer=ISSUER, client="live", asked=ASKED)
    else:
        assert sign_in.code(METADATA, issuer=ISSUER, client="live", asked=ASKED)["code"] == "c-1"
    assert heard in ([400] if others else [200], [])
