"""What does AWS lend? A role's credentials for a while: AssumeRoleWithWebIdentity, an unsigned POST.

Nobody can take them back, and AWS lends them for a quarter of an hour at least: a manifest that asks for
less is refused at the start. The answer is XML: one with a document type is refused unread, since that is
where XML's traps are.
"""

import asyncio
import re
from collections.abc import Callable
from datetime import datetime
from typing import Final
from xml.etree import ElementTree as ET

import httpx2

from launchworthy.credentials.errors import BrokerError
from launchworthy.credentials.lease import CredentialRequest, Lease, Revocation
from launchworthy.credentials.one_host import HostTransport, OneHost
from launchworthy.identity import WorkloadIdentity
from launchworthy.vocabulary import Secret

MAX_TTL: Final = 3600
MAX_ANSWER_BYTES: Final = 64 * 1024
AUDIENCE: Final = "sts.amazonaws.com"
REQUEST_SECONDS: Final = 4.0
CLOCK_SECONDS: Final = 5
"""STS says when they end by its own clock; this much later than ours is the clock, not the lease."""
_NAMESPACE: Final = "{https://sts.amazonaws.com/doc/2011-06-15/}"
_NOT_IN_A_NAME: Final = re.compile(r"[^A-Za-z0-9_=,.@-]")
_PARTS: Final = {
    "access_key_id": "AccessKeyId",
    "secret_access_key": "SecretAccessKey",
    "session_token": "SessionToken",
}


class AwsSts:
    """A `CredentialBroker` for a role's credentials."""

    name = "aws-sts"
    max_ttl = MAX_TTL

    def __init__(
        self,
        host: OneHost,
        address: str,
        role_arn: str,
        *,
        identity: WorkloadIdentity,
        clock: Callable[[], float],
        new_id: Callable[[], str],
    ) -> None:
        """Assume this role.

        Args:
            host: the way to STS.
            address: of STS, as the settings have it.
            role_arn: the role.
            identity: who we are.
            clock: seconds since the epoch.
            new_id: names leases.
        """
        self._host = host
        self._address = address
        self._role_arn = role_arn
        self._identity = identity
        self._clock = clock
        self._new_id = new_id

    async def issue(self, request: CredentialRequest) -> Lease:
        """Assume the role; the session bears the call's id.

        Raises:
            BrokerError: STS does not lend it.
            IdentityUnavailable: we cannot prove who we are now.
        """
        assertion = await self._identity.assertion(AUDIENCE)
        form = {
            "Action": "AssumeRoleWithWebIdentity",
            "Version": "2011-06-15",
            "RoleArn": self._role_arn,
            "RoleSessionName": _NOT_IN_A_NAME.sub("-", request.call),
            "WebIdentityToken": assertion.reveal(),
            "DurationSeconds": str(request.ttl),
        }
        until = int(self._clock()) + request.ttl
        parts, ends = credentials_of(await self._post(form))
        return Lease(
            id=self._new_id(),
            credential=request.credential,
            broker=self.name,
            resource=self._role_arn,
            secret=parts["secret_access_key"],
            parts=parts,
            scopes=(),
            not_after=ends if ends - until > CLOCK_SECONDS else min(ends, until),
            revocation=Revocation.EXPIRY,
            handle=None,
        )

    async def revoke(self, lease: Lease) -> None:
        """Nothing: AWS takes no session back."""

    async def aclose(self) -> None:
        """Close the connections."""
        await self._host.aclose()

    async def _post(self, form: dict[str, str]) -> bytes:
        async with httpx2.AsyncClient(transport=HostTransport(self._host), trust_env=False) as client:
            try:
                async with asyncio.timeout(REQUEST_SECONDS):
                    response = await client.post(self._address, data=form)
            except (httpx2.HTTPError, TimeoutError) as error:
                raise BrokerError(f"STS broke off ({type(error).__name__})") from None
        if response.status_code != httpx2.codes.OK:
            raise BrokerError(f"STS answered {response.status_code}")
        return response.content


def credentials_of(body: bytes) -> tuple[dict[str, Secret], int]:
    """Read STS's answer; returns the parts and when they end, in seconds since the epoch.

    Raises:
        BrokerError: it is no such answer.
    """
    result = _parsed(body).find(f"{_NAMESPACE}AssumeRoleWithWebIdentityResult/{_NAMESPACE}Credentials")
    if result is None:
        raise BrokerError("STS's answer holds no credentials")
    values = {name: result.findtext(f"{_NAMESPACE}{member}", "") for name, member in _PARTS.items()}
    if "" in values.values():
        raise BrokerError("STS's answer holds half of a credential")
    try:
        ends = datetime.fromisoformat(result.findtext(f"{_NAMESPACE}Expiration", ""))
    except ValueError:
        raise BrokerError("STS's answer does not say when its credentials end") from None
    if ends.tzinfo is None:
        raise BrokerError("STS's answer does not say when its credentials end")
    return {name: Secret(value) for name, value in values.items()}, int(ends.timestamp())


def _parsed(body: bytes) -> ET.Element:
    if b"<!" in body or len(body) > MAX_ANSWER_BYTES:  # document types, entities: nothing that STS sends
        raise BrokerError("STS's answer is no plain XML")
    try:
        return ET.fromstring(body)  # noqa: S314 - no document type can be in it by now
    except ET.ParseError:
        raise BrokerError("STS's answer is no plain XML") from None
