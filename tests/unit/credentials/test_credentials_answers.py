"""Which answers of issuers and clouds are what was asked for? Bytes in, a credential or a refusal out."""

import json

import pytest

from launchworthy.credentials.brokers.aws_sts import credentials_of
from launchworthy.credentials.errors import BrokerError, RevocationUnsupported
from launchworthy.credentials.token_answer import Expected, read_answer, read_revocation

EXCHANGED = "urn:ietf:params:oauth:token-type:access_token"
EXPECTED = Expected(token_type="bearer", issued_token_type=EXCHANGED, scopes=("a", "b"))
GOOD = {
    "access_token": "secret-token",
    "token_type": "Bearer",
    "issued_token_type": EXCHANGED,
    "expires_in": 60,
    "scope": "b a",
}


def read(changes=None, *, status=200, media_type="application/json", raw=None, expected=EXPECTED):
    answer = {name: value for name, value in (GOOD | (changes or {})).items() if value is not None}
    return read_answer(status, media_type, json.dumps(answer).encode() if raw is None else raw, expected)


def test_a_good_answer_is_a_token_with_its_scopes_and_its_end():
    issued = read()
    assert (issued.secret.reveal(), issued.scopes, issued.expires_in) == ("secret-token", ("a", "b"), 60)
    assert "secret-token" not in repr(issued)


def test_scopes_left_out_are_those_that_were_asked_for():
    assert read({"scope": None}).scopes == ("a", "b")
    assert read({"scope": "a"}).scopes == ("a",)


def test_wider_scopes_are_told_so_that_the_token_can_be_taken_back():
    assert read({"scope": "a b c"}).scopes == ("a", "b", "c")


def test_an_identity_assertion_is_no_bearer_token_and_the_other_way_round():
    jag = Expected(token_type="n_a", issued_token_type=EXCHANGED, scopes=("a",))
    assert read({"token_type": "N_A"}, expected=jag).secret.reveal() == "secret-token"
    with pytest.raises(BrokerError, match="of type `Bearer`"):
        read(expected=jag)
    with pytest.raises(BrokerError, match="of type `N_A`"):
        read({"token_type": "N_A"})


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"expires_in": None}, "without an end"),
        ({"expires_in": "60"}, "without an end"),
        ({"expires_in": 0}, "without an end"),
        ({"expires_in": -1}, "without an end"),
        ({"expires_in": 1.5}, "without an end"),
        ({"expires_in": True}, "without an end"),
        ({"expires_in": 10**12}, "without an end"),
        ({"token_type": None}, "of type nothing"),
        ({"token_type": "DPoP"}, "of type `DPoP`"),
        ({"token_type": ["Bearer"]}, "of type `Bearer`"),
        ({"issued_token_type": None}, "instead of what was asked for"),
        ({"issued_token_type": "urn:other"}, "instead of what was asked for"),
        ({"access_token": None}, "holds no token"),
        ({"access_token": ""}, "holds no token"),
        ({"access_token": "a" * 20000}, "holds no token"),
        ({"access_token": "a b"}, "characters"),
        ({"access_token": "a\r\nb"}, "characters"),
        ({"access_token": "ä"}, "characters"),
        ({"scope": 7}, "`scope` is a number"),
        ({"scope": "a  b"}, "`scope` is"),
        ({"error": "odd"}, "refused with 200 `odd`"),
    ],
)
def test_an_answer_that_is_wrong_in_one_way_is_refused(changes, why):
    with pytest.raises(BrokerError, match=why) as refused:
        read(changes)
    assert "secret-token" not in str(refused.value)


@pytest.mark.parametrize(
    ("how", "why"),
    [
        ({"status": 201}, "refused with 201"),
        ({"status": 400, "raw": b'{"message": "nope"}'}, "refused with 400 nothing"),
        ({"status": 400, "raw": b'{"error": "invalid_scope"}'}, "400 `invalid_scope`"),
        ({"status": 302, "media_type": "text/html"}, "302 with `text/html`"),
        ({"media_type": "text/html"}, "not JSON"),
        ({"media_type": ""}, "not JSON"),
        ({"raw": b"[]"}, "not an object"),
        ({"raw": b'{"access_token": "a", "access_token": "b"}'}, "twice"),
        ({"raw": b"\xff"}, "not UTF-8"),
        ({"raw": b""}, "not JSON"),
        ({"raw": b" " * 70000 + b"{}"}, "bytes"),
    ],
)
def test_what_is_no_good_answer_at_all_is_refused(how, why):
    with pytest.raises(BrokerError, match=why):
        read(**how)


def test_a_revocation_is_done_not_possible_or_not_known():
    read_revocation(200, "", b"")
    with pytest.raises(RevocationUnsupported):
        read_revocation(400, "application/json", b'{"error": "unsupported_token_type"}')
    for status, kind, body in ((503, "text/html", b"x"), (400, "application/json", b"{}"), (204, "", b"")):
        with pytest.raises(BrokerError) as refused:
            read_revocation(status, kind, body)
        assert not isinstance(refused.value, RevocationUnsupported)


STS = """<AssumeRoleWithWebIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/">
<AssumeRoleWithWebIdentityResult><Credentials>
<SessionToken>s</SessionToken><SecretAccessKey>k</SecretAccessKey>
<Expiration>2026-11-20T14:00:00Z</Expiration><AccessKeyId>i</AccessKeyId>
</Credentials></AssumeRoleWithWebIdentityResult></AssumeRoleWithWebIdentityResponse>"""


def test_a_clouds_answer_is_its_three_parts_and_their_end():
    parts, ends = credentials_of(STS.encode())
    assert {name: secret.reveal() for name, secret in parts.items()} == {
        "access_key_id": "i", "secret_access_key": "k", "session_token": "s",
    }  # fmt: skip
    assert ends == 1795183200


@pytest.mark.parametrize(
    ("before", "after", "why"),
    [
        ("<SessionToken>s</SessionToken>", "", "half of a credential"),
        ("2026-11-20T14:00:00Z", "soon", "when its credentials end"),
        ("2026-11-20T14:00:00Z", "2026-11-20T14:00:00", "when its credentials end"),
        ("2011-06-15", "1999-01-01", "holds no credentials"),
        ("</Credentials>", "", "no plain XML"),
        ("<Assume", '<!DOCTYPE x [<!ENTITY a "b">]><Assume', "no plain XML"),
        ("<SessionToken>", "<!-- --><SessionToken>", "no plain XML"),
    ],
)
def test_a_clouds_answer_that_is_wrong_in_one_way_is_refused(before, after, why):
    with pytest.raises(BrokerError, match=why):
        credentials_of(STS.replace(before, after, 1).encode())
