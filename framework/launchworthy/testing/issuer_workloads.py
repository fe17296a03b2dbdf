"""How does a workload prove to the simulated issuer who it is? By its identity, and by nothing else.

`jwt-spiffe`    a JWT-SVID of the trusted authority, whose one audience is the issuer
`jwt-bearer`    a token of the platform for that audience; or an assertion signed with the key of an
                X.509-SVID, which comes along (`x5c`) and verifies to the trusted authority
"""

import base64
import binascii
import json
from collections.abc import Callable, Mapping, MutableMapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.verification import ExtensionPolicy, PolicyBuilder, Store, VerificationError
from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, KeySet, RSAKey

from launchworthy.testing.issuer_errors import OAuthError
from launchworthy.testing.issuer_registration import RegisteredClient

ASSERTION_TYPE: Final = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
LONGEST_SIGNED: Final = 60
_ALGORITHMS: Final = ("ES256", "ES384", "RS256")


class _Registry(jws.JWSRegistry):
    """Headers may hold a chain of certificates."""

    max_header_length = 16 * 1024


_REGISTRY: Final = _Registry(algorithms=list(_ALGORITHMS), strict_check_header=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Workload:
    """A workload, as an issuer trusts it.

    Attributes:
        client_id: its name at the issuer.
        subject: its SPIFFE ID, or the `sub` of its platform's tokens.
        keys: the public keys of whoever vouches for it, as they are now.
        roots: the authorities that its certificates verify to; empty where it has none.
        redirect_uris: where people may be sent back to who sign in for it.
    """

    client_id: str
    subject: str
    keys: Callable[[], Any]
    roots: Callable[[], tuple[x509.Certificate, ...]]
    redirect_uris: tuple[str, ...] = ()

    def registered(self) -> RegisteredClient:
        """What the issuer knows of it as a client."""
        return RegisteredClient(
            client_id=self.client_id,
            keys=KeySet.import_key_set(self.keys()),
            redirect_uris=self.redirect_uris,
        )

    def authenticate(
        self, form: Mapping[str, str], issuer: str, now: float, seen: MutableMapping[str, float]
    ) -> RegisteredClient:
        """Return it if the form proves who it is.

        Args:
            form: of the request.
            issuer: the only audience.
            now: seconds since the epoch.
            seen: the assertions that were used, with their ends.

        Raises:
            OAuthError: `invalid_client`.
        """
        assertion = form.get("client_assertion") or form.get("assertion", "")
        try:
            unverified = jws.extract_compact(assertion.encode(), registry=_REGISTRY)
            chain = unverified.headers().get("x5c")
            if chain is not None and form.get("client_assertion_type") == ASSERTION_TYPE:
                claims = self._signed(assertion, chain, now)
                self._check_signed(claims, now, seen)
            else:
                keys = KeySet.import_key_set(self.keys())
                claims = json.loads(
                    jws.deserialize_compact(assertion, keys, list(_ALGORITHMS), registry=_REGISTRY).payload
                )
        except (JoseError, VerificationError, ValueError, TypeError, KeyError, binascii.Error):
            raise OAuthError("invalid_client", "the assertion cannot be verified", status=401) from None
        if claims.get("aud") not in (issuer, [issuer]):
            raise OAuthError("invalid_client", "`aud` is not this issuer alone", status=401)
        if claims.get("sub") not in (self.subject, self.client_id) or not now < claims.get("exp", 0):
            raise OAuthError("invalid_client", "the assertion is another's, or over", status=401)
        return self.registered()

    def _signed(self, assertion: str, chain: list[str], now: float) -> dict[str, Any]:
        leaf, *others = [x509.load_der_x509_certificate(base64.b64decode(each)) for each in chain]
        policy = (
            PolicyBuilder()
            .store(Store(list(self.roots())))
            .time(datetime.fromtimestamp(now, UTC))
            .extension_policies(
                ca_policy=ExtensionPolicy.webpki_defaults_ca(), ee_policy=ExtensionPolicy.webpki_defaults_ee()
            )
        )
        policy.build_client_verifier().verify(leaf, others)
        names = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        if names.get_values_for_type(x509.UniformResourceIdentifier) != [self.subject]:
            raise ValueError("the certificate is another's")
        pem = leaf.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        elliptic = isinstance(leaf.public_key(), ec.EllipticCurvePublicKey)
        key = ECKey.import_key(pem) if elliptic else RSAKey.import_key(pem)
        claims: dict[str, Any] = json.loads(
            jws.deserialize_compact(assertion, key, list(_ALGORITHMS), registry=_REGISTRY).payload
        )
        return claims

    def _check_signed(self, claims: Mapping[str, Any], now: float, seen: MutableMapping[str, float]) -> None:
        """RFC 7523 §3: by and about the client, for a minute, once."""
        jti, ends = str(claims.get("jti", "")), claims.get("exp", 0)
        if claims.get("iss") != self.client_id or jti == "" or jti in seen:
            raise OAuthError("invalid_client", "the assertion is another's, or was used before", status=401)
        if not now < ends <= now + LONGEST_SIGNED + 1:
            raise OAuthError("invalid_client", "`exp` is past or too far", status=401)
        seen[jti] = ends
