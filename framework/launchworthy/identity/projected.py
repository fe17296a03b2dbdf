"""Is this the token that our platform projects for us, and how long is it good? Pure; nothing is trusted.

Its signature is for whoever receives it. What is looked at here finds a wrong mount before it becomes a
refusal far away, and keeps us from showing the token to anybody else:

1. A JWT in compact form, small enough to be one.
2. `sub` is exactly `expected_id`: a token of somebody else means that ours was withdrawn.
3. `iss` is one that is configured.
4. `aud` names one audience: the only one to which it is ever given.
5. `exp` is a while away, `nbf` has passed.
"""

import base64
import binascii
import hashlib
import json
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from launchworthy.identity.cause import Cause, SourceError
from launchworthy.vocabulary import Secret

MAX_TOKEN_BYTES = 16384
_PARTS = 3
_LAST_INSTANT = 1 << 53


@dataclass(frozen=True, slots=True, kw_only=True)
class ProjectedToken:
    """A token file's content, looked at and not verified.

    Attributes:
        secret: the token.
        digest: hex SHA-256 of it; safe to log.
        subject: `sub`; equals `expected_id`.
        issuer: `iss`.
        audience: the one `aud`.
        issued_at: `iat`, or None.
        expires_at: `exp`, cut to seconds.
    """

    secret: Secret
    digest: str
    subject: str
    issuer: str
    audience: str
    issued_at: int | None
    expires_at: int


def read_projected(
    content: bytes, *, expected_id: str, trust_domains: tuple[str, ...], now: float, min_left: float
) -> ProjectedToken:
    """Read a token file.

    Args:
        content: all of it.
        expected_id: the `sub` that is ours.
        trust_domains: issuers: a URL means exactly that `iss`, a bare name any `https` issuer of that host.
        now: seconds since the epoch.
        min_left: seconds that the token must still be good for.

    Raises:
        SourceError: with the rule that failed.
    """
    token = content.strip()
    claims = _claims(token)
    subject, issuer = _text(claims, "sub"), _text(claims, "iss")
    if subject != expected_id:
        raise SourceError(
            Cause.OTHER_IDENTITY, f"the token is about `{subject}`, and `{expected_id}` is expected"
        )
    if not any(_is_of(issuer, domain) for domain in trust_domains):
        raise SourceError(Cause.OTHER_ISSUER, f"the token comes from `{issuer}`, which is not configured")
    audience = _one_audience(claims.get("aud"))
    expires_at = _instant(claims, "exp")
    if expires_at is None:
        raise SourceError(Cause.NOT_A_TOKEN, "the token does not say when it expires")
    if expires_at - now < min_left:
        raise SourceError(Cause.EXPIRED, f"the token is good for {max(0.0, expires_at - now):.0f} s only")
    if now < (_instant(claims, "nbf") or 0):
        raise SourceError(Cause.NOT_YET, "the token is not good yet")
    return ProjectedToken(
        secret=Secret(token.decode("ascii")),
        digest=hashlib.sha256(token).hexdigest(),
        subject=subject,
        issuer=issuer,
        audience=audience,
        issued_at=_instant(claims, "iat"),
        expires_at=expires_at,
    )


def unverified_subject(content: bytes) -> str:
    """The `sub` of a token file, for a doctor to show.

    Raises:
        SourceError: it cannot be read.
    """
    return _text(_claims(content.strip()), "sub")


def _claims(token: bytes) -> dict[str, Any]:
    parts = token.split(b".")
    if len(token) > MAX_TOKEN_BYTES or len(parts) != _PARTS:
        raise SourceError(Cause.NOT_A_TOKEN, "the file holds no token in compact form")
    payload = parts[1]
    try:
        text = base64.b64decode(payload + b"=" * (-len(payload) % 4), altchars=b"-_", validate=True)
        claims = json.loads(text)
        token.decode("ascii")
    except (binascii.Error, ValueError, RecursionError):
        raise SourceError(Cause.NOT_A_TOKEN, "the file holds no token that can be read") from None
    if not isinstance(claims, dict):
        raise SourceError(Cause.NOT_A_TOKEN, "the file holds no token that can be read")
    return claims


def _text(claims: dict[str, Any], name: str) -> str:
    value = claims.get(name)
    if not isinstance(value, str) or value == "":
        raise SourceError(Cause.NOT_A_TOKEN, f"the token has no `{name}`")
    return value


def _one_audience(value: object) -> str:
    audiences = [value] if isinstance(value, str) else value
    if (
        not isinstance(audiences, list)
        or len(audiences) != 1
        or not isinstance(audiences[0], str)
        or audiences == [""]
    ):
        raise SourceError(Cause.OTHER_AUDIENCE, "the token is not for exactly one audience")
    return audiences[0]


def _instant(claims: dict[str, Any], name: str) -> int | None:
    value = claims.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < _LAST_INSTANT:
        raise SourceError(Cause.NOT_A_TOKEN, f"the token's `{name}` is no instant")
    return int(value)


def _is_of(issuer: str, domain: str) -> bool:
    if "://" in domain:
        return issuer == domain
    try:
        parts = urlsplit(issuer)
    except ValueError:
        return False
    return parts.scheme == "https" and parts.hostname == domain and "@" not in parts.netloc
