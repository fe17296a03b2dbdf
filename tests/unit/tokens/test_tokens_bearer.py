"""One header, one scheme, one space, one token."""

import pytest

from launchworthy.tokens import parse_authorization
from launchworthy.vocabulary import Reason, Refused


@pytest.mark.parametrize("scheme", [b"Bearer", b"bearer", b"BEARER", b"bEaReR"])
def test_the_case_of_the_scheme_does_not_matter(scheme: bytes) -> None:
    assert parse_authorization([scheme + b" aA0-._~+/=="], b"").reveal() == "aA0-._~+/=="


@pytest.mark.parametrize(
    ("headers", "query", "reason"),
    [
        ([], b"", Reason.CREDENTIAL_MISSING),
        ([b"Bearer a", b"Bearer a"], b"", Reason.CREDENTIAL_DUPLICATE),
        ([b"Bearer a", b"Basic b"], b"", Reason.CREDENTIAL_DUPLICATE),
        ([b"", b""], b"", Reason.CREDENTIAL_DUPLICATE),
        ([b""], b"", Reason.CREDENTIAL_SCHEME),
        ([b"Basic YTpi"], b"", Reason.CREDENTIAL_SCHEME),
        ([b"DPoP eyJ"], b"", Reason.CREDENTIAL_SCHEME),
        ([b"Bearerx a"], b"", Reason.CREDENTIAL_SCHEME),
        ([b" Bearer a"], b"", Reason.CREDENTIAL_SCHEME),
        ([b"Bearer\ta"], b"", Reason.CREDENTIAL_SCHEME),
        ([b"eyJhbGciOi"], b"", Reason.CREDENTIAL_SCHEME),
        ([b"Bearer"], b"", Reason.TOKEN_MALFORMED),
        ([b"Bearer "], b"", Reason.TOKEN_MALFORMED),
        ([b"Bearer  a"], b"", Reason.TOKEN_MALFORMED),
        ([b"Bearer a "], b"", Reason.TOKEN_MALFORMED),
        ([b"Bearer a b"], b"", Reason.TOKEN_MALFORMED),
        ([b"Bearer a\n"], b"", Reason.TOKEN_MALFORMED),
        ([b"Bearer a,Bearer b"], b"", Reason.TOKEN_MALFORMED),
        ([b"Bearer =a"], b"", Reason.TOKEN_MALFORMED),
        ([b"Bearer \xe9"], b"", Reason.TOKEN_MALFORMED),
        ([b'Bearer "a"'], b"", Reason.TOKEN_MALFORMED),
        ([], b"access_token=a", Reason.CREDENTIAL_QUERY),
        ([b"Bearer a"], b"access_token=a", Reason.CREDENTIAL_QUERY),
        ([b"Bearer a"], b"x=1&access_token=a&y=2", Reason.CREDENTIAL_QUERY),
        ([b"Bearer a"], b"x=1;access_token=a", Reason.CREDENTIAL_QUERY),
        ([b"Bearer a"], b"access%5Ftoken=a", Reason.CREDENTIAL_QUERY),
        ([b"Bearer a"], b"%61ccess_token", Reason.CREDENTIAL_QUERY),
        ([b"Bearer a"], b"Access_Token=", Reason.CREDENTIAL_QUERY),
        ([b"Bearer a"], b"+access_token=a", Reason.CREDENTIAL_QUERY),
        ([b"Bearer a", b"Bearer b"], b"access_token=a", Reason.CREDENTIAL_QUERY),
    ],
)
def test_everything_else_is_refused(headers: list[bytes], query: bytes, reason: Reason) -> None:
    with pytest.raises(Refused) as refusal:
        parse_authorization(headers, query)
    assert refusal.value.reason is reason


@pytest.mark.parametrize(
    "query", [b"", b"x=access_token", b"my_access_token=1", b"a=%", b"&&=;", b"access_token2=1"]
)
def test_other_queries_do_not_matter(query: bytes) -> None:
    assert parse_authorization([b"Bearer abc"], query).reveal() == "abc"


def test_the_token_is_not_in_the_refusal() -> None:
    with pytest.raises(Refused) as refusal:
        parse_authorization([b"Bearer very-secret token"], b"")
    assert "very-secret" not in str(refusal.value)
