"""Which token does a caller's become at another company's upstream? ID-JAG: two steps, two issuers.

1. the caller's own issuer exchanges its token for an ID-JAG, whose audience is the upstream's authorization
   server (draft-ietf-oauth-identity-assertion-authz-grant; MCP's enterprise-managed authorization)
2. that authorization server takes it as a grant (RFC 7523 §2.1) and gives a token for the upstream
The ID-JAG goes there and nowhere else; neither is kept.
"""

from collections.abc import Callable
from typing import Final

from launchworthy.credentials.brokers.client_credentials import JWT_BEARER
from launchworthy.credentials.brokers.token_exchange import ACCESS_TOKEN, GRANT, callers_token, lend
from launchworthy.credentials.errors import BrokerError
from launchworthy.credentials.lease import CredentialRequest, Lease
from launchworthy.credentials.token_answer import Expected
from launchworthy.credentials.token_server import TokenRequest, TokenServer
from launchworthy.vocabulary import Secret

ID_JAG: Final = "urn:ietf:params:oauth:token-type:id-jag"
MAX_TTL: Final = 3600


class IdentityAssertion:
    """A `CredentialBroker` by identity assertion authorization grants."""

    name = "id-jag"
    max_ttl = MAX_TTL

    def __init__(
        self,
        callers: TokenServer,
        upstreams: TokenServer,
        resource: str,
        *,
        clock: Callable[[], float],
        new_id: Callable[[], str],
    ) -> None:
        """Go from one issuer to the other.

        Args:
            callers: who issued the caller's token.
            upstreams: the authorization server of the upstream.
            resource: the upstream.
            clock: seconds since the epoch.
            new_id: names leases.
        """
        self._callers = callers
        self._upstreams = upstreams
        self._resource = resource
        self._clock = clock
        self._new_id = new_id

    async def issue(self, request: CredentialRequest) -> Lease:
        """Go both steps.

        Raises:
            BrokerError: one of the issuers does not go along.
        """
        grant = await self._grant(request)
        wanted = TokenRequest(
            grant=JWT_BEARER,
            resource=self._resource,
            scopes=request.scopes,
            parameters={},
            secrets={"assertion": grant},
            expected=Expected(token_type="bearer", issued_token_type=None, scopes=request.scopes),  # noqa: S106
        )
        return await lend(
            self._upstreams, wanted, request, broker=self.name, clock=self._clock, new_id=self._new_id
        )

    async def revoke(self, lease: Lease) -> None:
        """Have the upstream's authorization server take it back."""
        await self._upstreams.revoke(lease.secret)

    async def aclose(self) -> None:
        """Close the connections."""
        await self._callers.aclose()
        await self._upstreams.aclose()

    async def _grant(self, request: CredentialRequest) -> Secret:
        issued = await self._callers.ask(
            TokenRequest(
                grant=GRANT,
                resource=self._resource,
                scopes=request.scopes,
                parameters={
                    "subject_token_type": ACCESS_TOKEN,
                    "requested_token_type": ID_JAG,
                    "audience": self._upstreams.issuer,
                },
                secrets={"subject_token": callers_token(request, self._callers.issuer)},
                expected=Expected(token_type="n_a", issued_token_type=ID_JAG, scopes=request.scopes),  # noqa: S106
            )
        )
        if not set(issued.scopes) <= set(request.scopes):
            raise BrokerError("the ID-JAG is good for more than was asked for")
        return issued.secret
