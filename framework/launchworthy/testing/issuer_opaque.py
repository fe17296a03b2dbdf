"""What does the simulated issuer say of an opaque token? RFC 7662: whose it is, or that it is not active."""

import secrets
from collections.abc import Mapping
from typing import Any, Final

from launchworthy.testing.issuer_minting import ABSENT

PREFIX: Final = "sim-"


class OpaqueTokens:
    """The opaque tokens of one issuer; each is what it was issued as until it is revoked.

    Set from any thread; each is looked up once a request.

    Attributes:
        asked: the tokens that were asked about, in order.
    """

    def __init__(self) -> None:
        """Know none yet."""
        self._known: dict[str, dict[str, object]] = {}
        self.asked: list[str] = []

    def issue(self, claims: Mapping[str, object]) -> str:
        """Write a token that says nothing, and remember what it means; `ABSENT` leaves a member out."""
        token = PREFIX + secrets.token_urlsafe(24)
        members = {"active": True, "token_type": "Bearer", **claims}
        self._known[token] = {name: value for name, value in members.items() if value is not ABSENT}
        return token

    def revoke(self, token: str) -> None:
        """Forget a token; one that is not known is no error."""
        self._known.pop(token, None)

    def answer(self, token: str) -> dict[str, Any]:
        """What is said to whoever may ask."""
        self.asked.append(token)
        return self._known.get(token, {"active": False})
