"""When does the word of another issuer count? Identity assertions of a company's sign-in (ID-JAG).

An ID-JAG is a short-lived token in which the identity provider of a company says: this person may use that
client at this issuer, for that resource. It is redeemed here, once, by that client (RFC 7523 §2.1,
draft-ietf-oauth-identity-assertion-authz-grant).
"""

import json
from collections.abc import Callable, Mapping
from typing import Any, Final

from joserfc import jws
from joserfc.errors import JoseError

from launchworthy.testing.issuer_errors import OAuthError
from launchworthy.testing.issuer_keys import ALGORITHMS, SigningKeys

JWT_BEARER: Final = "urn:ietf:params:oauth:grant-type:jwt-bearer"
ID_JAG: Final = "urn:ietf:params:oauth:token-type:id-jag"
ID_JAG_TYPE: Final = "oauth-id-jag+jwt"
ID_JAG_SECONDS: Final = 60
LONGEST_ID_JAG: Final = 300
"""Seconds; what vouches for a person at another issuer is redeemed at once."""

_REGISTRY: Final = jws.JWSRegistry(algorithms=ALGORITHMS, strict_check_header=False)


class IdJags:
    """The assertions that one issuer redeems: whose word counts, and what was redeemed before."""

    def __init__(self, issuer: str, clock: Callable[[], float]) -> None:
        """Trust nobody yet.

        Args:
            issuer: the only audience of assertions.
            clock: seconds since the epoch.
        """
        self._issuer = issuer
        self._clock = clock
        self._trusted: dict[str, SigningKeys] = {}
        self._redeemed: dict[str, float] = {}

    @property
    def trusts_anybody(self) -> bool:
        """Whether there is anything that could be redeemed."""
        return self._trusted != {}

    def trust(self, provider: str, keys: SigningKeys) -> None:
        """From now on the word of this identity provider counts."""
        self._trusted[provider] = keys

    def redeem(self, assertion: str, client_id: str) -> dict[str, Any]:
        """The claims of an assertion that was made for this client, at this issuer, and not redeemed before.

        Raises:
            OAuthError: `invalid_grant`.
        """
        claims = self._verified(assertion)
        now = self._clock()
        self._redeemed = {jti: end for jti, end in self._redeemed.items() if end > now}
        jti, expires = claims.get("jti"), claims.get("exp")
        ends = float(expires) if isinstance(expires, int) else 0.0
        wrong = (
            (claims.get("aud") not in (self._issuer, [self._issuer]), "`aud` is not this issuer alone"),
            (claims.get("client_id") != client_id, "it was made for another client"),
            (not now < ends <= now + LONGEST_ID_JAG, "`exp` is missing, past or too far"),
            (not isinstance(jti, str) or jti == "", "there is no `jti`"),
            (jti in self._redeemed, "it was redeemed before"),
            (not isinstance(claims.get("sub"), str), "it names nobody"),
            (not isinstance(claims.get("resource"), str), "it names no resource"),
        )
        for is_wrong, what in wrong:
            if is_wrong:
                raise OAuthError("invalid_grant", f"the assertion does not count here: {what}")
        self._redeemed[str(jti)] = ends
        return claims

    def _verified(self, assertion: str) -> dict[str, Any]:
        """Signed by the provider that it names, and meant as such an assertion."""
        try:
            unverified = jws.extract_compact(assertion.encode(), registry=_REGISTRY)
            claims = json.loads(unverified.payload)
            header = unverified.headers()
            keys = self._trusted[claims["iss"]]
            key = keys.published(str(header.get("kid")))
            good = key is not None and jws.validate_compact(unverified, key.private, registry=_REGISTRY)
        except (JoseError, ValueError, TypeError, KeyError):
            raise OAuthError("invalid_grant", "the assertion cannot be verified") from None
        if not good or not isinstance(claims, dict):
            raise OAuthError("invalid_grant", "the assertion is no trusted provider's")
        if header.get("typ") != ID_JAG_TYPE:
            raise OAuthError("invalid_grant", "the token is no identity assertion")
        return claims


def id_jag_claims(*, audience: str, resource: str, scopes: tuple[str, ...]) -> Mapping[str, object]:
    """What an identity assertion says beside the claims of every token.

    Args:
        audience: the issuer that redeems it.
        resource: what the client may then use.
        scopes: at most for these.
    """
    return {"aud": audience, "resource": resource, "scope": " ".join(scopes)}
