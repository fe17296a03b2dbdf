"""Who is this workload, where a platform issues a token for each audience that is asked for?

This is how CI systems and the metadata services of clouds work, and all of them fit one function: an audience
in, a token out. Around it stands what every provider must do: the identity is fetched before anything is
served, looked at, renewed at half of its life, and gone when the platform says so or when it ends.

Such an identity has no certificate. What it proves about a payload is a token whose audience is the payload's
digest: good for nothing else.
"""

import asyncio
import hashlib
import random
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from launchworthy.identity.assertions import Assertions, FetchedAssertion
from launchworthy.identity.cause import Cause, SourceError
from launchworthy.identity.phase import Holding
from launchworthy.identity.projected import ProjectedToken, read_projected
from launchworthy.identity.status import ChangeKind, IdentityChange, unavailable
from launchworthy.identity.token_only import TokenOnly
from launchworthy.identity.workload import Proof
from launchworthy.vocabulary import Secret

OWN_AUDIENCE = "urn:launchworthy:identity"
"""Of the token that says who we are; nobody accepts it."""
STREAM_AUDIENCE = "urn:launchworthy:proof:"
"""And the hex SHA-256 of what is proved."""
STALE_AFTER = 0.9
RENEW_AFTER = 0.5
LOOK_SECONDS = 1.0
MAX_WAIT_SECONDS = 5.0

Mint = Callable[[str], bytes]
"""An audience in, a token out; blocks, within a time of its own, and raises `SourceError`."""


class MintingIdentity(TokenOnly):
    """A `WorkloadIdentity` from a platform that issues tokens on demand."""

    def __init__(  # noqa: PLR0913 - the fields of `[identity]`
        self,
        mint: Mint,
        *,
        expected_id: str,
        trust_domains: tuple[str, ...],
        clock: Callable[[], float],
        min_left: float = 15.0,
        max_lifetime: float = 3600.0,
        look_every: float = LOOK_SECONDS,
    ) -> None:
        """Prepare; nothing is asked before `start`.

        Args:
            mint: asks the platform.
            expected_id: the `sub` that is ours.
            trust_domains: its issuers: a URL means exactly that `iss`, a bare name any `https` issuer there.
            clock: seconds since the epoch.
            min_left: seconds that a token is still good for when it is handed out.
            max_lifetime: a token that would live longer is refused.
            look_every: seconds between two looks at how old the identity is.
        """
        super().__init__(clock=clock)
        self._mint = mint
        self._expected_id = expected_id
        self._trust_domains = trust_domains
        self._min_left = min_left
        self._max_lifetime = max_lifetime
        self._look_every = look_every
        self._assertions = Assertions(self._fetch, clock=clock, min_left=min_left)
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="launchworthy-minting")
        self._keeping: asyncio.Task[None] | None = None
        self._fresh: tuple[float, float] | None = None
        self._retry_at = 0.0
        self._failures = 0

    async def start(self, deadline_seconds: float) -> None:
        """Return once there is a token about us.

        Raises:
            StartupRefused: stage `identity`; everything is closed by then.
        """
        self._custody.attach()
        self._custody.on_change(self._forget_assertions)
        self._keeping = asyncio.get_running_loop().create_task(self._keep())
        await self._custody.settle_or_close(deadline_seconds, self.aclose)

    async def assertion(self, audience: str) -> Secret:
        """A token for exactly this audience; kept, and renewed at half of its life.

        Raises:
            IdentityUnavailable: there is none to be had.
            ValueError: the audience is empty.
        """
        if audience == "":
            raise ValueError("an assertion without an audience would be good everywhere")
        self._custody.require()
        try:
            secret = await self._assertions.get(audience)
        except SourceError as error:
            raise unavailable(self.status(), error.failure) from None
        self._custody.require()  # it may have been withdrawn meanwhile
        return secret

    async def prove(self, payload: bytes) -> Proof:
        """Get a token whose audience is the payload's digest, and name it.

        Raises:
            IdentityUnavailable: there is none to be had.
        """
        self._custody.require()
        audience = STREAM_AUDIENCE + hashlib.sha256(payload).hexdigest()
        try:
            token = await asyncio.get_running_loop().run_in_executor(self._thread, self._ask, audience)
        except SourceError as error:
            raise unavailable(self.status(), error.failure) from None
        return Proof(kind="token", chain=(), bundle=(), signature="", algorithm="none", token=token.digest)

    async def aclose(self) -> None:
        """Stop renewing and drop the tokens. May be called at any time, and again."""
        self._custody.close()
        self._assertions.close()
        if self._keeping is not None:
            self._keeping.cancel()
            await asyncio.gather(self._keeping, return_exceptions=True)
        self._thread.shutdown(wait=False, cancel_futures=True)

    async def _keep(self) -> None:
        while True:
            if self._is_due():
                await asyncio.get_running_loop().run_in_executor(self._thread, self._renew)
            self._custody.notice_expiry()
            await asyncio.sleep(self._look_every)

    def _is_due(self) -> bool:
        """Whether to ask again: half of the life is over, the clock went back, or a failure is old."""
        if self._failures or self._fresh is None:
            return time.monotonic() >= self._retry_at
        began, until = self._fresh
        return not began <= self._clock() < until

    def _renew(self) -> None:
        """Ask for the token about ourselves; in the one thread."""
        try:
            token = self._ask(OWN_AUDIENCE)
        except SourceError as error:
            self._failed(error)
        except Exception as error:  # noqa: BLE001 - a renewal loop never ends; it reports and goes on
            self._failed(SourceError(Cause.INTERNAL, f"{type(error).__name__}: {error}"))
        else:
            now = self._clock()
            life = token.expires_at - now
            self._failures = 0
            self._fresh = (now, now + RENEW_AFTER * life)
            holding = Holding(
                subject=token.subject,
                serial=token.digest,
                not_after=token.expires_at,
                ends_at=token.expires_at,
                stale_at=now + STALE_AFTER * life,
            )
            self._custody.receive(holding, token, news="")

    def _failed(self, error: SourceError) -> None:
        self._failures += 1
        wait = min(MAX_WAIT_SECONDS, self._look_every * (1 << min(self._failures, 10)))
        self._retry_at = time.monotonic() + wait * (1 + random.SystemRandom().random()) / 2
        self._custody.fail(error.failure)

    def _ask(self, audience: str) -> ProjectedToken:
        """Ask for a token, and look at what came.

        Raises:
            SourceError: it is not ours, not for this audience alone, or lives too long.
        """
        token = read_projected(
            self._mint(audience),
            expected_id=self._expected_id,
            trust_domains=self._trust_domains,
            now=self._clock(),
            min_left=self._min_left,
        )
        if token.audience != audience:
            raise SourceError(Cause.OTHER_AUDIENCE, "the token is not for the audience that was asked for")
        if token.expires_at - self._clock() > self._max_lifetime:
            raise SourceError(Cause.UNREADABLE, f"the token lives longer than {self._max_lifetime:g} s")
        return token

    def _fetch(self, audience: str) -> FetchedAssertion:
        token = self._ask(audience)
        return FetchedAssertion(secret=token.secret, expires_at=token.expires_at)

    def _forget_assertions(self, change: IdentityChange) -> None:
        if change.kind in (ChangeKind.REVOKED, ChangeKind.EXPIRED):
            self._assertions.forget()
