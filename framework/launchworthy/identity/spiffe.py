"""Who is this workload, according to SPIFFE? An X.509-SVID kept fresh, and JWT-SVIDs on demand.

Put together from parts that each answer one question: `supervisor` keeps the SVID fresh in a thread,
`custody` knows what that makes of us, `assertions` caches JWT-SVIDs, `source_checks` sees whose socket it is.
Nothing here blocks the event loop, and the libraries are loaded by `start`.
"""

import asyncio
import random
from collections.abc import Callable
from contextlib import AbstractContextManager

from cryptography.x509 import Certificate

from launchworthy.identity.assertions import Assertions, FetchedAssertion
from launchworthy.identity.cause import Cause, Failure, SourceError
from launchworthy.identity.custody import Custody
from launchworthy.identity.proof import prove_x509
from launchworthy.identity.refusal import refused_at_once
from launchworthy.identity.source_checks import check_socket, socket_path
from launchworthy.identity.status import (
    ChangeKind,
    IdentityChange,
    IdentityStatus,
    IdentityUnavailable,
    unavailable,
)
from launchworthy.identity.supervisor import SpiffeMaterial, SpiffeSource, Supervisor
from launchworthy.identity.svid import Update, own_trust_domain
from launchworthy.identity.workload import Proof, X509Identity
from launchworthy.vocabulary import Secret


class SpiffeIdentity:
    """A `WorkloadIdentity` from a SPIFFE Workload API."""

    def __init__(  # noqa: PLR0913 - the fields of `[identity]`
        self,
        *,
        endpoint: str,
        expected_id: str,
        trust_domains: tuple[str, ...],
        socket_owner_uids: tuple[int, ...],
        call_timeout: float,
        clock: Callable[[], float],
        max_wait: float = 2.0,
        revocation_grace: float = 0.0,
        min_assertion_left: float = 15.0,
        max_assertion_lifetime: float = 3600.0,
    ) -> None:
        """Prepare; nothing is opened before `start`.

        Args:
            endpoint: `unix:///…`.
            expected_id: the one SPIFFE ID that is accepted.
            trust_domains: whose bundles are kept: our own, and the federated ones that are wanted.
            socket_owner_uids: who, beside root, may own the socket and listen on it.
            call_timeout: seconds that an agent has for an answer.
            clock: seconds since the epoch.
            max_wait: seconds between two attempts, at most.
            revocation_grace: seconds for which an agent's first word of a withdrawal is doubted.
            min_assertion_left: seconds that an assertion is still good for when it is handed out.
            max_assertion_lifetime: an assertion that would live longer is refused.
        """
        self._source = SpiffeSource(
            endpoint=endpoint,
            expected_id=expected_id,
            trust_domains=trust_domains,
            socket_owner_uids=socket_owner_uids,
            call_timeout=call_timeout,
            max_wait=max_wait,
        )
        self._clock = clock
        self._max_assertion_lifetime = max_assertion_lifetime
        self._custody: Custody[SpiffeMaterial] = Custody(clock=clock, grace=revocation_grace)
        self._supervisor = Supervisor(
            self._source, self._custody, clock=clock, random=random.SystemRandom().random, watch=_watch
        )
        self._assertions = Assertions(self._fetch_assertion, clock=clock, min_left=min_assertion_left)

    async def start(self, deadline_seconds: float) -> None:
        """Return once there is an SVID; what may pass by itself is tried again until the deadline.

        Raises:
            StartupRefused: stage `identity`; everything is closed by then.
        """
        self._custody.attach()
        self._custody.on_change(self._forget_assertions)
        try:
            socket_path(self._source.endpoint)
            own_trust_domain(self._source.expected_id, self._source.trust_domains)
            self._supervisor.begin()
        except SourceError as error:
            await self.aclose()
            raise refused_at_once(error.failure) from None
        await self._custody.settle_or_close(deadline_seconds, self.aclose)

    def status(self) -> IdentityStatus:
        """How it stands now. No I/O, no parsing."""
        return self._custody.status()

    def require(self) -> None:
        """Return if the identity is usable.

        Raises:
            IdentityUnavailable: it is not.
        """
        self._custody.require()

    def x509(self) -> X509Identity:
        """The SVID in force.

        Raises:
            IdentityUnavailable: there is none.
        """
        return self._custody.require().x509

    async def assertion(self, audience: str) -> Secret:
        """A JWT-SVID for exactly this audience.

        Raises:
            IdentityUnavailable: there is none to be had.
            ValueError: the audience is empty.
        """
        if audience == "":
            raise ValueError("an assertion without an audience would be good everywhere")
        self._require_certain()
        try:
            secret = await self._assertions.get(audience)
        except SourceError as error:
            raise unavailable(self.status(), error.failure) from None
        self._require_certain()  # it may have been withdrawn meanwhile
        return secret

    def bundle_for(self, trust_domain: str) -> tuple[Certificate, ...]:
        """The authorities of a configured trust domain, as the agent last gave them.

        Raises:
            IdentityUnavailable: it is not trusted (any more), or our own identity is not usable.
        """
        bundle = self._custody.require().bundles.get(trust_domain, ())
        if len(bundle) == 0:
            failure = Failure(cause=Cause.OTHER_TRUST_DOMAIN, detail=f"`{trust_domain}` is not trusted here")
            raise unavailable(self.status(), failure)
        return bundle

    async def prove(self, payload: bytes) -> Proof:
        """Sign with the SVID's key.

        Raises:
            IdentityUnavailable: there is no SVID, or its key does not sign.
        """
        try:
            return prove_x509(self.x509(), payload)
        except SourceError as error:
            raise unavailable(self.status(), error.failure) from None

    def on_change(self, callback: Callable[[IdentityChange], None]) -> None:
        """Call back on the event loop at every change, from `start` on."""
        self._custody.on_change(callback)

    async def aclose(self) -> None:
        """Stop the thread and drop the key. May be called at any time, and again."""
        self._custody.close()
        self._assertions.close()
        if not self._custody.forked:
            await asyncio.to_thread(self._supervisor.end)

    def _require_certain(self) -> None:
        """Return if something new may be got with this identity.

        Raises:
            IdentityUnavailable: it is not usable, or its agent has said once that it is withdrawn.
        """
        self._custody.require()
        status = self.status()
        if status.doubted:
            failure = self._custody.failure()
            raise IdentityUnavailable(status) if failure is None else unavailable(status, failure)

    def _fetch_assertion(self, audience: str) -> FetchedAssertion:
        """Ask the agent, and look at what came; runs in a thread.

        Raises:
            SourceError: it is not ours, not for this audience alone, or lives too long.
        """
        from launchworthy.identity.workload_api import fetch_assertion  # noqa: PLC0415 - loads gRPC

        source = self._source
        check_socket(source.endpoint, source.socket_owner_uids, source.call_timeout)
        came = fetch_assertion(source.endpoint, audience, source.expected_id, source.call_timeout)
        if came.subject != source.expected_id:
            raise SourceError(Cause.OTHER_IDENTITY, f"the agent's assertion is about `{came.subject}`")
        if came.audiences != {audience}:
            raise SourceError(
                Cause.UNREADABLE, "the agent's assertion is not for the audience that was asked for"
            )
        if type(came.expires_at) is not int:
            raise SourceError(Cause.UNREADABLE, "the agent's assertion does not say when it expires")
        if came.expires_at - self._clock() > self._max_assertion_lifetime:
            raise SourceError(
                Cause.UNREADABLE,
                f"the agent's assertion lives longer than {self._max_assertion_lifetime:g} s",
            )
        return FetchedAssertion(secret=Secret(came.token), expires_at=came.expires_at)

    def _forget_assertions(self, change: IdentityChange) -> None:
        if change.kind in (ChangeKind.REVOKED, ChangeKind.EXPIRED):
            self._assertions.forget()


def _watch(endpoint: str, tell: Callable[[Update | Failure], None]) -> AbstractContextManager[object]:
    """Load gRPC when it is first needed: a server with a token file never does."""
    from launchworthy.identity.workload_api import Watch  # noqa: PLC0415

    return Watch(endpoint, tell)
