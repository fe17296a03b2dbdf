"""Does this request carry exactly one bearer token, where it belongs? RFC 6750 §2, §3.1.

1. a token in the query is refused even beside a good header: it stands in logs and histories by now
2. one `Authorization` header, or none; two are two opinions about who is calling
3. the scheme is Bearer, in any case, then one space, then a token by the grammar
Bodies and cookies are not looked at.
"""

import re
from collections.abc import Sequence
from urllib.parse import unquote_to_bytes

from launchworthy.vocabulary import BearerToken, Reason, Refused

_TOKEN = re.compile(rb"[A-Za-z0-9._~+/-]+=*")
"""`b64token` of RFC 6750 §2.1."""


def parse_authorization(headers: Sequence[bytes], query: bytes) -> BearerToken:
    """Take the token out of a request.

    Args:
        headers: the values of all `Authorization` headers, as they came.
        query: the raw query, without the question mark.

    Raises:
        Refused: `credential.query`, `credential.duplicate`, `credential.missing`, `credential.scheme`, or
            `token.malformed` for what follows the scheme.
    """
    if _names_a_token(query):
        raise Refused(Reason.CREDENTIAL_QUERY, "the query has `access_token`; tokens belong in the header")
    if len(headers) > 1:
        raise Refused(Reason.CREDENTIAL_DUPLICATE, f"{len(headers)} `Authorization` headers")
    if not headers:
        raise Refused(Reason.CREDENTIAL_MISSING, "no `Authorization` header")
    scheme, _, credentials = headers[0].partition(b" ")
    if scheme.lower() != b"bearer":
        raise Refused(Reason.CREDENTIAL_SCHEME, "the scheme of `Authorization` is not Bearer")
    if _TOKEN.fullmatch(credentials) is None:
        raise Refused(Reason.TOKEN_MALFORMED, "not one space and one token after `Bearer`")
    return BearerToken(credentials.decode("ascii"))


def _names_a_token(query: bytes) -> bool:
    """Whether any parameter is called `access_token`, however it is spelled."""
    if query == b"":
        return False
    names = (part.partition(b"=")[0].replace(b"+", b" ") for part in query.replace(b";", b"&").split(b"&"))
    return any(unquote_to_bytes(name).strip().lower() == b"access_token" for name in names)
