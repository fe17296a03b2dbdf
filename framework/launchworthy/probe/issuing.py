"""Who makes the tokens that cases show? What a case may ask of an issuer, and how one says that it cannot."""

from collections.abc import Callable, Mapping
from typing import Any, Protocol

from launchworthy.testing.issuer import SigningKey
from launchworthy.testing.issuer_clients import SimulatedClient
from launchworthy.testing.issuer_minting import Grant, Signer


class CannotMint(Exception):
    """A token that a case needs cannot be had here; the text says why."""


class Key(Signer, Protocol):
    """A signing key, as far as cases look at it."""

    def public(self) -> dict[str, Any]:
        """The JWK that is published.

        Raises:
            CannotMint: it is not known here.
        """


class Keys(Protocol):
    """The keys of an issuer."""

    def active(self, algorithm: str | None = None) -> Key:
        """The one that signs now."""


class Issuer(Protocol):
    """An issuer: the simulated one, another process's, or whoever stands behind a command."""

    @property
    def issuer(self) -> str:
        """Its URL."""

    @property
    def keys(self) -> Keys:
        """What it signs with."""

    @property
    def client(self) -> SimulatedClient:
        """Whom its tokens are for."""

    def grant(self, *, resource: str, scopes: tuple[str, ...], claims: Mapping[str, Any]) -> Grant:
        """What a token is for."""

    def mint(
        self,
        grant: Grant,
        *,
        claims: Mapping[str, object],
        header: Mapping[str, object],
        key: SigningKey | None = None,
        raw_payload: bytes | None = None,
        signature: Callable[[bytes], bytes] | None = None,
    ) -> str:
        """Write a good token and change what is asked for.

        Raises:
            CannotMint: nobody here can make it.
        """
