"""Who says what this server saw of a request? Its own identity, for callers that ask (`audit.canary`)."""

from collections.abc import Callable

from launchworthy.audit.canary import Shown, encode, new_sighting, signed_by
from launchworthy.identity import WorkloadIdentity
from launchworthy.vocabulary import CallId

_BITS = 128


class IdentityWitness:
    """Answers canaries, signed where the identity has a key."""

    __slots__ = ("_clock", "_identity", "_random_bits", "_resource", "_signs")

    def __init__(
        self,
        identity: WorkloadIdentity,
        resource: str,
        *,
        signs: bool,
        clock: Callable[[], float],
        random_bits: Callable[[int], int],
    ) -> None:
        """Say nothing yet.

        Args:
            identity: of this server.
            resource: this server's URL.
            signs: whether that identity has a key.
            clock: seconds since the epoch.
            random_bits: as many random bits as asked for.
        """
        self._identity = identity
        self._resource = resource
        self._signs = signs
        self._clock = clock
        self._random_bits = random_bits

    async def sighting(self, nonce: str, shown: Shown, call: CallId) -> bytes:
        """What was seen of one request, for its answer's header.

        Raises:
            IdentityUnavailable: the identity is gone; the request is refused as any other then.
        """
        said = new_sighting(
            nonce,
            shown,
            server_nonce=f"{self._random_bits(_BITS):032x}",
            at=int(self._clock()),
            call=call,
            resource=self._resource,
        )
        return encode(signed_by(said, await self._identity.prove(said.payload())) if self._signs else said)
