"""Which token has this workload of its own for one upstream? Client credentials, or its assertion as a grant.

RFC 6749 §4.4 with an assertion in place of a secret (RFC 7523 §2.2), or `jwt-bearer`, where the assertion
itself is the grant (RFC 7523 §2.1: workload identity federation). Such tokens say nothing of any caller, so
they are the only ones that calls may share; they run out by themselves.
"""

from collections.abc import Callable
from functools import partial
from typing import Final

from launchworthy.credentials.lease import CredentialRequest, Lease, Revocation
from launchworthy.credentials.own_tokens import OwnTokens, TokenKey
from launchworthy.credentials.token_answer import Expected, IssuedToken
from launchworthy.credentials.token_server import TokenRequest, TokenServer
from launchworthy.identity import WorkloadIdentity

CLIENT_CREDENTIALS: Final = "client_credentials"
JWT_BEARER: Final = "urn:ietf:params:oauth:grant-type:jwt-bearer"
MAX_TTL: Final = 3600


class ClientCredentials:
    """A `CredentialBroker` for tokens of the workload itself."""

    max_ttl = MAX_TTL

    def __init__(
        self,
        server: TokenServer,
        resource: str,
        *,
        identity: WorkloadIdentity,
        assertion_is_grant: bool,
        clock: Callable[[], float],
        new_id: Callable[[], str],
    ) -> None:
        """Ask `server` for tokens for `resource`.

        Args:
            server: the issuer.
            resource: whom the tokens are for.
            identity: who we are; when it changes, every token is dropped.
            assertion_is_grant: whether our assertion is the grant, instead of proving the client.
            clock: seconds since the epoch.
            new_id: names leases.
        """
        self.name = "jwt-bearer" if assertion_is_grant else "client-credentials"
        self._server = server
        self._resource = resource
        self._identity = identity
        self._assertion_is_grant = assertion_is_grant
        self._new_id = new_id
        self.tokens = OwnTokens(clock)
        identity.on_change(self.tokens.changed)

    async def issue(self, request: CredentialRequest) -> Lease:
        """Lend our own token; one that is still good is used again.

        Raises:
            BrokerError: the issuer gives none.
            IdentityUnavailable: we cannot prove who we are now.
        """
        self._identity.require()  # also where a token is kept: no identity, no work
        key = TokenKey(
            issuer=self._server.issuer, resource=self._resource, scopes=request.scopes, ttl=request.ttl
        )
        own = await self.tokens.get(key, partial(self._ask, request.scopes))
        self._identity.require()  # it may have been withdrawn meanwhile
        return Lease(
            id=self._new_id(),
            credential=request.credential,
            broker=self.name,
            resource=self._resource,
            secret=own.token.secret,
            parts={},
            scopes=own.token.scopes,
            not_after=own.not_after,
            revocation=Revocation.EXPIRY,
            handle=None,
        )

    async def revoke(self, lease: Lease) -> None:
        """Nothing: other calls may be using it, and it runs out by itself."""

    async def aclose(self) -> None:
        """Close the connections."""
        await self._server.aclose()

    async def _ask(self, scopes: tuple[str, ...]) -> IssuedToken:
        secrets = {}
        if self._assertion_is_grant:
            secrets["assertion"] = await self._identity.assertion(self._server.issuer)
        return await self._server.ask(
            TokenRequest(
                grant=JWT_BEARER if self._assertion_is_grant else CLIENT_CREDENTIALS,
                resource=self._resource,
                scopes=scopes,
                parameters={},
                secrets=secrets,
                expected=Expected(token_type="bearer", issued_token_type=None, scopes=scopes),  # noqa: S106
            )
        )
