"""How is one good request made, and one that differs in a single property? A draft, before it is sent.

Whatever a case leaves alone stays as in the good request, so that a refusal is for what was changed.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import httpx2

from launchworthy.probe.issuing import CannotMint
from launchworthy.probe.probed import LEGACY, MODERN, NAMED_BY, VERSION_KEY, Probed, Target

Change = Callable[["Draft"], None]
"""What a case does to a good draft."""
VERSION_HEADER = "mcp-protocol-version"
_ENVELOPE: dict[str, Any] = {
    VERSION_KEY: MODERN,
    "io.modelcontextprotocol/clientInfo": {"name": "launchworthy-probe", "version": "1"},
    "io.modelcontextprotocol/clientCapabilities": {},
}


@dataclass(slots=True, kw_only=True)
class Draft:
    """One request in the making.

    Attributes:
        probed: who is asked.
        revision: of the protocol.
        target: what is called.
        scopes: of the token.
        claims: what differs in the token's claims.
        token_header: what differs in its header.
        minting: further arguments of `SimulatedIssuer.mint`.
        edit_token: changes the finished token.
        credentials: makes the Authorization values of the token; exactly one if nothing is said.
        http_method: of the request.
        path: of the request, with the query.
        headers: but for Authorization; a list, since they may repeat.
        message: the JSON-RPC message.
        body: bytes that stand in place of the message.
        session: of a server that keeps sessions in the older revision; None where it keeps none.
    """

    probed: Probed
    revision: str
    target: Target
    scopes: tuple[str, ...]
    message: dict[str, Any]
    headers: list[tuple[str, str]]
    path: str
    claims: dict[str, Any] = field(default_factory=dict)
    token_header: dict[str, Any] = field(default_factory=dict)
    minting: dict[str, Any] = field(default_factory=dict)
    edit_token: Callable[[str], str] | None = None
    credentials: Callable[[str], list[str]] | None = None
    http_method: str = "POST"
    body: bytes | None = None
    session: str | None = None

    def header(self, name: str, value: str | None) -> None:
        """Replace a header, or leave it out."""
        self.headers = [(each, old) for each, old in self.headers if each != name]
        if value is not None:
            self.headers.append((name, value))

    def token(self) -> str:
        """The token of this draft.

        Raises:
            CannotMint: nobody here can make it.
        """
        issuer = self.probed.issuer
        good = self.probed.good_claims(self.scopes)
        grant = issuer.grant(resource=self.probed.resource, scopes=self.scopes, claims=good)
        token = issuer.mint(grant, claims=self.claims, header=self.token_header, **self.minting)
        if self.edit_token is None:
            return token
        if token.count(".") != 2:  # noqa: PLR2004 - of a JWT
            raise CannotMint("the token is opaque: nobody here can change anything of it")
        try:
            return self.edit_token(token)
        except (
            ValueError,
            LookupError,
            TypeError,
            AttributeError,
        ):  # somebody else's token may have anything in its parts
            raise CannotMint("the token has a part that cannot be changed in this way") from None

    def request(self, token: str) -> httpx2.Request:
        """The request as it will be sent."""
        values = [f"Bearer {token}"] if self.credentials is None else self.credentials(token)
        headers = [*self.headers, *(("authorization", value) for value in values)]
        if self.session is not None and LEGACY in (self.revision, dict(self.headers).get(VERSION_HEADER)):
            headers.append(("mcp-session-id", self.session))
        content = json.dumps(self.message).encode() if self.body is None else self.body
        parts = urlsplit(self.probed.resource)
        url = httpx2.URL(
            scheme=parts.scheme, host=parts.hostname, port=parts.port, raw_path=self.path.encode()
        )
        return httpx2.Request(
            self.http_method, url, headers=headers, content=content if self.http_method == "POST" else None
        )


def good_draft(probed: Probed, target: Target, revision: str, number: int) -> Draft:
    """A request that goes through."""
    params: dict[str, Any] = dict(target.params)
    headers = [
        ("content-type", "application/json"),
        ("accept", "application/json, text/event-stream"),
        (VERSION_HEADER, revision),
    ]
    if revision == MODERN:
        params["_meta"] = dict(_ENVELOPE)
        headers.append(("mcp-method", target.method))
        if target.named:
            headers.append(("mcp-name", str(params[NAMED_BY[target.method]])))
    return Draft(
        probed=probed,
        revision=revision,
        target=target,
        scopes=target.scopes or target.granted,
        message={"jsonrpc": "2.0", "id": number, "method": target.method, "params": params},
        headers=headers,
        path=urlsplit(probed.resource).path or "/",
    )


def initialize_draft(probed: Probed, number: int) -> Draft:
    """The first request of the older revision."""
    draft = plain_draft(probed, "initialize", LEGACY, number)
    draft.message["params"] = {
        "protocolVersion": LEGACY,
        "capabilities": {},
        "clientInfo": _ENVELOPE["io.modelcontextprotocol/clientInfo"],
    }
    return draft


def plain_draft(probed: Probed, method: str, revision: str, number: int) -> Draft:
    """A request for a list or for what the server is, with the scopes of the usual target."""
    draft = good_draft(probed, probed.target, revision, number)
    params: dict[str, Any] = {"_meta": dict(_ENVELOPE)} if revision == MODERN else {}
    draft.message = {"jsonrpc": "2.0", "id": number, "method": method, "params": params}
    draft.header("mcp-name", None)
    if revision == MODERN:
        draft.header("mcp-method", method)
    return draft
