"""What can no identity do that is a token alone? It has no certificate, and came with no bundle."""

from collections.abc import Callable

from cryptography.x509 import Certificate

from launchworthy.identity.cause import Cause, Failure
from launchworthy.identity.custody import Custody
from launchworthy.identity.projected import ProjectedToken
from launchworthy.identity.status import IdentityChange, IdentityStatus, unavailable
from launchworthy.identity.workload import X509Identity


class TokenOnly:
    """What every `WorkloadIdentity` of tokens has in common; the token lies in `_custody`."""

    def __init__(self, *, clock: Callable[[], float]) -> None:
        """Hold nothing yet; `clock` counts seconds since the epoch."""
        self._clock = clock
        self._custody: Custody[ProjectedToken] = Custody(clock=clock, grace=0.0)

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
        """Nothing.

        Raises:
            IdentityUnavailable: always; this kind has no certificate.
        """
        failure = Failure(cause=Cause.UNREADABLE, detail="an identity by tokens has no certificate")
        raise unavailable(self.status(), failure)

    def bundle_for(self, trust_domain: str) -> tuple[Certificate, ...]:
        """Nothing.

        Raises:
            IdentityUnavailable: always; this kind comes with no bundle.
        """
        failure = Failure(cause=Cause.OTHER_TRUST_DOMAIN, detail=f"`{trust_domain}` is not trusted here")
        raise unavailable(self.status(), failure)

    def on_change(self, callback: Callable[[IdentityChange], None]) -> None:
        """Call back on the event loop at every change, from `start` on."""
        self._custody.on_change(callback)
