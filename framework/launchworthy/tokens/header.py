"""Does the header say nothing but which key signed an access token? RFC 7515 §4, RFC 9068 §2.1.

The header is read before any signature is checked, so it may only choose among what is configured: it
brings no key and points to none, and what would change how the token is read is refused.
"""

from functools import lru_cache
from typing import Final, NamedTuple

from launchworthy.tokens.named_exceptions import ABSENT
from launchworthy.tokens.shown import shown
from launchworthy.tokens.strict_json import StrictJSONError, parse_object
from launchworthy.vocabulary import Reason, Refused

REFUSED_MEMBERS: Final = frozenset(
    ("crit", "b64", "jwk", "jku", "x5u", "x5c", "cty", "enc", "zip", "p2c", "p2s", "epk")
)
"""Keys from the token, and what changes its reading. Other unknown members are ignored (RFC 7515 §4)."""

TYPES: Final = frozenset(("at+jwt", "application/at+jwt"))
"""RFC 9068 §2.1; keeps ID tokens, logout tokens, DPoP proofs, ID-JAGs and JWT-SVIDs out."""

MAX_HEADER_BYTES: Final = 2048
MAX_HEADER_DEPTH: Final = 4
MAX_KID_LENGTH: Final = 256


class Header(NamedTuple):
    """What the verifier takes from a header; not verified. A tuple, since one is made for every request.

    Attributes:
        algorithm: `alg`, not yet compared with the issuer's list.
        kid: names the key in that issuer's set.
        type: `typ` as it stands, not yet looked at; None where there is none.
    """

    algorithm: str
    kid: str
    type: str | None

    @property
    def is_access_token(self) -> bool:
        """Whether the token says of itself that it is one."""
        return self.type is not None and self.type.lower() in TYPES


@lru_cache(maxsize=64)
def read_header(unverified: bytes, excepted: frozenset[str]) -> Header:
    """Read the protected header of an access token.

    An issuer writes the same header a million times, so the last few good ones are remembered, as the pure
    function of their bytes that this is.

    Args:
        unverified: its bytes.
        excepted: the other types that some issuer's tokens may have; `check_type` says for which.

    Raises:
        Refused: `token.malformed`, `token.header`, `token.type`, `token.algorithm` or `token.kid`.
    """
    try:
        members = parse_object(unverified, max_depth=MAX_HEADER_DEPTH, max_bytes=MAX_HEADER_BYTES)
    except StrictJSONError as error:
        raise Refused(Reason.TOKEN_MALFORMED, f"the header cannot be read: {error}") from None
    if not REFUSED_MEMBERS.isdisjoint(members):
        name = min(REFUSED_MEMBERS.intersection(members))
        raise Refused(Reason.TOKEN_HEADER, f"the header has `{name}`, which no access token needs")
    kind = _type(members, excepted)
    return Header(algorithm=_algorithm(members.get("alg")), kid=_kid(members.get("kid")), type=kind)


def check_type(header: Header, excepted: str | None) -> None:
    """Demand an access token by its own word, or exactly what is excepted for this issuer.

    Args:
        header: of the token.
        excepted: the other value, `absent` for none at all; None where there is no exception.

    Raises:
        Refused: `token.type`.
    """
    if not header.is_access_token and (header.type or ABSENT) != excepted:
        raise Refused(Reason.TOKEN_TYPE, f"`typ` is {shown(header.type)}, not `at+jwt`")


def _type(members: dict[str, object], excepted: frozenset[str]) -> str | None:
    """`typ`; one that says `absent`, or is empty, is not the same as none."""
    if "typ" not in members and ABSENT in excepted:
        return None
    value = members.get("typ")
    if isinstance(value, str) and (value.lower() in TYPES or value in excepted - {ABSENT, ""}):
        return value
    raise Refused(Reason.TOKEN_TYPE, f"`typ` is {shown(value)}, not `at+jwt`")


def _algorithm(value: object) -> str:
    if not isinstance(value, str):
        raise Refused(Reason.TOKEN_ALGORITHM, f"`alg` is {shown(value)}")
    return value


def _kid(value: object) -> str:
    if not isinstance(value, str) or not 1 <= len(value) <= MAX_KID_LENGTH:
        raise Refused(Reason.TOKEN_KID, f"`kid` is not a string of 1 to {MAX_KID_LENGTH} characters")
    return value
