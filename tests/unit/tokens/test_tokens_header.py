"""A header only names an algorithm and a key; what it names is looked at before anybody is asked."""

import json

import pytest

from launchworthy.tokens.header import Header, read_header
from launchworthy.vocabulary import Reason, Refused

GOOD: dict[str, object] = {"alg": "ES256", "kid": "k", "typ": "at+jwt"}


def test_a_header_names_an_algorithm_and_a_key() -> None:
    assert read_header(json.dumps(GOOD).encode(), frozenset()) == Header(
        algorithm="ES256", kid="k", type="at+jwt"
    )


@pytest.mark.parametrize("kid", ["", "k" * 257, 5, None])
def test_a_kid_that_no_key_can_have_is_refused_without_asking_for_keys(kid: object) -> None:
    read_header(json.dumps(GOOD | {"kid": "k" * 256}).encode(), frozenset())
    with pytest.raises(Refused, match="not a string of 1 to 256") as refusal:
        read_header(json.dumps(GOOD | {"kid": kid}).encode(), frozenset())
    assert refusal.value.reason is Reason.TOKEN_KID


def test_refusals_are_not_remembered_as_headers() -> None:
    bad = json.dumps(GOOD | {"crit": ["b64"]}).encode()
    for _ in range(3):
        with pytest.raises(Refused):
            read_header(bad, frozenset())
