"""Each rule for a projected token, beside the token that passes it."""

import base64
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from launchworthy.identity.cause import Cause, SourceError
from launchworthy.identity.projected import MAX_TOKEN_BYTES, read_projected, unverified_subject

SUBJECT = "system:serviceaccount:simulated:orders"
ISSUER = "https://dev.invalid/simulated"
NOW = 1_800_000_000


@pytest.fixture
def mint(authority):
    def minted(**claims):
        claims = {"iss": ISSUER, **claims}
        return authority.mint_jwt(SUBJECT, ("https://login.dev.invalid",), ttl=600, **claims).encode()

    return minted


def read(content, *, trust_domains=("dev.invalid",), now=NOW):
    return read_projected(content, expected_id=SUBJECT, trust_domains=trust_domains, now=now, min_left=15)


def refused(content, **more):
    with pytest.raises(SourceError) as caught:
        read(content, **more)
    return caught.value.failure.cause


def test_a_good_token_is_ours(mint):
    content = mint()
    token = read(content + b"\n")
    assert (token.subject, token.issuer, token.audience) == (SUBJECT, ISSUER, "https://login.dev.invalid")
    assert (token.issued_at, token.expires_at) == (NOW, NOW + 600)
    assert token.secret.reveal().encode() == content
    assert content.decode() not in repr(token)


def test_a_token_of_somebody_else_is_a_withdrawal(mint):
    assert refused(mint(sub="system:serviceaccount:simulated:default")) is Cause.OTHER_IDENTITY


@pytest.mark.parametrize(
    ("trust_domains", "good"),
    [
        (("dev.invalid",), True),
        ((ISSUER,), True),
        (("other.invalid", "dev.invalid"), True),
        (("https://dev.invalid",), False),
        ((f"{ISSUER}/",), False),
        (("invalid",), False),
        (("evil.dev.invalid",), False),
        ((), False),
    ],
)
def test_the_issuer_is_one_that_is_configured(mint, trust_domains, good):
    if good:
        assert read(mint(), trust_domains=trust_domains).issuer == ISSUER
    else:
        assert refused(mint(), trust_domains=trust_domains) is Cause.OTHER_ISSUER


def test_a_host_is_an_issuer_at_any_port_of_it(mint):
    content = mint(iss="https://dev.invalid:8443/simulated")
    assert read(content, trust_domains=("dev.invalid",)).issuer == "https://dev.invalid:8443/simulated"


@pytest.mark.parametrize(
    "issuer",
    [
        "http://dev.invalid/simulated",
        "https://dev.invalid@evil.example",
        "https://evil@dev.invalid",
        "https://[",
    ],
)
def test_an_issuer_that_looks_alike_is_another(mint, issuer):
    assert refused(mint(iss=issuer)) is Cause.OTHER_ISSUER


@pytest.mark.parametrize("audience", [[], ["a", "b"], [""], "", [1], None, {"a": 1}])
def test_a_token_must_be_for_exactly_one_audience(mint, audience):
    assert refused(mint(aud=audience)) is Cause.OTHER_AUDIENCE


def test_an_audience_may_be_written_as_text(mint):
    assert read(mint(aud="sts")).audience == "sts"


@pytest.mark.parametrize(("left", "good"), [(15, True), (14, False), (0, False), (-1, False)])
def test_a_token_that_is_about_to_expire_is_refused(mint, left, good):
    content = mint(exp=NOW + left)
    assert read(content).expires_at == NOW + 15 if good else refused(content) is Cause.EXPIRED


@pytest.mark.parametrize("expiry", [True, "1800000600", [1], -1, 10**400, 1e300])
def test_an_expiry_that_is_no_instant_is_refused(mint, expiry):
    assert refused(mint(exp=expiry)) is Cause.NOT_A_TOKEN


def test_a_token_without_an_expiry_is_refused(mint):
    assert refused(mint(exp=None)) is Cause.NOT_A_TOKEN


def test_a_token_that_is_not_good_yet_is_refused(mint):
    assert refused(mint(nbf=NOW + 1)) is Cause.NOT_YET
    assert read(mint(nbf=NOW)).subject == SUBJECT


def test_a_token_without_the_instant_of_its_issue_is_taken(mint):
    assert read(mint(iat=None)).issued_at is None


@pytest.mark.parametrize("claim", ["sub", "iss"])
@pytest.mark.parametrize("value", ["", None, 1, ["x"]])
def test_a_token_without_a_name_is_refused(mint, claim, value):
    assert refused(mint(**{claim: value})) is Cause.NOT_A_TOKEN


_CLAIMS = b'{"exp": %b, "sub": "' + SUBJECT.encode() + b'", "iss": "https://dev.invalid", "aud": "a"}'


def _with_payload(payload):
    return b"e30." + base64.urlsafe_b64encode(payload).rstrip(b"=") + b".c2ln"


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"a.b",
        b"a.b.c.d",
        b"not base64!.%%%.x",
        _with_payload(b"[]"),
        _with_payload(b"{"),
        _with_payload(b"\xff\xfe"),
        _with_payload(_CLAIMS % b"NaN"),
        _with_payload(_CLAIMS % b"Infinity"),
        b"\xc3\xa9." + _with_payload(b"{}"),
        b"\xc3." + base64.urlsafe_b64encode(b"{}") + b".x",
        _with_payload(b"[" * 100_000),
        _with_payload(b'{"a":"' + b"a" * MAX_TOKEN_BYTES + b'"}'),
    ],
)
def test_what_is_no_token_is_refused_and_nothing_else(content):
    assert refused(content) is Cause.NOT_A_TOKEN


_SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text()
_CLAIM_SETS = st.dictionaries(
    st.sampled_from(["sub", "iss", "aud", "exp", "nbf"]), _SCALARS | st.lists(_SCALARS)
)


@given(st.binary(max_size=200) | _CLAIM_SETS.map(lambda claims: _with_payload(json.dumps(claims).encode())))
def test_nothing_but_a_source_error_ever_comes_out(content):
    with pytest.raises(SourceError):
        read(content)


def test_a_doctor_may_read_the_subject(mint):
    assert unverified_subject(mint()) == SUBJECT
