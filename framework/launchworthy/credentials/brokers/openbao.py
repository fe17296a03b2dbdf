"""What does OpenBao (or Vault) lend? A dynamic secret, by a login with this workload's own identity.

1. log in as the role of the settings, by our assertion (for the store as its audience) or by our certificate
   (in the connection's handshake); a login for each lease
2. read the path: the answer must be a lease (a secret that is only kept there has no end, and is refused)
3. when the call ends: revoke the lease, then the login; both are idempotent
"""

import asyncio
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import httpx2

from launchworthy.credentials.errors import BrokerError
from launchworthy.credentials.lease import CredentialRequest, Lease, Revocation
from launchworthy.credentials.one_host import HostTransport, OneHost
from launchworthy.identity import WorkloadIdentity
from launchworthy.tokens.strict_json import StrictJSONError, parse_object
from launchworthy.vocabulary import Secret

MAX_TTL: Final = 3600
MAX_ANSWER_BYTES: Final = 256 * 1024
REQUEST_SECONDS: Final = 2.5
_MAX_DEPTH: Final = 16
_GOOD: Final = frozenset({200, 204})
_NOT_ALLOWED: Final = 403


@dataclass(frozen=True, slots=True, kw_only=True)
class DynamicSecret:
    """What is lent, and as whom.

    Attributes:
        mount: of the login.
        by_certificate: whether the connection shows who we are, instead of an assertion.
        role: which role.
        path: of the secret.
        part: which part of it is the secret itself; None where it has one only.
    """

    mount: str
    by_certificate: bool
    role: str
    path: str
    part: str | None


class OpenBao:
    """A `CredentialBroker` for dynamic secrets."""

    name = "openbao"
    max_ttl = MAX_TTL

    def __init__(
        self,
        host: OneHost,
        address: str,
        secret: DynamicSecret,
        *,
        identity: WorkloadIdentity,
        clock: Callable[[], float],
        new_id: Callable[[], str],
    ) -> None:
        """Ask the store at `address`.

        Args:
            host: the way there.
            address: of the store, as the settings have it; the audience of our assertion.
            secret: what is lent, and as whom.
            identity: who we are.
            clock: seconds since the epoch.
            new_id: names leases.
        """
        self._host = host
        self._address = address.rstrip("/")
        self._secret = secret
        self._identity = identity
        self._clock = clock
        self._new_id = new_id
        self._logins: dict[str, Secret] = {}

    async def issue(self, request: CredentialRequest) -> Lease:
        """Log in and read the dynamic secret.

        Raises:
            BrokerError: the store does not lend it.
            IdentityUnavailable: we cannot prove who we are now.
        """
        login = await self._log_in()
        asked_at = int(self._clock())
        try:
            answer = await self._ask("GET", self._secret.path, login, None)
            return self._lease(request, answer, login, asked_at)
        except BaseException:
            await asyncio.shield(self._log_out(login))  # whatever was lent with it ends with it
            raise

    async def revoke(self, lease: Lease) -> None:
        """Revoke the lease, then the login that it was made with.

        Raises:
            BrokerError: the store did not say that it is gone.
        """
        if lease.handle is None:
            return
        login = self._logins.get(lease.id) or await self._log_in()
        body = {"lease_id": lease.handle.reveal()}
        try:
            await self._ask("PUT", "sys/leases/revoke", login, body)
        except _NotAllowed:  # the login has ended before the lease did
            login = await self._log_in()
            await self._ask("PUT", "sys/leases/revoke", login, body)
        await self._log_out(login)
        self._logins.pop(lease.id, None)

    async def aclose(self) -> None:
        """Close the connections."""
        self._logins.clear()
        await self._host.aclose()

    def _lease(
        self, request: CredentialRequest, answer: Mapping[str, object], login: Secret, asked_at: int
    ) -> Lease:
        handle, seconds, data = answer.get("lease_id"), answer.get("lease_duration"), answer.get("data")
        if not isinstance(handle, str) or handle == "" or type(seconds) is not int or seconds <= 0:
            raise BrokerError("the store keeps this secret instead of lending it: it has no lease and no end")
        if not isinstance(data, dict):
            raise BrokerError("the store's answer holds no secret")
        parts = {name: Secret(value) for name, value in data.items() if isinstance(value, str) and value}
        lease = Lease(
            id=self._new_id(),
            credential=request.credential,
            broker=self.name,
            resource=self._secret.path,
            secret=self._chosen(parts),
            parts=parts,
            scopes=(),
            not_after=asked_at + seconds,
            revocation=Revocation.SERVER,
            handle=Secret(handle),
        )
        self._logins[lease.id] = login
        return lease

    def _chosen(self, parts: Mapping[str, Secret]) -> Secret:
        if self._secret.part is not None:
            if self._secret.part not in parts:
                raise BrokerError(f"the store's secret has no part `{self._secret.part}`")
            return parts[self._secret.part]
        if len(parts) != 1:
            raise BrokerError("the store's secret has several parts, or none: name one with `part`")
        return next(iter(parts.values()))

    async def _log_in(self) -> Secret:
        body = await self._proof()
        answer = await self._ask("POST", f"auth/{self._secret.mount}/login", None, body)
        auth = answer.get("auth")
        login = auth.get("client_token") if isinstance(auth, dict) else None
        if not isinstance(login, str) or login == "" or not login.isascii() or not login.isprintable():
            raise BrokerError("the store's answer to our login holds no token")
        return Secret(login)

    async def _proof(self) -> dict[str, str]:
        if self._secret.by_certificate:
            self._identity.require()
            return {"name": self._secret.role}
        assertion = await self._identity.assertion(self._address)
        return {"role": self._secret.role, "jwt": assertion.reveal()}

    async def _log_out(self, login: Secret) -> None:
        try:
            await self._ask("POST", "auth/token/revoke-self", login, None)
        except _NotAllowed:
            return  # it had ended by itself

    async def _ask(
        self, method: str, path: str, login: Secret | None, body: Mapping[str, Any] | None
    ) -> Mapping[str, object]:
        headers = {"Accept": "application/json", "X-Vault-Request": "true"}
        if login is not None:
            headers["X-Vault-Token"] = login.reveal()
        async with httpx2.AsyncClient(transport=HostTransport(self._host), trust_env=False) as client:
            try:
                async with asyncio.timeout(REQUEST_SECONDS):
                    response = await client.request(
                        method,
                        f"{self._address}/v1/{path}",
                        headers=headers,
                        content=json.dumps(body) if body is not None else None,
                    )
            except (httpx2.HTTPError, TimeoutError) as error:
                raise BrokerError(f"the store broke off ({type(error).__name__})") from None
        return _read(response)


class _NotAllowed(BrokerError):
    """The store does not let us."""


def _read(response: httpx2.Response) -> Mapping[str, object]:
    if response.status_code == _NOT_ALLOWED:
        raise _NotAllowed("the store does not let this workload do that (403)")
    if response.status_code not in _GOOD:
        raise BrokerError(f"the store answered {response.status_code}")
    if not response.content:
        return {}
    try:
        return parse_object(response.content, max_depth=_MAX_DEPTH, max_bytes=MAX_ANSWER_BYTES)
    except StrictJSONError as error:
        raise BrokerError(f"the store's answer is {error}") from None
