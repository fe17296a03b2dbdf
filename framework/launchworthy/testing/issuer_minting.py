"""How is a good access token made, and how one that is wrong in exactly one way? RFC 9068.

Everything that is not asked for stays as in a good token, so a test that changes one thing tests one
thing, and its positive twin is the same call without the change.
"""

import json
import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any, Final, Protocol

from joserfc.util import urlsafe_b64encode

from launchworthy.testing.issuer_keys import SigningKey


class Absent(Enum):
    """The one value that means: leave this member out."""

    ABSENT = "absent"


ABSENT: Final = Absent.ABSENT
LIFETIME: Final = 600
"""Seconds that a good token lives."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """What a token is issued for.

    Attributes:
        resource: the audience.
        scopes: what it is good for.
        subject: who it stands for; for a client that acts for itself, its own id.
        client: who asked for it.
        act: the delegation chain of RFC 8693 §4.1, or None.
        expires_by: the latest end, where a token it came from ends sooner; or None.
        claims: what else it says.
    """

    resource: str
    scopes: Sequence[str]
    subject: str
    client: str
    act: Mapping[str, Any] | None = None
    expires_by: int | None = None
    claims: Mapping[str, Any] | None = None


class Signer(Protocol):
    """What signs: a key of this process, or of another one."""

    @property
    def kid(self) -> str:
        """Its name in the key set."""

    @property
    def algorithm(self) -> str:
        """What it signs with."""

    def sign(self, signing_input: bytes) -> bytes:
        """Sign with this key's algorithm."""


class Signers(Protocol):
    """The keys of an issuer, of which one signs."""

    def active(self, algorithm: str | None = None) -> Signer:
        """The key that signs with this algorithm; with the issuer's own choice if none is said."""


class Minter:
    """Writes and signs tokens of one issuer.

    Attributes:
        says: what every good token says besides, as whose the caller is.
    """

    def __init__(self, issuer: str, keys: Signers, clock: Callable[[], float]) -> None:
        """Remember whose tokens these are."""
        self._issuer = issuer
        self._keys = keys
        self._clock = clock
        self.says: Mapping[str, object] = {}

    def ends(self, grant: Grant) -> int:
        """When a good token for this ends."""
        latest = int(self._clock()) + LIFETIME
        return latest if grant.expires_by is None else min(latest, grant.expires_by)

    def claims(self, grant: Grant) -> dict[str, Any]:
        """The claims of a good token (RFC 9068 §2.2)."""
        now = int(self._clock())
        claims: dict[str, Any] = {
            "iss": self._issuer,
            "sub": grant.subject,
            "aud": grant.resource,
            "exp": self.ends(grant),
            "iat": now,
            "jti": secrets.token_urlsafe(16),
            "client_id": grant.client,
            **self.says,
        }
        if grant.scopes:
            claims["scope"] = " ".join(grant.scopes)
        if grant.act is not None:
            claims["act"] = grant.act
        return claims | dict(grant.claims or {})

    def mint(  # noqa: PLR0913 - each argument is one thing that can be wrong with a token
        self,
        grant: Grant,
        *,
        claims: Mapping[str, object] | None = None,
        header: Mapping[str, object] | None = None,
        algorithm: str | None = None,
        key: SigningKey | None = None,
        raw_header: bytes | None = None,
        raw_payload: bytes | None = None,
        signature: Callable[[bytes], bytes] | None = None,
    ) -> str:
        """Write a good token and change what is asked for.

        Args:
            grant: what it is for.
            claims: members that replace those of a good token; `ABSENT` leaves one out.
            header: the same for the header.
            algorithm: signs with the issuer's active key for it.
            key: signs, and is named in the header, instead of the issuer's own.
            raw_header: stands in place of the header's JSON; the signature is over it.
            raw_payload: stands in place of the claims' JSON; the signature is over it.
            signature: makes the signature from the signing input.
        """
        signer: Signer = self._keys.active(algorithm) if key is None else key
        head = {"alg": signer.algorithm, "kid": signer.kid, "typ": "at+jwt"}
        head_bytes = _json(head, header) if raw_header is None else raw_header
        payload = _json(self.claims(grant), claims) if raw_payload is None else raw_payload
        signing_input = urlsafe_b64encode(head_bytes) + b"." + urlsafe_b64encode(payload)
        signed = (signer.sign if signature is None else signature)(signing_input)
        return (signing_input + b"." + urlsafe_b64encode(signed)).decode("ascii")


def _json(members: Mapping[str, object], changes: Mapping[str, object] | None) -> bytes:
    merged = {**members, **(changes or {})}
    kept = {name: value for name, value in merged.items() if value is not ABSENT}
    return json.dumps(kept, separators=(",", ":")).encode()
