"""Which broker asks an issuer, and how does it prove who we are? Loads authlib; imported if one is named."""

from collections.abc import Callable

from launchworthy.credentials import CredentialBroker
from launchworthy.credentials.brokers.client_credentials import ClientCredentials
from launchworthy.credentials.brokers.identity_assertion import IdentityAssertion
from launchworthy.credentials.brokers.token_exchange import TokenExchange
from launchworthy.credentials.client_proof import PROOF_OF_IDENTITY, ClientProof, ProofKind
from launchworthy.credentials.token_server import TokenServer
from launchworthy.server.parts import Parts
from launchworthy.settings import CredentialSettings
from launchworthy.tokens.fetch import Network


class IssuersLending:
    """Makes the brokers that ask issuers for tokens."""

    def __init__(
        self,
        parts: Parts,
        network: Network,
        *,
        clock: Callable[[], float],
        monotonic: Callable[[], float],
        new_id: Callable[[], str],
    ) -> None:
        """Make them of these parts.

        Args:
            parts: settings and identity.
            network: the way to issuers.
            clock: seconds since the epoch.
            monotonic: seconds that never go back.
            new_id: names leases.
        """
        self._parts = parts
        self._network = network
        self._clock = clock
        self._monotonic = monotonic
        self._new_id = new_id

    def broker(self, credential: CredentialSettings) -> CredentialBroker:
        """The broker of one table.

        Raises:
            EndpointError: an address is one that we do not connect to.
        """
        resource = str(credential.audience)
        at = self._server(str(credential.issuer), credential)
        if credential.broker == "token-exchange":
            return TokenExchange(at, resource, clock=self._clock, new_id=self._new_id)
        if credential.broker == "id-jag":
            callers = self._server(str(credential.issuer), credential)
            upstreams = self._server(str(credential.authorization_server), credential)
            return IdentityAssertion(callers, upstreams, resource, clock=self._clock, new_id=self._new_id)
        return ClientCredentials(
            at,
            resource,
            identity=self._parts.identity,
            assertion_is_grant=credential.broker == "jwt-bearer",
            clock=self._clock,
            new_id=self._new_id,
        )

    def _server(self, issuer: str, credential: CredentialSettings) -> TokenServer:
        endpoint = credential.endpoint if issuer == credential.issuer else None
        return TokenServer(
            issuer,
            endpoint=endpoint,
            proof=None if credential.broker == "jwt-bearer" else self._proof(credential),
            network=self._network,
            simulated=self._parts.settings.environment.simulated,
            monotonic=self._monotonic,
        )

    def _proof(self, credential: CredentialSettings) -> ClientProof:
        identity = self._parts.settings.identity
        kind = credential.assertion or PROOF_OF_IDENTITY.get(identity.kind, ProofKind.JWT_BEARER)
        return ClientProof(
            ProofKind(kind),
            credential.client or identity.expected_id,
            self._parts.identity,
            clock=self._clock,
            random_bits=self._parts.surroundings.random_bits,
        )
