"""Who is this workload, according to its platform? A projected OIDC token in a file, re-read when it changes.

Kubernetes (and every platform that rewrites a file) keeps the token fresh; this keeps what is in memory so.
The file is looked at every second and at every use, and read again when another one lies there: kubelet swaps
a symbolic link, so inode and time of change tell.

What such an identity cannot do: it has no certificate and trusts no bundle; it can be shown to the one
audience that the platform fixed and to no other; and it cannot sign: its proof names the token that was in
hand and says nothing about the payload.
"""

import asyncio
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

from launchworthy.identity.cause import Cause, Failure, SourceError
from launchworthy.identity.phase import Holding
from launchworthy.identity.projected import MAX_TOKEN_BYTES, ProjectedToken, read_projected
from launchworthy.identity.source_checks import check_file
from launchworthy.identity.status import unavailable
from launchworthy.identity.token_only import TokenOnly
from launchworthy.identity.workload import Proof
from launchworthy.vocabulary import Secret

STALE_AFTER = 0.9
"""Of a token's life. kubelet rewrites at 0.8 of it."""
MIN_LEFT = 15.0
"""Seconds that a token must still be good for: whoever is shown it needs some of them."""


class TokenFileIdentity(TokenOnly):
    """A `WorkloadIdentity` from a file that the platform rewrites."""

    def __init__(  # noqa: PLR0913 - the fields of `[identity]`
        self,
        *,
        path: Path,
        expected_id: str,
        trust_domains: tuple[str, ...],
        owner_uids: tuple[int, ...],
        clock: Callable[[], float],
        min_left: float = MIN_LEFT,
        look_every: float = 1.0,
    ) -> None:
        """Prepare; nothing is read before `start`.

        Args:
            path: of the token.
            expected_id: its `sub`.
            trust_domains: its issuers: a URL means exactly that `iss`, a bare name any `https` issuer there.
            owner_uids: who, beside root and the user of this process, may own the file.
            clock: seconds since the epoch.
            min_left: seconds that a token must still be good for; with less it counts as expired.
            look_every: seconds between two looks at the file.
        """
        super().__init__(clock=clock)
        self._path = path
        self._expected_id = expected_id
        self._trust_domains = trust_domains
        self._owner_uids = (*owner_uids, os.geteuid())
        self._min_left = min_left
        self._look_every = look_every
        self._seen: tuple[int, int, int] | None = None
        self._watch: asyncio.Task[None] | None = None
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="launchworthy-token-file")

    async def start(self, deadline_seconds: float) -> None:
        """Return once there is a token.

        Raises:
            StartupRefused: stage `identity`; everything is closed by then.
        """
        self._custody.attach()
        self._watch = asyncio.get_running_loop().create_task(self._keep_looking())
        await self._custody.settle_or_close(deadline_seconds, self.aclose)

    async def assertion(self, audience: str) -> Secret:
        """The token, if it is for this audience.

        Raises:
            IdentityUnavailable: there is none, or it is for another audience: it cannot be minted here.
        """
        self._custody.require()
        await self._in_thread(self._look)
        token = self._custody.require()
        if token.audience != audience:
            failure = Failure(
                cause=Cause.OTHER_AUDIENCE,
                detail=f"the platform's token is for `{token.audience}`, not for `{audience}`",
            )
            raise unavailable(self.status(), failure)
        return token.secret

    async def prove(self, payload: bytes) -> Proof:  # noqa: ARG002 - a token that exists already cannot name it
        """Name the token in hand. It says who was here, and nothing about the payload.

        Raises:
            IdentityUnavailable: there is no identity.
        """
        token = self._custody.require()
        return Proof(kind="token", chain=(), bundle=(), signature="", algorithm="none", token=token.digest)

    async def aclose(self) -> None:
        """Stop looking and drop the token. May be called at any time, and again."""
        self._custody.close()
        if self._watch is not None:
            self._watch.cancel()
            await asyncio.gather(self._watch, return_exceptions=True)
        self._thread.shutdown(wait=False, cancel_futures=True)

    async def _keep_looking(self) -> None:
        while True:
            await self._in_thread(self._look)
            self._custody.notice_expiry()
            await asyncio.sleep(self._look_every)

    async def _in_thread(self, function: Callable[[], None]) -> None:
        await asyncio.get_running_loop().run_in_executor(self._thread, function)

    def _look(self) -> None:
        """Read the file again if another one lies there; one thread does this, one look at a time."""
        try:
            found = check_file(self._path, self._owner_uids)
            seen = (found.st_dev, found.st_ino, found.st_mtime_ns)
            if seen == self._seen:
                self._notice_unchanged()
                return
            token = read_projected(
                self._read(found),
                expected_id=self._expected_id,
                trust_domains=self._trust_domains,
                now=self._clock(),
                min_left=self._min_left,
            )
        except SourceError as error:
            self._seen = None
            self._custody.fail(error.failure)
        except Exception as error:  # noqa: BLE001 - a renewal loop never ends; it reports and goes on
            self._seen = None
            self._custody.fail(SourceError(Cause.INTERNAL, f"{type(error).__name__}: {error}").failure)
        else:
            self._seen = seen
            self._custody.receive(self._holding(token), token, news="")

    def _notice_unchanged(self) -> None:
        """Tell of a platform that has stopped: the token in hand is overdue, and the file is as it was."""
        holding = self._custody.holding()
        if holding is None or self._clock() < holding.stale_at:
            return
        ends = f"{datetime.fromtimestamp(holding.not_after, UTC):%Y-%m-%d %H:%M:%S} UTC"
        detail = f"`{self._path}` has not changed, and its token ends at {ends}"
        self._custody.fail(Failure(cause=Cause.NOT_RENEWED, detail=detail))

    def _read(self, checked: os.stat_result) -> bytes:
        """The content of exactly the file that was checked.

        Raises:
            SourceError: it cannot be read, or was replaced in between: the next look will tell.
        """
        try:
            with self._path.open("rb") as file:
                opened = os.fstat(file.fileno())
                content = file.read(MAX_TOKEN_BYTES + 1)
        except OSError as error:
            why = (error.strerror or type(error).__name__).lower()
            raise SourceError(Cause.NO_ACCESS, f"`{self._path}` cannot be read ({why})") from None
        if (opened.st_dev, opened.st_ino) != (checked.st_dev, checked.st_ino):
            raise SourceError(Cause.NO_FILE, f"`{self._path}` was replaced while it was read")
        return content

    def _holding(self, token: ProjectedToken) -> Holding:
        began = token.issued_at if token.issued_at is not None else self._clock()
        return Holding(
            subject=token.subject,
            serial=token.digest,
            not_after=token.expires_at,
            ends_at=token.expires_at - self._min_left,
            stale_at=began + STALE_AFTER * (token.expires_at - began),
        )
