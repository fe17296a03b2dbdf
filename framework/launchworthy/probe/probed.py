"""Which server is asked, and how does a good request to it look? All that a case may know of it."""

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from launchworthy.probe.issuing import Issuer
from launchworthy.testing.client import LEGACY, MODERN
from launchworthy.testing.issuer import SimulatedIssuer

NAMED_BY = {"tools/call": "name", "prompts/get": "name", "resources/read": "uri"}
"""Which parameter names what is asked for, and is repeated in a header."""
VERSION_KEY = "io.modelcontextprotocol/protocolVersion"


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """Something that can be called, with arguments that are good.

    Attributes:
        name: of the tool, prompt or resource.
        method: `tools/call`, `prompts/get` or `resources/read`; of a server that is not ours a list too.
        params: of the call, without `_meta`.
        scopes: all that it needs; empty where that is not known.
        granted: what a good token is good for where it is not known what is needed.
    """

    name: str
    method: str
    params: Mapping[str, Any]
    scopes: tuple[str, ...]
    granted: tuple[str, ...] = ()

    @property
    def named(self) -> bool:
        """Whether it is one of several, and its name is repeated in a header."""
        return self.method in NAMED_BY


@dataclass(frozen=True, slots=True, kw_only=True)
class Probed:
    """A server, and what it was told to trust.

    Attributes:
        resource: its URL, and the one audience.
        metadata_url: of its protected resource metadata.
        target: what the cases call.
        targets: everything that is declared with an example or needs none.
        scopes: every scope that something needs.
        entry_scopes: what a first read needs.
        revisions: of the protocol, as served.
        max_body: bytes.
        issuer: whose tokens it accepts.
        stranger: another issuer, of which it knows nothing.
        leeway: seconds that clocks may differ.
        max_lifetime: seconds that a token may live.
        scope_claim: where the scopes are.
        client_claim: where the client is.
        clock: seconds since the epoch, now.
        sessions: whether it keeps sessions in the older revision; ours never does.
        subject: who every good token stands for; None for somebody else each time.
    """

    resource: str
    metadata_url: str
    target: Target
    targets: tuple[Target, ...]
    scopes: tuple[str, ...]
    entry_scopes: tuple[str, ...]
    revisions: tuple[str, ...]
    max_body: int
    issuer: Issuer
    stranger: SimulatedIssuer
    leeway: float
    max_lifetime: float
    scope_claim: str
    client_claim: str
    clock: Any
    sessions: bool = False
    subject: str | None = None

    @property
    def now(self) -> int:
        """Seconds since the epoch."""
        return int(self.clock())

    def good_claims(self, scopes: Sequence[str]) -> dict[str, object]:
        """What differs from the simulated issuer's own idea of a token, in every token for this server."""
        claims: dict[str, object] = {
            # a new one each time, so that no case uses up another's rate, unless a session is one's own
            "sub": f"caller-{secrets.token_hex(8)}" if self.subject is None else self.subject,
            "exp": self.now + int(min(600, self.max_lifetime)),
        }
        if self.scope_claim != "scope":
            claims[self.scope_claim] = " ".join(scopes)
        if self.client_claim != "client_id":
            claims[self.client_claim] = self.issuer.client.client_id
        return claims


__all__ = ["LEGACY", "MODERN", "NAMED_BY", "VERSION_KEY", "Probed", "Target"]
