"""Which token does a caller's become for one upstream? RFC 8693: we act for the caller, for this call alone.

The issuer gets the caller's token and the proof of who we are, and gives a token for the upstream that names
both (`sub`, `act`). It is never kept or shared. Where the issuer takes tokens back (RFC 7009), it is taken
back when the call ends.
"""

from collections.abc import Callable
from typing import Final

from launchworthy.credentials.errors import BrokerError
from launchworthy.credentials.lease import CredentialRequest, Lease, Revocation
from launchworthy.credentials.sealed import unseal
from launchworthy.credentials.token_answer import Expected
from launchworthy.credentials.token_server import TokenRequest, TokenServer
from launchworthy.vocabulary import Secret

GRANT: Final = "urn:ietf:params:oauth:grant-type:token-exchange"
ACCESS_TOKEN: Final = "urn:ietf:params:oauth:token-type:access_token"  # noqa: S105 - a URN
MAX_TTL: Final = 3600


class TokenExchange:
    """A `CredentialBroker` that exchanges the caller's token."""

    name = "token-exchange"
    max_ttl = MAX_TTL

    def __init__(
        self,
        server: TokenServer,
        resource: str,
        *,
        clock: Callable[[], float],
        new_id: Callable[[], str],
    ) -> None:
        """Exchange at `server` for tokens for `resource`.

        Args:
            server: the issuer.
            resource: whom the tokens are for.
            clock: seconds since the epoch.
            new_id: names leases.
        """
        self._server = server
        self._resource = resource
        self._clock = clock
        self._new_id = new_id

    async def issue(self, request: CredentialRequest) -> Lease:
        """Exchange the caller's token.

        Raises:
            BrokerError: there is no caller's token, or the issuer does not exchange it.
        """
        wanted = TokenRequest(
            grant=GRANT,
            resource=self._resource,
            scopes=request.scopes,
            parameters={"subject_token_type": ACCESS_TOKEN, "requested_token_type": ACCESS_TOKEN},
            secrets={"subject_token": callers_token(request, self._server.issuer)},
            expected=Expected(
                token_type="bearer",  # noqa: S106 - a kind of token
                issued_token_type=ACCESS_TOKEN,
                scopes=request.scopes,
            ),
        )
        return await lend(
            self._server, wanted, request, broker=self.name, clock=self._clock, new_id=self._new_id
        )

    async def revoke(self, lease: Lease) -> None:
        """Have the issuer take it back."""
        await self._server.revoke(lease.secret)

    async def aclose(self) -> None:
        """Close the connections."""
        await self._server.aclose()


def callers_token(request: CredentialRequest, issuer: str) -> Secret:
    """The caller's own token, for its own issuer and nobody else (rule 25).

    Raises:
        BrokerError: it is another issuer's, or there is none.
    """
    if request.subject_token is None:
        raise BrokerError("the caller's token was not kept for this call")
    if request.principal.issuer != issuer:
        raise BrokerError(f"the caller's token is of another issuer than `{issuer}`, and goes to no other")
    try:
        return unseal(request.subject_token)
    except KeyError:
        raise BrokerError("the call has ended, and the caller's token with it") from None


async def lend(
    server: TokenServer,
    wanted: TokenRequest,
    request: CredentialRequest,
    *,
    broker: str,
    clock: Callable[[], float],
    new_id: Callable[[], str],
) -> Lease:
    """Ask for a token of a caller's and make a lease of it.

    Args:
        server: who gives it, and may take it back.
        wanted: what is asked for.
        request: for which call.
        broker: its name.
        clock: seconds since the epoch.
        new_id: names leases.

    Raises:
        BrokerError: there is none.
    """
    revocation = await _revocation_at(server)  # before: nothing may wait once there is a token
    asked_at = int(clock())
    issued = await server.ask(wanted)
    return Lease(
        id=new_id(),
        credential=request.credential,
        broker=broker,
        resource=wanted.resource,
        secret=issued.secret,
        parts={},
        scopes=issued.scopes,
        not_after=asked_at + issued.expires_in,
        revocation=revocation,
        handle=None,
    )


async def _revocation_at(server: TokenServer) -> Revocation:
    """Whether an issuer takes tokens back, by its metadata; where they cannot be had, it is tried."""
    try:
        return Revocation.SERVER if (await server.endpoints()).revocation is not None else Revocation.EXPIRY
    except BrokerError:
        return Revocation.SERVER
