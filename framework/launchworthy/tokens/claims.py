"""Do these claims make a caller of this server? RFC 9068 §2.2 and §4, RFC 8693 §4.1, RFC 8707.

Signed claims, what is expected and an instant go in; a `Principal` or `Refused` comes out:

1. `iss` is the configured issuer and `aud` this server, both byte for byte; nobody else is an audience
   where one audience is demanded
2. `iat`, `nbf` and `exp` are numbers; the token has begun, has not ended, and lives no longer than allowed
3. `sub`, the token's id and the client are 1 to 512 printable characters
4. `cnf` is absent: a token bound to a key is never taken as a plain bearer token
5. `act` is a chain of at most four subjects
6. the scope claim follows the grammar; declared implications are added
7. where the issuer names a claim for the tenant, it is there, and 1 to 512 printable characters
8. every other claim is dropped here, and so reaches neither policy nor audit

Missing and null are the same. What is optional may be absent but, where it is there, must be right.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, NewType

from launchworthy.tokens.scopes import ScopeHierarchy, read_scopes
from launchworthy.tokens.shown import shown
from launchworthy.vocabulary import Principal, PrincipalKind, Reason, Refused

UnverifiedClaims = NewType("UnverifiedClaims", Mapping[str, object])
"""The payload of a token whose signature nobody has checked yet."""

SignedClaims = NewType("SignedClaims", Mapping[str, object])
"""The payload of a token whose signature holds, or what its issuer itself said of it when it was asked.

Made in `tokens.verifier` and nowhere else.
"""

LATEST: Final = 253_402_300_799
"""The end of the year 9999; later instants are no dates."""
MAX_TEXT: Final = 512
MAX_AUDIENCES: Final = 16
MAX_ACTORS: Final = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Expectation:
    """What the claims of one issuer's tokens must say now: its `IssuerPolicy`, and what is excepted.

    Attributes:
        issuer: the `iss`.
        audience: this server's resource identifier.
        other_audience: another string that names this server in this issuer's tokens, or None.
        single_audience: whether nobody else may be named.
        leeway: seconds that clocks may differ.
        max_lifetime: the longest `exp - iat` in seconds.
        scope_claim: the claim that carries scopes.
        client_claim: the claim that carries the client.
        id_claim: the claim that carries the token's id.
        tenant_claim: the claim that says whose the caller is, or None where there is one tenant.
        person_mark: the claim that marks a person, and its value where any value will not do.
        hierarchy: which scopes imply which.
    """

    issuer: str
    audience: str
    other_audience: str | None
    single_audience: bool
    leeway: int
    max_lifetime: int
    scope_claim: str
    client_claim: str
    id_claim: str
    tenant_claim: str | None
    person_mark: tuple[str, str | None] | None
    hierarchy: ScopeHierarchy


def unverified_issuer(claims: UnverifiedClaims) -> str:
    """The issuer a token says it is from: good for choosing whose keys are tried, and for nothing else.

    Raises:
        Refused: `token.issuer`.
    """
    issuer = claims.get("iss")
    if not isinstance(issuer, str):
        raise Refused(Reason.TOKEN_ISSUER, f"`iss` is {shown(issuer)}")
    return issuer


def look_before_signature(claims: UnverifiedClaims, expected: Expectation, now: int) -> None:
    """Turn away what is for someone else or over, before a signature is paid for.

    Raises:
        Refused: `token.audience`, `token.expired` or `token.claims`.
    """
    _check_audience(claims.get("aud"), expected, now)
    _check_expiry(claims.get("exp"), expected, now)


def principal_of(claims: SignedClaims, expected: Expectation, now: int) -> Principal:
    """Make a caller of the claims of a token whose signature holds.

    Args:
        claims: all of them.
        expected: what the issuer's policy and this server demand.
        now: seconds since the epoch.

    Raises:
        Refused: `token.issuer`, `.audience`, `.expired`, `.not_yet`, `.lifetime`, `.claims` or `.bound`.
    """
    for name, check in _REQUIRED:
        check(claims.get(name), expected, now)
    for name, check in _OPTIONAL:
        if name in claims:
            check(claims[name], expected, now)
    issued, expires = _moment("iat", claims["iat"]), _moment("exp", claims["exp"])
    _check_lifetime(issued, expires, expected)
    scopes = frozenset[str]()
    if expected.scope_claim in claims:
        scopes = expected.hierarchy.granted(read_scopes(expected.scope_claim, claims[expected.scope_claim]))
    return Principal(
        issuer=expected.issuer,
        subject=_text("sub", claims.get("sub")),
        client=_text(expected.client_claim, claims.get(expected.client_claim)),
        kind=_kind(claims, expected),
        scopes=scopes,
        actors=_actors(claims["act"]) if "act" in claims else (),
        token_id=_text(expected.id_claim, claims.get(expected.id_claim)),
        issued_at=int(issued),
        expires_at=int(expires),
        tenant=_tenant(claims, expected),
    )


def _check_issuer(value: object, expected: Expectation, _now: int) -> None:
    if value != expected.issuer:
        raise Refused(
            Reason.TOKEN_ISSUER, f"the token is from {shown(value)}, expected {shown(expected.issuer)}"
        )


def _check_audience(value: object, expected: Expectation, _now: int) -> None:
    """RFC 7519 §4.1.3, RFC 8707 §2: one string or a list of them; compared byte for byte."""
    if isinstance(value, str) and value in (expected.audience, expected.other_audience):
        return
    audiences = value if isinstance(value, list) else [value]
    if not all(isinstance(audience, str) for audience in audiences) or len(audiences) > MAX_AUDIENCES:
        raise Refused(Reason.TOKEN_AUDIENCE, f"`aud` is {shown(value)}")
    if expected.audience not in audiences and expected.other_audience not in audiences:
        raise Refused(
            Reason.TOKEN_AUDIENCE,
            f"the token is for {shown(value)}, this server is {shown(_own_names(expected))}",
        )
    if expected.single_audience and len(audiences) > 1:
        raise Refused(
            Reason.TOKEN_AUDIENCE,
            f"the token is for {shown(value)}, and a token for this server is for nobody else",
        )


def _own_names(expected: Expectation) -> list[str]:
    return [name for name in (expected.audience, expected.other_audience) if name is not None]


def _check_expiry(value: object, expected: Expectation, now: int) -> None:
    expires = _moment("exp", value)
    if expires <= now - expected.leeway:
        raise Refused(Reason.TOKEN_EXPIRED, f"the token ended {int(now - expires)} s ago")


def _check_begin(name: str) -> "Check":
    def check(value: object, expected: Expectation, now: int) -> None:
        begins = _moment(name, value)
        if begins > now + expected.leeway:
            raise Refused(Reason.TOKEN_NOT_YET, f"`{name}` is {int(begins - now)} s ahead of this clock")

    return check


def _check_lifetime(issued: float, expires: float, expected: Expectation) -> None:
    if expires <= issued:
        raise Refused(Reason.TOKEN_LIFETIME, "the token ended before it was issued")
    if expires - issued > expected.max_lifetime:
        raise Refused(
            Reason.TOKEN_LIFETIME,
            f"the token lives {int(expires - issued)} s, at most {expected.max_lifetime} s are accepted",
        )


def _refuse_bound(_value: object, _expected: Expectation, _now: int) -> None:
    """RFC 7800, RFC 9449, RFC 8705: whoever holds such a token without the key may have stolen it."""
    raise Refused(
        Reason.TOKEN_BOUND, "the token is bound to a key (`cnf`), and possession is not proved here"
    )


def _refuse_details(value: object, _expected: Expectation, _now: int) -> None:
    """RFC 9396: the token is for less than its scopes say, and nobody here can tell for how much less."""
    if value != []:
        raise Refused(
            Reason.TOKEN_CLAIMS, "`authorization_details` limits what the token is for, and is not read here"
        )


def _moment(name: str, value: object) -> float:
    """A NumericDate (RFC 7519 §2); `True` is not a number here, and nothing is read from strings."""
    if not (type(value) is int or type(value) is float) or not 0 <= value <= LATEST:
        raise Refused(
            Reason.TOKEN_CLAIMS, f"`{name}` is {shown(value)}, not an instant before the year 10000"
        )
    return value


def _text(name: str, value: object) -> str:
    if not isinstance(value, str) or not 1 <= len(value) <= MAX_TEXT or not value.isprintable():
        raise Refused(
            Reason.TOKEN_CLAIMS, f"`{name}` is {shown(value)}, not 1 to {MAX_TEXT} printable characters"
        )
    return value


def _tenant(claims: SignedClaims, expected: Expectation) -> str | None:
    """Whose the caller is; never guessed where the issuer must say it."""
    if expected.tenant_claim is None:
        return None
    return _text(expected.tenant_claim, claims.get(expected.tenant_claim))


def _actors(value: object) -> tuple[str, ...]:
    """RFC 8693 §4.1: the current actor is outermost, earlier ones are nested."""
    actors: list[str] = []
    while isinstance(value, dict) and len(actors) < MAX_ACTORS:
        actors.append(_text("act.sub", value.get("sub")))
        if "act" not in value:
            return tuple(actors)
        value = value["act"]
    raise Refused(Reason.TOKEN_CLAIMS, f"`act` is not a chain of at most {MAX_ACTORS} objects")


def _kind(claims: SignedClaims, expected: Expectation) -> PrincipalKind:
    """Person only where the issuer's mapping says so; everything else is a machine."""
    if expected.person_mark is None:
        return PrincipalKind.MACHINE
    claim, wanted = expected.person_mark
    value = claims.get(claim)
    marked = (
        value == wanted if wanted is not None else value is not None and value is not False and value != ""
    )
    return PrincipalKind.PERSON if marked else PrincipalKind.MACHINE


Check = Callable[[object, Expectation, int], None]

_REQUIRED: Final[tuple[tuple[str, Check], ...]] = (
    ("iss", _check_issuer),
    ("aud", _check_audience),
    ("exp", _check_expiry),
    ("iat", _check_begin("iat")),
)
_OPTIONAL: Final[tuple[tuple[str, Check], ...]] = (
    ("nbf", _check_begin("nbf")),
    ("cnf", _refuse_bound),
    ("authorization_details", _refuse_details),
)
