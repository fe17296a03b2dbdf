"""What does the simulated issuer know of a client? RFC 7591 §2, as far as it needs it."""

from dataclasses import dataclass, field

from joserfc.jwk import KeySet


@dataclass(frozen=True, slots=True, kw_only=True)
class RegisteredClient:
    """What the issuer knows of a client.

    Attributes:
        client_id: its name.
        keys: its public keys, or None for a public client.
        redirect_uris: where people may be sent back to.
        secret: what it shares with the issuer, or None; a client has keys or a secret, never both.
    """

    client_id: str
    keys: KeySet | None
    redirect_uris: tuple[str, ...]
    secret: str | None = field(default=None, repr=False)

    @property
    def public(self) -> bool:
        """Whether it cannot prove who it is."""
        return self.keys is None and self.secret is None
