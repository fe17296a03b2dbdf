"""What if nobody makes tokens for a server? Then every token is one that cannot be had, and says why."""

from typing import Any, NoReturn

from launchworthy.probe.issuing import CannotMint
from launchworthy.testing.issuer_clients import SimulatedClient
from launchworthy.testing.issuer_minting import Grant


class Nobody:
    """An issuer that issues nothing.

    Attributes:
        client: nobody.
    """

    def __init__(self, why: str) -> None:
        """Say why."""
        self.client = SimulatedClient("nobody")
        self._why = why

    @property
    def issuer(self) -> str:
        """Nobody's."""
        raise CannotMint(self._why)

    @property
    def keys(self) -> "Nobody":
        """Nobody's."""
        return self

    def active(self, algorithm: str | None = None) -> NoReturn:
        """Nobody's."""
        del algorithm
        raise CannotMint(self._why)

    def grant(self, **given: Any) -> Grant:
        """What a token would be for."""
        return Grant(**{"subject": "", "client": "", **given})

    def mint(self, grant: Grant, **changes: Any) -> NoReturn:
        """None."""
        del grant, changes
        raise CannotMint(self._why)
