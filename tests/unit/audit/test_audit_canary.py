"""A sighting says what a server saw, to the one who knows what was sent, and by nobody's word but its own."""

import json
import time
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import replace

import pytest

from launchworthy.audit.canary import (
    CanaryError,
    Shown,
    Sighting,
    changed,
    decode,
    encode,
    is_nonce,
    new_sighting,
    signed_by,
    verify_signed,
)
from launchworthy.identity.proof import prove_x509
from launchworthy.identity.workload import Proof
from launchworthy.testing.authority import SimulatedAuthority
from launchworthy.testing.caller_tls import identity_of

NONCE, OTHER = "n" * 32, "o" * 32
SENT = Shown(token="a" * 64, revision="2026-07-28", method="server/discover", name=None)
AUTHORITY = SimulatedAuthority(clock=time.time)
SOURCE = AUTHORITY.spiffe_id("orders")


def said(shown: Shown = SENT, nonce: str = NONCE) -> Sighting:
    return new_sighting(
        nonce,
        shown,
        server_nonce="0" * 32,
        at=int(time.time()),
        call="4T7K-9QX2-M0DV",
        resource="https://x.example/mcp",
    )


def signed(authority: SimulatedAuthority = AUTHORITY, name: str = "orders") -> Sighting:
    sighting = said()
    return signed_by(
        sighting, prove_x509(identity_of(authority.mint_x509(name, ttl=3600.0)), sighting.payload())
    )


def test_what_was_seen_as_it_was_sent_differs_in_nothing() -> None:
    assert changed(decode(encode(said()).decode()), NONCE, SENT) == ()


@pytest.mark.parametrize(
    ("field", "value"), [("token", "b" * 64), ("revision", "2025-11-25"), ("method", "ping"), ("name", "")]
)
def test_what_was_replaced_on_the_way_is_named(field: str, value: str) -> None:
    assert changed(said(replace(SENT, **{field: value})), NONCE, SENT) == (field,)


def test_two_things_that_were_exchanged_are_both_named() -> None:
    swapped = replace(SENT, method=SENT.revision, revision=SENT.method)
    assert changed(said(swapped), NONCE, SENT) == ("revision", "method")


def test_a_sighting_of_another_request_is_refused() -> None:
    with pytest.raises(CanaryError, match="another request"):
        changed(said(nonce=OTHER), NONCE, SENT)


def test_no_digest_says_the_same_twice() -> None:
    digests = {digest for nonce in (NONCE, OTHER) for _, digest in SENT.digests(nonce, "0" * 32)}
    digests |= {digest for _, digest in SENT.digests(NONCE, "1" * 32)}
    assert len(digests) == 12


def test_the_servers_own_identity_stands_behind_it() -> None:
    verify_signed(decode(encode(signed()).decode()), source=SOURCE, roots=AUTHORITY.roots)


def test_nobody_else_can_stand_behind_it() -> None:
    stranger = SimulatedAuthority(clock=time.time)
    for sighting, roots in (
        (said(), AUTHORITY.roots),
        (signed(stranger), AUTHORITY.roots),
        (signed(name="another"), AUTHORITY.roots),
        (signed(), ()),
        (signed(), stranger.roots),
    ):
        with pytest.raises(CanaryError):
            verify_signed(sighting, source=SOURCE, roots=roots)


@pytest.mark.parametrize(
    "change",
    [
        {"nonce": OTHER},
        {"server_nonce": "1" * 32},
        {"at": 7},
        {"call": "4T7K-9QX2-M0DW"},
        {"resource": "https://y.example/mcp"},
        {"seen": said(replace(SENT, token="b" * 64)).seen},
    ],
)
def test_one_other_value_is_not_what_was_signed(change: dict[str, object]) -> None:
    with pytest.raises(CanaryError):
        verify_signed(signed().model_copy(update=change), source=SOURCE, roots=AUTHORITY.roots)


def test_a_token_is_no_signature() -> None:
    proof = Proof(kind="token", chain=(), bundle=(), signature="", algorithm="none", token="c" * 64)
    assert signed_by(said(), proof).signed is None


@pytest.mark.parametrize("text", ["", "x", "=", "Ä", "e30", "x" * 20_000, "bm90IGpzb24"])
def test_what_is_no_sighting_is_not_read(text: str) -> None:
    with pytest.raises(CanaryError):
        decode(text)


@pytest.mark.parametrize(
    "change", [{"at": -1}, {"at": True}, {"nonce": "short"}, {"call": "a\nb"}, {"more": 1}]
)
def test_a_sighting_has_one_form(change: dict[str, object]) -> None:
    good = encode(said()).decode()
    members = json.loads(urlsafe_b64decode(good + "=" * (-len(good) % 4)))
    text = urlsafe_b64encode(json.dumps(members | change).encode()).rstrip(b"=").decode()
    with pytest.raises(CanaryError):
        decode(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (NONCE, True),
        (None, False),
        ("", False),
        ("n" * 21, False),
        ("n" * 65, False),
        ("n" * 30 + "\n", False),
    ],
)
def test_only_a_nonce_asks_for_a_sighting(text: str | None, expected: bool) -> None:  # noqa: FBT001
    assert is_nonce(text) is expected
