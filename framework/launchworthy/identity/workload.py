"""What may a server ask of its identity, whoever provides it? The Protocol, and what it hands out."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal, Protocol

from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509 import Certificate

from launchworthy.identity.status import IdentityChange, IdentityStatus
from launchworthy.vocabulary import Secret

PrivateKey = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey
"""What SPIFFE issuers use; any other kind of key is refused."""


@dataclass(frozen=True, slots=True, kw_only=True)
class X509Identity:
    """A verified X.509-SVID and the bundle that it verifies to.

    Attributes:
        spiffe_id: the one URI SAN of the leaf; equals `expected_id`.
        chain: DER, leaf first, without the root.
        private_key: belongs to the leaf; never shown.
        bundle: DER of the authorities of our own trust domain, sorted.
        serial: of the leaf, hex.
        not_before: seconds since the epoch.
        not_after: seconds since the epoch.
    """

    spiffe_id: str
    chain: tuple[bytes, ...]
    private_key: PrivateKey = field(repr=False)
    bundle: tuple[bytes, ...]
    serial: str
    not_before: int
    not_after: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """That this workload, and no other, said something; in text, ready for a record.

    Attributes:
        kind: `x509` for a signature by the SVID's key; `token` where the platform gives a token file only.
        chain: base64 of DER, leaf first; empty for a token.
        bundle: base64 of DER; empty for a token.
        signature: base64; empty for a token.
        algorithm: `ES256`, `ES384` (both with the two integers concatenated, RFC 7518 §3.4), `RS256`; for a
            token `none`, which is what it proves about the payload.
        token: hex SHA-256 of the token in hand; None for x509.
    """

    kind: Literal["x509", "token"]
    chain: tuple[str, ...]
    bundle: tuple[str, ...]
    signature: str
    algorithm: str
    token: str | None


class WorkloadIdentity(Protocol):
    """Who this process is, kept fresh. One per process; opened before anything is served."""

    async def start(self, deadline_seconds: float) -> None:
        """Return once there is an identity.

        Raises:
            StartupRefused: stage `identity`; exit 75 where waiting may help, 78 where only a change can.
        """

    def status(self) -> IdentityStatus:
        """How it stands now. No I/O, no parsing."""

    def require(self) -> None:
        """Return if the identity is usable.

        Raises:
            IdentityUnavailable: it is not.
        """

    def x509(self) -> X509Identity:
        """The certificate in force.

        Raises:
            IdentityUnavailable: there is none, or this kind of identity has no certificates.
        """

    async def assertion(self, audience: str) -> Secret:
        """A token that says who we are, for exactly this audience; good for a while.

        Raises:
            IdentityUnavailable: there is none to be had.
        """

    def bundle_for(self, trust_domain: str) -> tuple[Certificate, ...]:
        """The authorities of a trust domain that is configured and that the agent vouches for now.

        Raises:
            IdentityUnavailable: it is not trusted, or our own identity is not usable.
        """

    async def prove(self, payload: bytes) -> Proof:
        """Prove that this workload holds `payload`.

        Raises:
            IdentityUnavailable: there is no identity.
        """

    def on_change(self, callback: Callable[[IdentityChange], None]) -> None:
        """Call back on the event loop at every change, from `start` on."""

    async def aclose(self) -> None:
        """Let go of everything. May be called at any time, and again."""
