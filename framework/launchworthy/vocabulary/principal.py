"""Who is calling: what a verified token says, and nothing that it does not."""

from dataclasses import dataclass
from enum import StrEnum
from typing import NewType

from launchworthy.vocabulary.reason import Reason
from launchworthy.vocabulary.refusal import Refused

TokenDigest = NewType("TokenDigest", str)
"""Hex SHA-256 of a bearer token: safe to keep, log and compare."""


class PrincipalKind(StrEnum):
    """Person or machine, from the issuer's mapping, never from the look of `sub`; unmapped is machine."""

    PERSON = "person"
    MACHINE = "machine"


@dataclass(frozen=True, slots=True, kw_only=True)
class Principal:
    """A caller, as (issuer, subject, client); made from verified claims only.

    Attributes:
        issuer: the configured issuer, byte for byte.
        subject: `sub`.
        client: `client_id` (or what the issuer's mapping names).
        kind: person or machine.
        scopes: granted scopes, implied ones included; may be empty.
        actors: subjects of the delegation chain (`act`), outermost first; at most four.
        token_id: `jti`.
        issued_at: seconds since the epoch.
        expires_at: seconds since the epoch; the call must have begun before.
        tenant: whose the caller is, where the server is for several tenants; None where there is one. A
            policy for several refuses to decide about a caller without one.
    """

    issuer: str
    subject: str
    client: str
    kind: PrincipalKind
    scopes: frozenset[str]
    actors: tuple[str, ...]
    token_id: str
    issued_at: int
    expires_at: int
    tenant: str | None = None

    @property
    def key(self) -> tuple[str, str, str]:
        """What tells one caller from another."""
        return (self.issuer, self.subject, self.client)


def tenant_of(principal: Principal) -> str:
    """Whose a caller is, on a server for several tenants: what two of them do is never counted together.

    Raises:
        Refused: `token.claims`: nobody has said it.
    """
    if principal.tenant is None:
        raise Refused(Reason.TOKEN_CLAIMS, "the caller has no tenant, and this server has several")
    return principal.tenant
