"""Where do people sign in, and who are we there? One issuer of the settings, that of the callers."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

from launchworthy.approval.refusals import NotAnswered
from launchworthy.tokens.authorization_request import authorization_address
from launchworthy.tokens.discovery import MetadataError, SignInEndpoint, discover_sign_in
from launchworthy.tokens.endpoint import EndpointError, read_endpoint
from launchworthy.tokens.fetch import Fetcher, FetchError, Network
from launchworthy.tokens.kept_metadata import KeptMetadata
from launchworthy.vocabulary import Secret


class RedeemsCodes(Protocol):
    """Who redeems a code, proving who we are by this workload's identity."""

    async def redeem(self, code: str, verifier: Secret, redirect_uri: str) -> Secret:
        """Redeem a code; returns the ID token, which nobody has verified.

        Raises:
            Refused: `tool.approval`.
        """


class AuthorizationServer:
    """One issuer, as browsers are sent to it."""

    def __init__(  # noqa: PLR0913 - the composition root names each part
        self,
        issuer: str,
        *,
        client: str,
        scopes: Sequence[str],
        endpoint: str | None,
        network: Network,
        simulated: bool,
        monotonic: Callable[[], float],
    ) -> None:
        """Judge the addresses; nothing is asked yet.

        Args:
            issuer: from the settings, byte for byte.
            client: who we are there.
            scopes: what is asked for besides `openid`.
            endpoint: its authorization endpoint, where the settings name it; else by its metadata.
            network: the way there.
            simulated: whether this world ends at this machine.
            monotonic: seconds that never go back.

        Raises:
            EndpointError: we do not send anybody there.
        """
        self.issuer = issuer
        self.client = client
        self._scope = " ".join(("openid", *scopes))
        self._configured = endpoint
        self._simulated = simulated
        own = read_endpoint(issuer, allow_loopback_http=simulated, query=False)
        self.host = own.authority
        self._fetcher = Fetcher(own, network, loopback=simulated)
        self._found = KeptMetadata(self._discovered, monotonic=monotonic)
        if endpoint is not None:
            read_endpoint(endpoint, allow_loopback_http=simulated, query=True)

    async def address(self, *, redirect_uri: str, state: str, verifier: str, asked: Mapping[str, str]) -> str:
        """Where a browser is sent, with what it is sent with.

        Args:
            redirect_uri: where it comes back to.
            state: what tells the answer to this question from others.
            verifier: of PKCE.
            asked: what is asked for besides a code for our scopes.

        Raises:
            NotAnswered: the issuer does not say where, or gives each client another name for a person, so
                that nobody could tell a caller from an approver.
        """
        found = await self._found.get()
        if not found.one_name_for_all:
            raise NotAnswered("the issuer gives each client another name for one person")
        at = found.authorization if self._configured is None else self._configured
        return authorization_address(
            at,
            client=self.client,
            redirect_uri=redirect_uri,
            state=state,
            verifier=verifier,
            asked={**asked, "scope": self._scope},
        )

    async def check_answered(self, issuer: str | None) -> None:
        """Return if it was this issuer that answered (RFC 9207 §2.4).

        Raises:
            NotAnswered: it was another one, or nobody can tell.
        """
        if issuer is None and (await self._found.get()).names_itself:
            raise NotAnswered("the answer does not say whose it is, and the issuer's do")
        if issuer is not None and issuer != self.issuer:
            raise NotAnswered("another issuer answered")

    async def _discovered(self) -> SignInEndpoint:
        try:
            async with asyncio.timeout(self._fetcher.seconds):
                return await discover_sign_in(self._fetcher, self.issuer, allow_loopback_http=self._simulated)
        except (FetchError, EndpointError, MetadataError, TimeoutError) as error:
            raise NotAnswered(f"the issuer's metadata cannot be had: {error}") from None
