"""How does a client prove who it is? It signs an assertion (RFC 7523); this is all that a client needs."""

import json
import secrets
from typing import Final

from joserfc import jws
from joserfc.jwk import ECKey

LIFETIME: Final = 60


def client_assertion(client_id: str, key: ECKey, audience: str, now: int, **changes: object) -> str:
    """A fresh proof of who it is (RFC 7523 §2.2), with some claims changed for a test."""
    claims = {
        "iss": client_id,
        "sub": client_id,
        "aud": audience,
        "iat": now,
        "exp": now + LIFETIME,
        "jti": secrets.token_urlsafe(16),
    } | changes
    header = {"alg": "ES256", "kid": key.kid}
    return jws.serialize_compact(header, json.dumps(claims), key, ["ES256"])
