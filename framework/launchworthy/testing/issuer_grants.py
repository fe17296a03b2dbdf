"""Which token does this request get? RFC 6749, RFC 7523, RFC 7636, RFC 8693, RFC 8707.

Every token is for exactly one resource that the issuer knows, names it as its only audience, and is good
for no more than was asked for, than the resource offers, and than the grant it came from.
"""

import hashlib
import json
import secrets
from base64 import urlsafe_b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from hmac import compare_digest
from typing import Any, Final

from joserfc import jws
from joserfc.errors import JoseError

from launchworthy.testing.issuer_errors import OAuthError
from launchworthy.testing.issuer_id_jag import ID_JAG, JWT_BEARER, IdJags
from launchworthy.testing.issuer_keys import ALGORITHMS, SigningKeys
from launchworthy.testing.issuer_minting import ABSENT, Grant, Minter
from launchworthy.testing.issuer_registration import RegisteredClient
from launchworthy.testing.visitor import PERSON

EXCHANGE: Final = "urn:ietf:params:oauth:grant-type:token-exchange"
ACCESS_TOKEN: Final = "urn:ietf:params:oauth:token-type:access_token"  # noqa: S105 - a URN
CODE_SECONDS: Final = 60
OPENID_SCOPES: Final = frozenset(("", "openid", "profile", "email", "groups"))
"""Of OpenID Connect; they are no resource's."""
_REGISTRY: Final = jws.JWSRegistry(algorithms=ALGORITHMS, strict_check_header=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Authorization:
    """A person's consent, waiting for its code to be redeemed."""

    client_id: str
    redirect_uri: str
    code_challenge: str
    resource: str
    scopes: tuple[str, ...]
    subject: str
    expires_at: float
    openid: bool = False
    nonce: str | None = None
    acr: str | None = None


class Grants:
    """The grants of one issuer: what it promised, what it took back, and what it will issue."""

    def __init__(
        self,
        resources: Mapping[str, tuple[str, ...]],
        keys: SigningKeys,
        minter: Minter,
        clock: Callable[[], float],
        id_jags: IdJags,
        *,
        vouch: Callable[[str, Grant], str],
    ) -> None:
        """Know the resources and the scopes that each offers, and how to vouch for people elsewhere."""
        self._resources = resources
        self._keys = keys
        self._minter = minter
        self._clock = clock
        self._id_jags = id_jags
        self._vouch = vouch
        self.lifetimes: dict[str, int] = {}
        """Seconds that a token for a resource lives, where other than the usual."""
        self.delegated: set[str] = set()
        """Resources at which a workload may act for its callers, whatever their own tokens are good for."""
        self.changes: Mapping[str, Any] = {}
        """Members that replace those of a good answer; None leaves one out."""
        self._codes: dict[str, Authorization] = {}
        self.revoked: frozenset[str] = frozenset()
        """The `jti` of every revoked token."""
        self.groups: dict[str, tuple[str, ...]] = {}
        """The groups of a subject, for ID tokens."""
        self.said: dict[str, Mapping[str, object]] = {}
        """What else ID tokens say of a subject."""
        self.id_changes: Mapping[str, object] = {}
        """Claims that replace those of a good ID token."""

    @property
    def people(self) -> tuple[str, ...]:
        """Who signs in with one click; anybody else can be named."""
        return tuple(dict.fromkeys((PERSON, *self.groups, *self.said)))

    @property
    def types(self) -> tuple[str, ...]:
        """The grants there are; identity assertions only where somebody's word counts."""
        vouched = (JWT_BEARER,) if self._id_jags.trusts_anybody else ()
        return ("client_credentials", "authorization_code", EXCHANGE, *vouched)

    def target(self, parameters: Mapping[str, str]) -> tuple[str, tuple[str, ...]]:
        """The one resource that is asked for, and the scopes (RFC 8707 §2); for a mere sign-in, nothing.

        Raises:
            OAuthError: `invalid_target` or `invalid_scope`.
        """
        resource = parameters.get("resource")
        if resource is None and is_sign_in(parameters):
            return "", ()
        if resource is None or resource not in self._resources:
            raise OAuthError("invalid_target", "`resource` is missing, or not one this issuer knows")
        offered = self._resources[resource]
        asked = tuple(each for each in parameters.get("scope", "").split(" ") if each not in OPENID_SCOPES)
        if not set(asked) <= set(offered):
            raise OAuthError("invalid_scope", "the resource does not offer all of these scopes")
        return resource, asked

    def authorize(self, authorization: Authorization) -> str:
        """Remember a person's consent; returns the code for it."""
        code = secrets.token_urlsafe(32)
        self._codes[code] = authorization
        return code

    def issue(self, client: RegisteredClient, form: Mapping[str, str]) -> dict[str, Any]:
        """Answer a token request of an authenticated client.

        Raises:
            OAuthError: the request gets no token.
        """
        match form.get("grant_type"):
            case "client_credentials":
                return self._client_credentials(client, form)
            case "authorization_code":
                return self._authorization_code(client, form)
            case str(name) if name == EXCHANGE:
                return self._exchange(client, form)
            case str(name) if name == JWT_BEARER and "client_id" not in form:
                return self._client_credentials(client, form)  # the workload's own assertion is the grant
            case str(name) if name == JWT_BEARER and JWT_BEARER in self.types:
                return self._id_jag(client, form)
            case _:
                raise OAuthError("unsupported_grant_type", "this issuer has no such grant")

    def revoke(self, token: str) -> None:
        """Take a token back (RFC 7009); one that is none of ours is no error."""
        try:
            claims = self._read(token)
        except OAuthError:
            return
        self.revoked |= {str(claims["jti"])}

    def _client_credentials(self, client: RegisteredClient, form: Mapping[str, str]) -> dict[str, Any]:
        if client.public:
            raise OAuthError("unauthorized_client", "a public client has no credentials of its own")
        resource, scopes = self.target(form)
        return self.answer(
            Grant(resource=resource, scopes=scopes, subject=client.client_id, client=client.client_id)
        )

    def _authorization_code(self, client: RegisteredClient, form: Mapping[str, str]) -> dict[str, Any]:
        """RFC 6749 §4.1.3 with RFC 7636 §4.6; a code is good once, whatever comes of it."""
        granted = self._codes.pop(form.get("code", ""), None)
        if granted is None or granted.expires_at <= self._clock():
            raise OAuthError("invalid_grant", "the code is unknown, used or over")
        if (granted.client_id, granted.redirect_uri) != (client.client_id, form.get("redirect_uri")):
            raise OAuthError("invalid_grant", "the code was given to another client or address")
        digest = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
        if not compare_digest(urlsafe_b64encode(digest).rstrip(b"="), granted.code_challenge.encode()):
            raise OAuthError("invalid_grant", "`code_verifier` does not match")
        if form.get("resource", "") != granted.resource:
            raise OAuthError("invalid_target", "`resource` is not the one that was consented to")
        answer = self.answer(
            Grant(
                resource=granted.resource or client.client_id,
                scopes=granted.scopes,
                subject=granted.subject,
                client=client.client_id,
                claims={"name": "Simulated Person"},
            )
        )
        return answer | ({"id_token": self._id_token(granted)} if granted.openid else {})

    def _id_token(self, granted: Authorization) -> str:
        """Who signed in, for this client alone (OpenID Connect Core §2)."""
        grant = Grant(
            resource=granted.client_id, scopes=(), subject=granted.subject, client=granted.client_id
        )
        claims: dict[str, object] = {
            "jti": ABSENT,
            "client_id": ABSENT,
            "auth_time": int(self._clock()),
            "email": f"{granted.subject}@dev.invalid",
            "groups": list(self.groups.get(granted.subject, ())),
            "nonce": ABSENT if granted.nonce is None else granted.nonce,
            "acr": ABSENT if granted.acr is None else granted.acr,
            **self.said.get(granted.subject, {}),
            **self.id_changes,
        }
        return self._minter.mint(grant, claims=claims, header={"typ": "JWT"})

    def _exchange(self, client: RegisteredClient, form: Mapping[str, str]) -> dict[str, Any]:
        """RFC 8693 §2: the client acts for the subject, for no more and no longer than it could itself."""
        if client.public:
            raise OAuthError("unauthorized_client", "a public client cannot act for others")
        if form.get("subject_token_type") != ACCESS_TOKEN:
            raise OAuthError("invalid_request", "only access tokens can be exchanged")
        wanted = form.get("requested_token_type", ACCESS_TOKEN)
        if wanted != ACCESS_TOKEN and not (wanted == ID_JAG and self.delegated):
            raise OAuthError("invalid_request", "only access tokens and identity assertions are issued")
        subject = self._read(form.get("subject_token", ""))
        resource, scopes = self.target(form)
        held = str(subject.get("scope", "")).split(" ")
        if resource not in self.delegated and not set(scopes) <= set(held):
            raise OAuthError("invalid_scope", "the subject's token is not good for all of these scopes")
        act = {"sub": client.client_id} | ({"act": subject["act"]} if "act" in subject else {})
        grant = Grant(
            resource=resource,
            scopes=scopes,
            subject=str(subject["sub"]),
            client=client.client_id,
            act=act,
            expires_by=int(subject["exp"]),
        )
        if wanted == ID_JAG:
            word = self._vouch(form.get("audience", ""), grant)
            said = {"access_token": word, "token_type": "N_A", "expires_in": 60, "scope": " ".join(scopes)}
            return self._changed(said | {"issued_token_type": ID_JAG})
        return self._changed(self.answer(grant) | {"issued_token_type": ACCESS_TOKEN})

    def _id_jag(self, client: RegisteredClient, form: Mapping[str, str]) -> dict[str, Any]:
        """RFC 7523 §2.1: the person that a trusted provider vouches for, for no more than it vouches for."""
        if client.public:
            raise OAuthError("unauthorized_client", "a public client cannot bring the word of others")
        claims = self._id_jags.redeem(form.get("assertion", ""), client.client_id)
        vouched = str(claims.get("scope", ""))
        asked = {"resource": claims["resource"], "scope": vouched, **form}
        if asked["resource"] != claims["resource"]:
            raise OAuthError("invalid_target", "`resource` is not the one that was vouched for")
        resource, scopes = self.target(asked)
        if not set(scopes) <= set(vouched.split(" ")):
            raise OAuthError("invalid_scope", "the provider did not vouch for all of these scopes")
        return self.answer(
            Grant(
                resource=resource,
                scopes=scopes,
                subject=claims["sub"],
                client=client.client_id,
                claims={"name": "Simulated Person"},
            )
        )

    def _read(self, token: str) -> dict[str, Any]:
        """The claims of a token of ours that is still good."""
        claims = self._verified(token)
        if claims["jti"] in self.revoked or claims["exp"] <= self._clock():
            raise OAuthError("invalid_grant", "the token is over or was revoked")
        return claims

    def _verified(self, token: str) -> dict[str, Any]:
        """The claims of a token of ours, good or not."""
        try:
            unverified = jws.extract_compact(token.encode(), registry=_REGISTRY)
            key = self._keys.published(str(unverified.headers().get("kid")))
            ours = key is not None and jws.validate_compact(unverified, key.private, registry=_REGISTRY)
            claims: dict[str, Any] = json.loads(unverified.payload)
        except (JoseError, ValueError):
            raise OAuthError("invalid_grant", "the token cannot be read") from None
        if not ours:
            raise OAuthError("invalid_grant", "the token is none of this issuer's")
        return claims

    def good_for(self, token: str, resource: str) -> str | None:
        """The `jti` of a token that is good for this resource now; None for any other."""
        try:
            claims = self._read(token)
        except OAuthError:
            return None
        return str(claims["jti"]) if claims["aud"] == resource else None

    def token_id(self, token: str) -> str | None:
        """The `jti` of a token of ours, good or not."""
        try:
            return str(self._verified(token)["jti"])
        except OAuthError:
            return None

    def answer(self, grant: Grant) -> dict[str, Any]:
        """The answer with a token for a grant."""
        now = int(self._clock())
        lifetime = self.lifetimes.get(grant.resource)
        if lifetime is not None:
            ends = now + lifetime if grant.expires_by is None else min(now + lifetime, grant.expires_by)
            grant = replace(grant, expires_by=ends)
        return self._changed(
            {
                "access_token": self._minter.mint(grant),
                "token_type": "Bearer",
                "expires_in": self._minter.ends(grant) - now,
                "scope": " ".join(grant.scopes),
            }
        )

    def _changed(self, answer: dict[str, Any]) -> dict[str, Any]:
        return {name: value for name, value in (answer | dict(self.changes)).items() if value is not None}


def is_sign_in(parameters: Mapping[str, str]) -> bool:
    """Whether a person's name is asked for (OpenID Connect Core §3.1.2.1)."""
    return "openid" in parameters.get("scope", "").split(" ")
