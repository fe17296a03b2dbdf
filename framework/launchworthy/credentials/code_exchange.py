"""How does the code of a person's sign-in become an ID token? RFC 6749 §4.1.3, RFC 7636 §4.5, RFC 7523 §2.2.

The client proves itself by the workload's identity, made afresh for each code; there is no client secret. Of
the answer only the ID token is taken: the access token that comes with it is dropped unread.
"""

import asyncio
from collections.abc import Callable
from typing import Final
from urllib.parse import urlencode

from launchworthy.credentials.client_proof import ClientProof
from launchworthy.identity import IdentityUnavailable
from launchworthy.tokens.discovery import MetadataError, discover
from launchworthy.tokens.endpoint import EndpointError, read_endpoint
from launchworthy.tokens.fetch import Fetcher, FetchError, Network
from launchworthy.tokens.kept_metadata import KeptMetadata
from launchworthy.vocabulary import Reason, Refused, Secret

_LONGEST: Final = 16 * 1024


class CodeExchange:
    """Redeems codes at one issuer."""

    def __init__(
        self,
        issuer: str,
        *,
        endpoint: str | None,
        proof: ClientProof,
        network: Network,
        simulated: bool,
        monotonic: Callable[[], float],
    ) -> None:
        """Judge the addresses; nothing is asked yet.

        Args:
            issuer: from the settings, byte for byte.
            endpoint: its token endpoint, where the settings name it; else by the issuer's metadata.
            proof: how we prove who we are.
            network: the way there.
            simulated: whether this world ends at this machine.
            monotonic: seconds that never go back.

        Raises:
            EndpointError: we do not connect there.
        """
        self._issuer = issuer
        self._configured = endpoint
        self._proof = proof
        self._simulated = simulated
        own = read_endpoint(issuer, allow_loopback_http=simulated, query=False)
        self._fetcher = Fetcher(own, network, loopback=simulated)
        self._found = KeptMetadata(self._discovered, monotonic=monotonic)
        if endpoint is not None:
            read_endpoint(endpoint, allow_loopback_http=simulated, query=True)

    async def redeem(self, code: str, verifier: Secret, redirect_uri: str) -> Secret:
        """Redeem a code; returns the ID token, which nobody has verified.

        Raises:
            Refused: `tool.approval`: the issuer gives none, or we cannot prove who
                we are now.
        """
        try:
            proof = await self._proof.parameters(self._issuer)
            form = [
                ("grant_type", "authorization_code"),
                ("code", code),
                ("redirect_uri", redirect_uri),
                ("code_verifier", verifier.reveal()),
                *proof,
            ]
            async with asyncio.timeout(self._fetcher.seconds):
                endpoint = self._configured or await self._found.get()
                at = read_endpoint(endpoint, allow_loopback_http=self._simulated, query=True)
                answer = await self._fetcher.post(at, urlencode(form).encode("ascii"))
        except (FetchError, EndpointError, MetadataError) as error:
            raise Refused(Reason.TOOL_APPROVAL, f"the code was not taken: {error}") from None
        except TimeoutError:
            raise Refused(Reason.TOOL_APPROVAL, "the code was not taken in time") from None
        except IdentityUnavailable as error:
            raise Refused(Reason.TOOL_APPROVAL, f"we cannot prove who we are: {error}") from None
        given = answer.get("id_token")
        if not isinstance(given, str) or not 0 < len(given) <= _LONGEST:
            raise Refused(Reason.TOOL_APPROVAL, "the issuer gave no ID token")
        return Secret(given)

    async def _discovered(self) -> str:
        return await discover(
            self._fetcher, "token_endpoint", self._issuer, allow_loopback_http=self._simulated
        )
