"""Which client is asking, and can it prove that? RFC 7521, RFC 7523, RFC 7591, Client ID Metadata Documents.

A client proves itself by a signed assertion, or is public and brings PKCE. Some clients know no better than
a shared secret: one that was registered with a secret proves itself by it, and by nothing else.
"""

import binascii
import json
import secrets
from base64 import b64decode
from collections.abc import Callable, Mapping
from hmac import compare_digest
from typing import Any, Final
from urllib.parse import unquote_plus

from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, KeySet

from launchworthy.testing.client_assertion import client_assertion
from launchworthy.testing.issuer_errors import OAuthError
from launchworthy.testing.issuer_id_jag import JWT_BEARER
from launchworthy.testing.issuer_registration import RegisteredClient
from launchworthy.testing.issuer_workloads import ASSERTION_TYPE, Workload

LONGEST_ASSERTION: Final = 300
_ALGORITHMS: Final = ("ES256", "RS256", "PS256", "Ed25519")

FetchClientMetadata = Callable[[str], Mapping[str, Any]]
"""From a `client_id` that is a URL to the document that stands there."""


class SimulatedClient:
    """A registered client with a key of its own: an agent that acts for itself."""

    def __init__(self, client_id: str, key: ECKey | None = None) -> None:
        """Generate its key, or take the one that it was registered with."""
        self.client_id = client_id
        self.key = ECKey.generate_key("P-256", {"kid": f"{client_id}-1"}) if key is None else key

    def registration(self) -> RegisteredClient:
        """What the issuer is told about it."""
        public = KeySet([ECKey.import_key(self.key.as_dict(private=False))])
        return RegisteredClient(client_id=self.client_id, keys=public, redirect_uris=())

    def assertion(self, audience: str, now: int, **changes: object) -> str:
        """A fresh proof of who it is (RFC 7523 §2.2), with some claims changed for a test."""
        return client_assertion(self.client_id, self.key, audience, now, **changes)


class Clients:
    """The clients of one issuer."""

    def __init__(self, issuer: str, clock: Callable[[], float], fetch: FetchClientMetadata | None) -> None:
        """Know nobody yet.

        Args:
            issuer: the only audience of assertions.
            clock: seconds since the epoch.
            fetch: reads Client ID Metadata Documents; None where there is no network.
        """
        self._issuer = issuer
        self._clock = clock
        self._fetch = fetch
        self._known: dict[str, RegisteredClient] = {}
        self._workloads: dict[str, Workload] = {}
        self._seen: dict[str, float] = {}

    def add(self, client: RegisteredClient) -> None:
        """Register a client."""
        self._known[client.client_id] = client

    def admit(self, workload: Workload) -> None:
        """Know a workload by its identity."""
        self._workloads[workload.client_id] = workload

    def _workload(self, form: Mapping[str, str]) -> Workload | None:
        """The workload that a form names, or whose assertion is the grant."""
        if form.get("grant_type") == JWT_BEARER and "client_id" not in form:
            return next(iter(self._workloads.values()), None)
        return self._workloads.get(form.get("client_id", ""))

    def register(self, metadata: Mapping[str, Any]) -> RegisteredClient:
        """Register a client at its own wish (RFC 7591)."""
        client = _read_registration(f"registered-{secrets.token_hex(8)}", metadata)
        self.add(client)
        return client

    def find(self, client_id: str) -> RegisteredClient:
        """A registered client, or one that publishes its own metadata.

        Raises:
            OAuthError: `invalid_client`.
        """
        if (known := self._known.get(client_id)) is not None:
            return known
        if client_id in self._workloads:
            return self._workloads[client_id].registered()
        if not client_id.startswith("https://") or self._fetch is None:
            raise OAuthError("invalid_client", "this client is not registered", status=401)
        metadata = self._fetch(client_id)
        if metadata.get("client_id") != client_id:
            raise OAuthError("invalid_client", "the metadata document is another client's", status=401)
        return _read_registration(client_id, metadata)

    @property
    def methods(self) -> tuple[str, ...]:
        """How clients prove themselves; secrets only where a client has one."""
        shared = any(client.secret is not None for client in self._known.values())
        return ("private_key_jwt", "none", *(("client_secret_basic", "client_secret_post") if shared else ()))

    @property
    def reads_documents(self) -> bool:
        """Whether a client may be known by its metadata document alone."""
        return self._fetch is not None

    def authenticate(self, form: Mapping[str, str], authorization: str | None) -> RegisteredClient:
        """Find out which client sent this request.

        Args:
            form: its body.
            authorization: its `Authorization` header.

        Raises:
            OAuthError: `invalid_client`.
        """
        workload = self._workload(form)
        if workload is not None:
            return workload.authenticate(form, self._issuer, self._clock(), self._seen)
        if "client_assertion" not in form:
            client_id, secret = _shared_secret(form, authorization)
            client = self.find(client_id)
            if client.keys is not None:
                raise OAuthError("invalid_client", "this client proves itself by an assertion", status=401)
            if not compare_digest((client.secret or "").encode(), (secret or "").encode()):
                raise OAuthError("invalid_client", "this is not the client's secret", status=401)
            return client
        if form.get("client_assertion_type") != ASSERTION_TYPE:
            raise OAuthError("invalid_client", "unknown `client_assertion_type`", status=401)
        try:
            unverified = json.loads(jws.extract_compact(form["client_assertion"].encode()).payload)
            client = self.find(str(unverified["sub"]))
            claims = self._verified(form["client_assertion"], client)
        except (JoseError, ValueError, TypeError, KeyError):
            raise OAuthError("invalid_client", "the assertion cannot be verified", status=401) from None
        self._check_assertion(claims, client, form)
        return client

    def _verified(self, assertion: str, client: RegisteredClient) -> dict[str, Any]:
        if client.keys is None:
            raise OAuthError("invalid_client", "a public client has no key to sign with", status=401)
        claims = json.loads(jws.deserialize_compact(assertion, client.keys, _ALGORITHMS).payload)
        if not isinstance(claims, dict):
            raise TypeError("claims are an object")
        return claims

    def _check_assertion(
        self, claims: dict[str, Any], client: RegisteredClient, form: Mapping[str, str]
    ) -> None:
        """RFC 7523 §3; the audience is the issuer and nothing else, so that no other server can replay it."""
        now = self._clock()
        self._seen = {jti: end for jti, end in self._seen.items() if end > now}
        jti, expires = str(claims.get("jti", "")), claims.get("exp")
        ends = float(expires) if isinstance(expires, int) else 0.0
        wrong = (
            (claims.get("iss") != client.client_id, "`iss` is not the client"),
            (form.get("client_id", client.client_id) != client.client_id, "`client_id` is another client"),
            (claims.get("aud") not in (self._issuer, [self._issuer]), "`aud` is not this issuer alone"),
            (not now < ends <= now + LONGEST_ASSERTION, "`exp` is missing, past or too far"),
            (jti == "", "there is no `jti`"),
            (jti in self._seen, "the assertion was used before"),
        )
        for is_wrong, what in wrong:
            if is_wrong:
                raise OAuthError("invalid_client", what, status=401)
        self._seen[jti] = ends


def _shared_secret(form: Mapping[str, str], authorization: str | None) -> tuple[str, str | None]:
    """Name and secret, from the header or from the form, never from both (RFC 6749 §2.3)."""
    if authorization is None:
        return form.get("client_id", ""), form.get("client_secret")
    scheme, _, encoded = authorization.partition(" ")
    try:
        name, colon, secret = b64decode(encoded, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        name = colon = secret = ""
    name, secret = unquote_plus(name), unquote_plus(secret)
    named_twice = "client_secret" in form or form.get("client_id", name) != name
    if scheme.lower() != "basic" or not colon or named_twice:
        raise OAuthError("invalid_client", "the client does not name itself once", status=401)
    return name, secret


def _read_registration(client_id: str, metadata: Mapping[str, Any]) -> RegisteredClient:
    """RFC 7591 §2, as far as the simulated issuer needs it."""
    redirect_uris = metadata.get("redirect_uris", [])
    if not isinstance(redirect_uris, list) or not all(isinstance(uri, str) for uri in redirect_uris):
        raise OAuthError("invalid_redirect_uri", "`redirect_uris` is not a list of URLs")
    method = metadata.get("token_endpoint_auth_method", "none")
    if method not in ("none", "private_key_jwt"):
        raise OAuthError("invalid_client_metadata", "only `none` and `private_key_jwt` are supported")
    keys = None
    if method == "private_key_jwt":
        try:
            keys = KeySet.import_key_set(metadata["jwks"])
        except (JoseError, ValueError, TypeError, KeyError):
            raise OAuthError("invalid_client_metadata", "`jwks` holds no keys") from None
    return RegisteredClient(client_id=client_id, keys=keys, redirect_uris=tuple(redirect_uris))
