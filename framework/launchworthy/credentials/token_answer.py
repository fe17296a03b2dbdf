"""Is this a token that we asked for? Pure: an answer's bytes in, a token out (rule 25).

1. status 200, `application/json`, not compressed, one strict JSON object
2. `token_type` is Bearer in any case; of an ID-JAG it is `N_A` (RFC 8693 §2.2.1)
3. an exchange names the `issued_token_type` that was asked for
4. `expires_in` is an integer, and more than nothing: a token without an end is none for us
5. scopes left out are those that were asked for (RFC 6749 §5.1); wider ones are told as they are, so that the
   lease book refuses the token and takes it back
"""

from dataclasses import dataclass

from launchworthy.credentials.errors import BrokerError, IssuerRefused, RevocationUnsupported
from launchworthy.tokens.shown import shown
from launchworthy.tokens.strict_json import StrictJSONError, parse_object
from launchworthy.vocabulary import Secret, parse_scopes

MAX_ANSWER_BYTES = 64 * 1024
_MAX_DEPTH = 16
_OK = 200
_LONGEST_TOKEN = 16 * 1024
_LONGEST_SECONDS = 10**9


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """What an answer must be.

    Attributes:
        token_type: `bearer` or `n_a`.
        issued_token_type: of an exchange, or None.
        scopes: what was asked for.
    """

    token_type: str
    issued_token_type: str | None
    scopes: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class IssuedToken:
    """A token as its issuer gave it, checked.

    Attributes:
        secret: the token.
        scopes: what it is good for.
        expires_in: seconds, from when it was asked for.
    """

    secret: Secret
    scopes: tuple[str, ...]
    expires_in: int


def read_answer(status: int, media_type: str, body: bytes, expected: Expected) -> IssuedToken:
    """Read the answer to a token request.

    Raises:
        BrokerError: it is none that we may use.
    """
    answer = _object(status, media_type, body)
    if status != _OK or "error" in answer:
        error = answer.get("error")
        raise IssuerRefused(
            f"the issuer refused with {status} {shown(error)}", error if isinstance(error, str) else None
        )
    kind = answer.get("token_type")
    if not isinstance(kind, str) or kind.lower() != expected.token_type:
        raise BrokerError(f"the issuer gave a token of type {shown(kind)}")
    issued = answer.get("issued_token_type")
    if expected.issued_token_type is not None and issued != expected.issued_token_type:
        raise BrokerError(f"the exchange gave {shown(issued)} instead of what was asked for")
    return IssuedToken(
        secret=_token(answer.get("access_token")),
        scopes=_scopes(answer, expected),
        expires_in=_seconds(answer.get("expires_in")),
    )


def read_revocation(status: int, media_type: str, body: bytes) -> None:
    """Read the answer to a revocation (RFC 7009 §2.2).

    Raises:
        RevocationUnsupported: this issuer cannot take this kind of token back.
        BrokerError: it is not known to be gone.
    """
    if status == _OK:
        return
    error = None
    if media_type == "application/json":
        error = _object(status, media_type, body).get("error")
    if error == "unsupported_token_type":
        raise RevocationUnsupported("its issuer cannot take this kind of token back")
    raise BrokerError(f"the issuer answered the revocation with {status} {shown(error)}")


def _object(status: int, media_type: str, body: bytes) -> dict[str, object]:
    if media_type != "application/json":
        raise BrokerError(f"the issuer answered {status} with {shown(media_type)}, not JSON")
    try:
        return parse_object(body, max_depth=_MAX_DEPTH, max_bytes=MAX_ANSWER_BYTES)
    except StrictJSONError as error:
        raise BrokerError(f"the issuer's answer is {error}") from None


def _token(value: object) -> Secret:
    if not isinstance(value, str) or not 0 < len(value) <= _LONGEST_TOKEN:
        raise BrokerError("the issuer's answer holds no token")
    if not (value.isascii() and value.isprintable() and " " not in value):
        raise BrokerError("the issuer's token holds characters that no token has")
    return Secret(value)


def _seconds(value: object) -> int:
    if type(value) is not int or not 0 < value <= _LONGEST_SECONDS:
        raise BrokerError("the issuer gave a token without an end: `expires_in` is no positive integer")
    return value


def _scopes(answer: dict[str, object], expected: Expected) -> tuple[str, ...]:
    if "scope" not in answer:
        return expected.scopes
    text = answer["scope"]
    if not isinstance(text, str):
        raise BrokerError(f"the issuer's `scope` is {shown(text)}")
    try:
        return tuple(sorted(parse_scopes(text)))
    except ValueError as error:
        raise BrokerError(f"the issuer's `scope` is {error}") from None
