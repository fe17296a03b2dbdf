"""What stands behind a tool in the simulated world? A service that sees all, and checks credentials.

It answers `{}`, or what a team's own application answers (`tests/upstreams.py`). A request whose credential
is not good for it gets a 401 before that application hears of it.
"""

import asyncio
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from launchworthy.testing.issuer_faults import Fault, answer
from launchworthy.testing.listening import Listening, Listens
from launchworthy.testing.waiting import free_port


class Lender(Protocol):
    """Whoever lends credentials for an upstream in the simulated world."""

    def good_for(self, credential: str, resource: str) -> bool:
        """Whether a credential is good for this upstream now."""

    def revoked(self, credential: str) -> bool:
        """Whether a credential was taken back."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UpstreamRequest:
    """One request that an upstream has seen.

    Attributes:
        method: GET, POST, …
        path: of the URL.
        query: as it came.
        headers: by their names in lower case; all of them.
        body: as it came.
        credential: what came with it as bearer; empty where nothing did.
        lender: who lent it.
    """

    method: str
    path: str
    query: str
    headers: Mapping[str, str] = field(repr=False)
    body: bytes
    credential: str = field(repr=False)
    lender: Lender = field(repr=False)

    @property
    def json(self) -> Any:
        """The body as data."""
        return json.loads(self.body)

    @property
    def credential_revoked(self) -> bool:
        """Whether its credential has been taken back by now."""
        return self.lender.revoked(self.credential)


class SimulatedUpstream(Listens):
    """One upstream: iterate over it for the requests that it has seen, in order.

    Attributes:
        url: where it is, and the resource that its tokens name.
        fault: what it does instead of answering.
        refused: how many requests came without a good credential.
        everything: all that it has seen, with a good credential or without, in order.
    """

    def __init__(self, name: str, lender: Lender, app: ASGIApp | None = None) -> None:
        """Take a free port.

        Args:
            name: of its table in the settings.
            lender: says which credentials are good.
            app: answers good requests; without one they get `{}`.
        """
        self._port = free_port()
        self.name = name
        self.url = f"http://127.0.0.1:{self._port}"
        self.fault = Fault.NONE
        self.refused = 0
        self._lender = lender
        self._app = app
        self.everything: list[UpstreamRequest] = []
        self._seen: list[UpstreamRequest] = []

    def _listen(self) -> Listening:
        return Listening(self._build, self._port, name="simulated-upstream")

    def __iter__(self) -> Iterator[UpstreamRequest]:
        """What it has seen with a good credential."""
        return iter(tuple(self._seen))

    def __len__(self) -> int:
        """How much it has seen."""
        return len(self._seen)

    def __getitem__(self, number: int) -> UpstreamRequest:
        """One of the requests, in order."""
        return self._seen[number]

    def _build(self, ended: asyncio.Event) -> ASGIApp:
        async def serve(scope: Scope, receive: Receive, send: Send) -> None:
            request = Request(scope, receive)
            body = await request.body()
            response = await self._answer(request, body, ended)
            if response is not None:
                await response(scope, receive, send)
            elif self._app is not None:
                await self._app(scope, _again(body, receive), send)

        return serve

    async def _answer(self, request: Request, body: bytes, ended: asyncio.Event) -> Response | None:
        """What it answers by itself; None where the team's application does."""
        scheme, _, credential = request.headers.get("authorization", "").partition(" ")
        seen = UpstreamRequest(
            method=request.method,
            path=request.url.path,
            query=request.url.query,
            headers=dict(request.headers),
            body=body,
            credential=credential,
            lender=self._lender,
        )
        self.everything.append(seen)
        if not (scheme.lower() == "bearer" and self._lender.good_for(credential, self.url)):
            self.refused += 1
            return JSONResponse({"error": "invalid_token"}, status_code=401)
        self._seen.append(seen)
        if self.fault is not Fault.NONE:
            return await answer(self.fault, {}, ended)
        return JSONResponse({}) if self._app is None else None


def _again(body: bytes, receive: Receive) -> Receive:
    """The same body once more, for the application behind."""
    left = [body]

    async def read() -> Any:
        if left:
            return {"type": "http.request", "body": left.pop(), "more_body": False}
        return await receive()

    return read
