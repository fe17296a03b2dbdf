"""Who has just signed in, and when? OpenID Connect Core §3.1.3.7, for a sign-in that we asked for ourselves.

1. the header names an asymmetric algorithm that is accepted of this issuer and one of its keys, and brings
   nothing else; it is no access token's
2. the signature holds
3. `iss` is the issuer, `aud` our client alone, `azp` nobody else, `nonce` the one of this sign-in
4. issued in the past and not over
5. `auth_time` is there, since we asked for `max_age`, and not before the instant that was asked for
6. `acr` is one of those that were asked for
7. `sub` is a name

Everything but the name, that instant and the claims goes no further, and the token is kept nowhere.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from hmac import compare_digest
from typing import Final, Protocol

from launchworthy.tokens.algorithms import KEY_SHAPES
from launchworthy.tokens.compact import MAX_TOKEN_BYTES, split
from launchworthy.tokens.header import (
    MAX_HEADER_BYTES,
    MAX_HEADER_DEPTH,
    MAX_KID_LENGTH,
    REFUSED_MEMBERS,
    Header,
)
from launchworthy.tokens.key_import import VerificationKey
from launchworthy.tokens.shown import shown
from launchworthy.tokens.strict_json import StrictJSONError, parse_object
from launchworthy.vocabulary import Reason, Refused, Secret

LONGEST: Final = 86_400
"""Seconds that an ID token may live: what says more is misconfigured."""
_LATEST: Final = 253_402_300_799
_MAX_DEPTH: Final = 8
_MAX_SUBJECT: Final = 255
"""OpenID Connect Core §2."""


class KeysOfIssuer(Protocol):
    """The keys of one issuer."""

    async def key_for(self, kid: str) -> VerificationKey:
        """One of them.

        Raises:
            Refused: `token.kid`, `token.key` or `keys.unavailable`.
        """


@dataclass(frozen=True, slots=True, kw_only=True)
class SignInTerms:
    """What one sign-in was asked for.

    Attributes:
        client: who we are to the issuer.
        nonce: of this sign-in.
        not_before: the person must have signed in then or later, in seconds since the epoch.
        acr: the authentication contexts of which it has one; empty where any will do.
    """

    client: str
    nonce: str = field(repr=False)
    not_before: int
    acr: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedIn:
    """A person who has signed in; made by `IdTokens.verify` only.

    Attributes:
        issuer: who vouches for them.
        subject: who they are there.
        at: when they signed in, in seconds since the epoch.
        tenant_claim: in which claim the issuer says whose somebody is; None where there is one tenant.
        claims: what else the issuer says of them; never shown, logged or kept.
    """

    issuer: str
    subject: str
    at: int
    tenant_claim: str | None
    claims: Mapping[str, object] = field(repr=False)

    def says(self, name: str, value: str) -> bool:
        """Whether a claim is this text, or a list that holds it."""
        said = self.claims.get(name)
        return said == value or (isinstance(said, list) and value in said)

    def is_of(self, tenant: str) -> bool:
        """Whether the issuer says that they are of this tenant; where it says nothing, they are of none."""
        return self.tenant_claim is not None and self.says(self.tenant_claim, tenant)


class IdTokens:
    """Verifies the ID tokens of one issuer."""

    def __init__(
        self,
        issuer: str,
        algorithms: Iterable[str],
        keys: KeysOfIssuer,
        *,
        leeway: int,
        tenant_claim: str | None,
    ) -> None:
        """Know the issuer.

        Args:
            issuer: the only `iss`.
            algorithms: what it may sign with.
            keys: what it signs with.
            leeway: seconds that clocks may differ.
            tenant_claim: in which claim it says whose somebody is, or None.
        """
        self.issuer = issuer
        self._algorithms = frozenset(algorithms)
        self._keys = keys
        self._leeway = leeway
        self._tenant_claim = tenant_claim

    async def verify(self, unverified: Secret, terms: SignInTerms, now: int) -> SignedIn:
        """Find out who signed in.

        Raises:
            Refused: `token.*`, or `keys.unavailable`.
        """
        compact = split(unverified.reveal())
        header = read_id_token_header(compact.unverified_header, self._algorithms)
        key = await self._keys.key_for(header.kid)
        key.verify(header.algorithm, compact.signing_input, compact.signature)
        try:
            claims = parse_object(compact.unverified_payload, max_depth=_MAX_DEPTH, max_bytes=MAX_TOKEN_BYTES)
        except StrictJSONError as error:
            raise Refused(Reason.TOKEN_MALFORMED, f"the ID token cannot be read: {error}") from None
        self._check_whose(claims, terms)
        self._check_life(claims, now)
        return SignedIn(
            issuer=self.issuer,
            subject=_subject(claims.get("sub")),
            at=self._signed_in_at(claims, terms, now),
            tenant_claim=self._tenant_claim,
            claims=claims,
        )

    def _check_whose(self, claims: Mapping[str, object], terms: SignInTerms) -> None:
        if claims.get("iss") != self.issuer:
            raise Refused(Reason.TOKEN_ISSUER, f"the ID token is from {shown(claims.get('iss'))}")
        if claims.get("aud") not in (terms.client, [terms.client]):
            raise Refused(Reason.TOKEN_AUDIENCE, f"the ID token is for {shown(claims.get('aud'))}")
        if claims.get("azp", terms.client) != terms.client:
            raise Refused(Reason.TOKEN_AUDIENCE, f"{shown(claims.get('azp'))} asked for the ID token")
        nonce = claims.get("nonce")
        if not isinstance(nonce, str) or not compare_digest(nonce.encode(), terms.nonce.encode()):
            raise Refused(Reason.TOKEN_CLAIMS, "the ID token is of another sign-in: its `nonce` differs")
        if terms.acr and claims.get("acr") not in terms.acr:
            raise Refused(Reason.TOKEN_CLAIMS, f"they signed in with `acr` {shown(claims.get('acr'))}")

    def _check_life(self, claims: Mapping[str, object], now: int) -> None:
        issued, ends = _instant(claims, "iat"), _instant(claims, "exp")
        if issued > now + self._leeway:
            raise Refused(Reason.TOKEN_NOT_YET, f"the ID token is {issued - now} s ahead of this clock")
        if ends <= now - self._leeway:
            raise Refused(Reason.TOKEN_EXPIRED, f"the ID token ended {now - ends} s ago")
        if not issued < ends <= issued + LONGEST:
            raise Refused(Reason.TOKEN_LIFETIME, "the ID token lives longer than a day, or never lived")

    def _signed_in_at(self, claims: Mapping[str, object], terms: SignInTerms, now: int) -> int:
        """`max_age` is only asked for; an issuer that ignored it is found out here (Core §3.1.2.1)."""
        at = _instant(claims, "auth_time")
        if at > now + self._leeway:
            raise Refused(Reason.TOKEN_NOT_YET, "they signed in ahead of this clock")
        if at < terms.not_before - self._leeway:
            raise Refused(Reason.TOKEN_CLAIMS, f"they signed in {now - at} s ago, and must do it anew")
        return at


def read_id_token_header(unverified: bytes, algorithms: Iterable[str]) -> Header:
    """Read the protected header of an ID token.

    Raises:
        Refused: `token.malformed`, `token.header`, `token.algorithm` or `token.kid`.
    """
    try:
        members = parse_object(unverified, max_depth=MAX_HEADER_DEPTH, max_bytes=MAX_HEADER_BYTES)
    except StrictJSONError as error:
        raise Refused(Reason.TOKEN_MALFORMED, f"the header cannot be read: {error}") from None
    algorithm, kid, kind = members.get("alg"), members.get("kid"), members.get("typ")
    if not REFUSED_MEMBERS.isdisjoint(members) or kind not in (None, "JWT", "jwt"):
        raise Refused(Reason.TOKEN_HEADER, "the header has what no ID token needs")
    if not isinstance(algorithm, str) or algorithm not in KEY_SHAPES or algorithm not in algorithms:
        raise Refused(Reason.TOKEN_ALGORITHM, f"the algorithm is {shown(algorithm)}")
    if not isinstance(kid, str) or not 1 <= len(kid) <= MAX_KID_LENGTH:
        raise Refused(Reason.TOKEN_KID, f"it names the key {shown(kid)}")
    return Header(algorithm=algorithm, kid=kid, type=None)


def _instant(claims: Mapping[str, object], name: str) -> int:
    value = claims.get(name)
    if not (type(value) is int or type(value) is float) or not 0 <= value <= _LATEST:
        raise Refused(Reason.TOKEN_CLAIMS, f"`{name}` of the ID token is {shown(value)}")
    return int(value)


def _subject(value: object) -> str:
    if not isinstance(value, str) or not 1 <= len(value) <= _MAX_SUBJECT or not value.isprintable():
        raise Refused(Reason.TOKEN_CLAIMS, f"`sub` of the ID token is {shown(value)}")
    return value
