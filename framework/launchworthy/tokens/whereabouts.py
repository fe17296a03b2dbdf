"""Where is this endpoint of the issuer now? As configured, or as its metadata say, asked daily.

Where the metadata cannot be had, an address that they named before, and that answered, is still the issuer's
word.
"""

import asyncio
import math
from typing import Final

from launchworthy.tokens.discovery import discover
from launchworthy.tokens.endpoint import Endpoint, read_endpoint
from launchworthy.tokens.fetch import Fetcher, FetchError
from launchworthy.tokens.issuer_policy import IssuerPolicy

FRESH: Final = 24 * 3600


class Whereabouts:
    """One endpoint of one issuer."""

    def __init__(self, policy: IssuerPolicy, fetcher: Fetcher, member: str, configured: str | None) -> None:
        """Know nothing but what is configured.

        Args:
            policy: whose endpoint.
            fetcher: reads this issuer's documents.
            member: its name in the metadata.
            configured: its address, or None where the metadata say it.
        """
        self._policy = policy
        self._fetcher = fetcher
        self._member = member
        self._configured = configured
        self._discovered_at = -math.inf
        self.confirmed = configured
        """The address that answered last; None while none did and none is configured."""

    async def find(self, now: float, *, doubtful: bool) -> str:
        """The address to ask.

        Args:
            now: of a clock that never goes back.
            doubtful: whether the last attempt failed, so that the issuer may have moved.

        Raises:
            FetchError: no metadata could be had now, and no address is known.
            EndpointError: the issuer's name leads where we do not connect.
            MetadataError: the metadata are not the issuer's, or do not name the endpoint.
        """
        if self._configured is not None:
            return self._configured
        if self.confirmed is None:
            return await self._discover(now)
        if not doubtful and now < self._discovered_at + FRESH:
            return self.confirmed
        try:
            async with asyncio.timeout(self._fetcher.seconds / 2):
                return await self._discover(now)
        except (FetchError, TimeoutError):
            return self.confirmed

    def endpoint(self, uri: str) -> Endpoint:
        """An address that was found, taken apart.

        Raises:
            EndpointError: we do not connect there.
        """
        return read_endpoint(uri, allow_loopback_http=self._policy.allow_loopback_http, query=True)

    async def _discover(self, now: float) -> str:
        policy = self._policy
        uri = await discover(
            self._fetcher, self._member, policy.issuer, allow_loopback_http=policy.allow_loopback_http
        )
        self._discovered_at = now
        return uri
