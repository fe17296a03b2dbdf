"""How does this workload prove to an issuer who it is? Made afresh for each request, good for a minute.

`jwt-spiffe`        a JWT-SVID whose one audience is the issuer (draft-ietf-oauth-spiffe-client-auth)
`jwt-bearer`        the platform's own token for that audience, as a client assertion (RFC 7523 §2.2)
`private-key-jwt`   an assertion signed with the key of the X.509-SVID, which comes along as `x5c`
There is no secret to keep: what proves it is the identity, and it goes when the identity goes.
"""

import base64
import json
from collections.abc import Callable
from enum import StrEnum
from typing import Final

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from joserfc import jws
from joserfc.jwk import ECKey, RSAKey

from launchworthy.identity import WorkloadIdentity
from launchworthy.identity.workload import X509Identity

ASSERTION_SECONDS: Final = 60
_TYPES: Final = "urn:ietf:params:oauth:client-assertion-type:"
_EC: Final = {"secp256r1": "ES256", "secp384r1": "ES384", "secp521r1": "ES512"}
_JTI_BITS: Final = 128


class ProofKind(StrEnum):
    """The forms of proof."""

    JWT_SPIFFE = "jwt-spiffe"
    JWT_BEARER = "jwt-bearer"
    PRIVATE_KEY_JWT = "private-key-jwt"


PROOF_OF_IDENTITY: Final = {"spiffe": ProofKind.JWT_SPIFFE}
"""What each kind of identity proves itself with, unless the settings say otherwise; else `jwt-bearer`."""


class ClientProof:
    """Proves who we are to issuers that know us as `client`."""

    def __init__(
        self,
        kind: ProofKind,
        client: str,
        identity: WorkloadIdentity,
        *,
        clock: Callable[[], float],
        random_bits: Callable[[int], int],
    ) -> None:
        """Prove it in this way.

        Args:
            kind: the form.
            client: `client_id`.
            identity: who we are.
            clock: seconds since the epoch.
            random_bits: as many random bits as asked for.
        """
        self._kind = kind
        self._client = client
        self._identity = identity
        self._clock = clock
        self._random_bits = random_bits

    async def parameters(self, issuer: str) -> tuple[tuple[str, str], ...]:
        """What is added to a request to this issuer.

        Raises:
            IdentityUnavailable: there is no identity to prove it with.
        """
        self._identity.require()
        if self._kind is ProofKind.PRIVATE_KEY_JWT:
            kind, assertion = "jwt-bearer", self._signed(issuer)
        else:
            kind, assertion = self._kind.value, (await self._identity.assertion(issuer)).reveal()
        return (
            ("client_id", self._client),
            ("client_assertion_type", _TYPES + kind),
            ("client_assertion", assertion),
        )

    def _signed(self, issuer: str) -> str:
        """RFC 7523 §3: issued by and about the client, for this issuer alone, once, for a minute."""
        svid = self._identity.x509()
        now = int(self._clock())
        claims = {
            "iss": self._client,
            "sub": self._client,
            "aud": issuer,
            "iat": now,
            "exp": now + ASSERTION_SECONDS,
            "jti": f"{self._random_bits(_JTI_BITS):032x}",
        }
        algorithm, key = _key_of(svid)
        chain = [base64.b64encode(each).decode("ascii") for each in svid.chain]
        header = {"alg": algorithm, "typ": "JWT", "x5c": chain}
        return jws.serialize_compact(header, json.dumps(claims), key, [algorithm])


def _key_of(svid: X509Identity) -> tuple[str, ECKey | RSAKey]:
    der = svid.private_key.private_bytes(
        serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    if isinstance(svid.private_key, ec.EllipticCurvePrivateKey):
        return _EC[svid.private_key.curve.name], ECKey.import_key(der)
    return "RS256", RSAKey.import_key(der)
