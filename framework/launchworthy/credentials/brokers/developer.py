"""Which token does the developer have for a sandbox? Their own, got by signing in; development only.

1. kept in memory, for one set of scopes each, until it ends; nothing of it is written anywhere
2. one sign-in is under way for each; a call that finds none waits a moment, and then says where to sign in
3. a lease of it ends with its call; the token is the developer's own, and nobody takes it back
"""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from typing import Final

from launchworthy.credentials.errors import BrokerError
from launchworthy.credentials.lease import CredentialRequest, Lease, Revocation
from launchworthy.credentials.own_tokens import OwnToken
from launchworthy.credentials.person_sign_in import PersonSignIn
from launchworthy.credentials.token_server import TokenServer

MAX_TTL: Final = 3600
WAIT_SECONDS: Final = 4.0
"""That a call waits for a sign-in: who is signed in at the issuer already needs a click."""


class Developer:
    """A `CredentialBroker` for the developer's own tokens."""

    name = "developer"
    max_ttl = MAX_TTL

    def __init__(
        self,
        server: TokenServer,
        way: PersonSignIn,
        *,
        clock: Callable[[], float],
        new_id: Callable[[], str],
    ) -> None:
        """Nobody is asked yet.

        Args:
            server: the sandbox's issuer.
            way: how one signs in there.
            clock: seconds since the epoch.
            new_id: names leases.
        """
        self._server = server
        self._way = way
        self._clock = clock
        self._new_id = new_id
        self._kept: dict[tuple[str, ...], OwnToken] = {}
        self._under_way: dict[tuple[str, ...], asyncio.Task[OwnToken]] = {}

    async def issue(self, request: CredentialRequest) -> Lease:
        """Lend the developer's own token.

        Raises:
            BrokerError: they have not signed in yet; where to is on the screen.
        """
        own = self._kept.get(request.scopes)
        if own is None or own.not_after <= self._clock():
            own = await self._signed_in(request.scopes)
        return Lease(
            id=self._new_id(),
            credential=request.credential,
            broker=self.name,
            resource=self._way.resource,
            secret=own.token.secret,
            parts={},
            scopes=own.token.scopes,
            not_after=min(own.not_after, int(self._clock()) + request.ttl),
            revocation=Revocation.KEEPER,
            handle=None,
        )

    async def revoke(self, lease: Lease) -> None:
        """Nothing: it is the developer's own."""

    async def aclose(self) -> None:
        """Forget every token, and ask nobody any more."""
        self._kept.clear()
        for task in tuple(self._under_way.values()):
            task.cancel()
            with suppress(asyncio.CancelledError, BrokerError):
                await task
        await self._server.aclose()

    async def _signed_in(self, scopes: tuple[str, ...]) -> OwnToken:
        task = self._under_way.get(scopes)
        if task is None:
            task = asyncio.get_running_loop().create_task(self._sign_in(scopes))
            self._under_way[scopes] = task
            task.add_done_callback(lambda done: self._over(scopes, done))
        await asyncio.wait({task}, timeout=WAIT_SECONDS)
        if not task.done():
            raise BrokerError("the developer has not signed in yet: where to is on the screen of this server")
        return task.result()

    async def _sign_in(self, scopes: tuple[str, ...]) -> OwnToken:
        token = await self._way.token(scopes)
        own = OwnToken(token=token, asked_at=int(self._clock()))
        self._kept[scopes] = own
        return own

    def _over(self, scopes: tuple[str, ...], done: "asyncio.Task[OwnToken]") -> None:
        self._under_way.pop(scopes, None)
        if not done.cancelled():
            done.exception()  # told to who waited; the next call asks anew
