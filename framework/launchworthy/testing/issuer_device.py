"""How does a person sign in for a device that has no browser? RFC 8628, as far as a test needs it.

Nobody is shown a page: `approve` and `decline` are what the person would press there.
"""

import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from launchworthy.testing.issuer_clients import Clients
from launchworthy.testing.issuer_errors import OAuthError
from launchworthy.testing.issuer_grants import Grants
from launchworthy.testing.issuer_minting import Grant
from launchworthy.testing.issuer_registration import RegisteredClient
from launchworthy.testing.visitor import PERSON

DEVICE_CODE: Final = "urn:ietf:params:oauth:grant-type:device_code"
CODE_SECONDS: Final = 60


@dataclass(slots=True, kw_only=True)
class _Waiting:
    client: str
    resource: str
    scopes: tuple[str, ...]
    ends_at: float
    answer: bool | None = None


class DeviceSignIns:
    """The device authorization endpoint of one issuer.

    Attributes:
        offered: whether the metadata name it.
        interval: seconds between two questions of a device.
        slow_downs: how often it is told to ask less often, before anything else.
        changes: members that replace those of a good answer; None leaves one out.
    """

    def __init__(self, clients: Clients, grants: Grants, clock: Callable[[], float]) -> None:
        """Nobody is signing in yet."""
        self._clients = clients
        self._grants = grants
        self._clock = clock
        self._waiting: dict[str, _Waiting] = {}
        self._typed: dict[str, str] = {}
        self.offered = False
        self.interval = 1
        self.slow_downs = 0
        self.changes: Mapping[str, Any] = {}

    def begin(self, form: Mapping[str, str], page: str) -> dict[str, Any]:
        """Give a device its codes (§3.2)."""
        client = self._clients.find(form.get("client_id", ""))
        resource, scopes = self._grants.target(form)
        device, typed = secrets.token_urlsafe(24), f"{secrets.randbelow(10**8):08d}"
        self._waiting[device] = _Waiting(
            client=client.client_id, resource=resource, scopes=scopes, ends_at=self._clock() + CODE_SECONDS
        )
        self._typed[typed] = device
        said = {
            "device_code": device,
            "user_code": typed,
            "verification_uri": page,
            "expires_in": CODE_SECONDS,
            "interval": self.interval,
        } | dict(self.changes)
        return {name: value for name, value in said.items() if value is not None}

    def approve(self, typed: str) -> None:
        """The person says yes."""
        self._waiting[self._typed.pop(typed)].answer = True

    def decline(self, typed: str) -> None:
        """The person says no."""
        self._waiting[self._typed.pop(typed)].answer = False

    def redeem(self, client: RegisteredClient, form: Mapping[str, str]) -> Grant:
        """What a device gets that asks again (§3.5).

        Raises:
            OAuthError: nothing yet, or nothing at all.
        """
        waiting = self._waiting.get(form.get("device_code", ""))
        if waiting is None or waiting.client != client.client_id or waiting.ends_at <= self._clock():
            raise OAuthError("expired_token", "the code is unknown, used or over")
        if self.slow_downs:
            self.slow_downs -= 1
            raise OAuthError("slow_down", "too often")
        if waiting.answer is None:
            raise OAuthError("authorization_pending", "nobody has answered yet")
        del self._waiting[form["device_code"]]
        if not waiting.answer:
            raise OAuthError("access_denied", "the person said no")
        return Grant(
            resource=waiting.resource,
            scopes=waiting.scopes,
            subject=PERSON,
            client=client.client_id,
            claims={"name": "Simulated Person"},
        )
