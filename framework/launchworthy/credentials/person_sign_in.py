"""How does a developer sign in at a sandbox? On a page of its issuer, and the token stays in memory.

By a device code where the issuer has them (RFC 8628: the page may be opened anywhere), else by a browser of
this machine with PKCE. Both as a public client: there is no secret to keep.
"""

import asyncio
import json
import threading
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final

from launchworthy.credentials.errors import BrokerError, IssuerRefused
from launchworthy.credentials.token_answer import Expected, IssuedToken
from launchworthy.credentials.token_server import TokenRequest, TokenServer
from launchworthy.tokens.code_flow import WAIT_SECONDS, CodeFlow, CodeFlowError, Redirect
from launchworthy.tokens.endpoint import EndpointError, read_endpoint
from launchworthy.tokens.shown import shown
from launchworthy.tokens.strict_json import StrictJSONError, parse_object
from launchworthy.vocabulary import Secret, render_scopes

DEVICE_CODE: Final = "urn:ietf:params:oauth:grant-type:device_code"
_INTERVAL: Final = 5
_SLOWER: Final = 5
"""Seconds, RFC 8628 §3.5."""
_LONGEST_PAUSE: Final = 60
_OK: Final = 200
_MAX_DEPTH: Final = 4
_MAX_BYTES: Final = 16 * 1024

Show = Callable[[str, str | None], None]
"""Tells the developer which page to open, and the code to type there, if there is one to type."""
Sleep = Callable[[float], Awaitable[None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonSignIn:
    """The way to sign in at one issuer.

    Attributes:
        server: the issuer.
        client: who we are there: a public client.
        resource: whom its tokens are for.
        local: whether the sandbox is on this machine.
        show: tells the developer.
        sleep: waits.
    """

    server: TokenServer
    client: str
    resource: str
    local: bool
    show: Show
    sleep: Sleep

    async def token(self, scopes: tuple[str, ...]) -> IssuedToken:
        """Have the developer sign in, and return the token that they get.

        Raises:
            BrokerError: nobody signed in, or the issuer gave nothing.
        """
        if not scopes:
            raise BrokerError("no scopes were asked for, and none means whatever the issuer likes")
        endpoints = await self.server.endpoints()
        if endpoints.device is not None:
            return await self._by_device(endpoints.device, scopes)
        if endpoints.authorization is not None:
            return await self._by_browser(endpoints.authorization, scopes)
        raise BrokerError("the issuer names no page to sign in at")

    async def _by_browser(self, endpoint: str, scopes: tuple[str, ...]) -> IssuedToken:
        over = threading.Event()
        with Redirect() as redirect:
            flow = CodeFlow(issuer=self.server.issuer, client=self.client, redirect_uri=redirect.uri)
            asked = {"scope": render_scopes(scopes), "resource": self.resource}
            self.show(flow.address(endpoint, asked), None)
            waiting = asyncio.to_thread(redirect.answer, WAIT_SECONDS, over.is_set)
            try:
                answer = await asyncio.shield(found := asyncio.ensure_future(waiting))
            except asyncio.CancelledError:
                over.set()
                await asyncio.wait({found})  # at most a look: the port must not be closed under it
                raise
        if answer is None:
            raise BrokerError(f"nobody signed in within {WAIT_SECONDS:.0f} s")
        try:
            code = flow.code_of(answer)
        except CodeFlowError as error:
            raise BrokerError(f"the sign-in failed: {error}") from None
        parameters = flow.form(code)
        held = {name: Secret(parameters.pop(name)) for name in ("code", "code_verifier")}
        return await self.server.ask(self._request("authorization_code", scopes, parameters, held))

    async def _by_device(self, endpoint: str, scopes: tuple[str, ...]) -> IssuedToken:
        form = [("client_id", self.client), ("scope", render_scopes(scopes)), ("resource", self.resource)]
        response = await self.server.post(endpoint, form)
        device = self._device(response.status_code, response.content)
        self.show(device.page, device.user_code)
        request = self._request(
            DEVICE_CODE, scopes, {"client_id": self.client}, {"device_code": device.device_code}
        )
        pause, left = device.interval, device.seconds
        while left > 0:
            await self.sleep(pause)
            left -= pause
            try:
                return await self.server.ask(request)
            except IssuerRefused as refused:
                if refused.error == "slow_down":
                    pause = min(pause + _SLOWER, _LONGEST_PAUSE)
                elif refused.error != "authorization_pending":
                    raise
        raise BrokerError("nobody signed in before the code ran out")

    def _request(
        self, grant: str, scopes: tuple[str, ...], parameters: dict[str, str], held: dict[str, Secret]
    ) -> TokenRequest:
        return TokenRequest(
            grant=grant,
            resource=self.resource,
            scopes=scopes,
            parameters=parameters,
            secrets=held,
            expected=Expected(token_type="bearer", issued_token_type=None, scopes=scopes),  # noqa: S106
        )

    def _device(self, status: int, body: bytes) -> "_Device":
        try:
            said = parse_object(body, max_depth=_MAX_DEPTH, max_bytes=_MAX_BYTES)
        except StrictJSONError as error:
            raise BrokerError(f"the issuer's answer is {error}") from None
        if status != _OK:
            raise BrokerError(f"the issuer gave no device code: {status} {shown(said.get('error'))}")
        code, typed = said.get("device_code"), said.get("user_code")
        if not (isinstance(code, str) and code and isinstance(typed, str) and typed.isprintable() and typed):
            raise BrokerError("the issuer's answer holds no device code")
        return _Device(
            device_code=Secret(code),
            user_code=typed,
            page=self._page(said),
            interval=_seconds(said.get("interval", _INTERVAL), 1, _LONGEST_PAUSE),
            seconds=_seconds(said.get("expires_in"), 1, int(WAIT_SECONDS)),
        )

    def _page(self, said: dict[str, object]) -> str:
        page = said.get("verification_uri")
        try:
            read_endpoint(str(page), allow_loopback_http=self.local, query=True)
        except EndpointError as error:
            raise BrokerError(f"the issuer's page to sign in at: {error}") from None
        return str(page)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Device:
    """What a device is given (RFC 8628 §3.2)."""

    device_code: Secret
    user_code: str
    page: str
    interval: int
    seconds: int


def _seconds(value: object, least: int, most: int) -> int:
    if type(value) is not int or value < least:
        raise BrokerError(f"the issuer's answer holds {json.dumps(value, default=str)[:20]} for seconds")
    return min(value, most)
