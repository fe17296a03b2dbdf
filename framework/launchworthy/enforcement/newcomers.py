"""How many tokens that were not verified lately may one source show? Strangers must not buy all our work.

A source is who a connection proves: the peer of mutual TLS, or the workload for which a trusted proxy speaks.
A signature is verified and an issuer is asked for whoever comes, so that is what is counted; a token that is
known costs nothing, and its caller is never turned away here.

An address proves nobody. Behind an ingress everybody has the ingress's own, and whoever floods it would shut
out all others: nothing is counted there, nor of a proxy that does not say for whom it speaks.
"""

from collections.abc import Callable

from launchworthy.enforcement.peering import Peering
from launchworthy.manifest import Rate
from launchworthy.state import Charge, KeyPurpose, MemoryStore, state_key
from launchworthy.vocabulary import CallId, Reason


class Newcomers:
    """The tokens that each source has shown in the last minute; lives in one event loop."""

    def __init__(self, per_minute: int, proxies: frozenset[str], *, clock: Callable[[], float]) -> None:
        """Count nothing yet.

        Args:
            per_minute: how many unknown tokens one source may show.
            proxies: SPIFFE IDs of peers that speak for others.
            clock: seconds that never go back.
        """
        self._rate = Rate(amount=per_minute, per="minute")
        self._proxies = proxies
        self._seen = MemoryStore(clock, "newcomers")

    async def admit(self, peering: Peering, call: CallId, *, known: bool) -> None:
        """Return if a token of this source may be looked at.

        Args:
            peering: who is connected.
            call: the request.
            known: the token was verified a moment ago, and is not counted.

        Raises:
            LimitReached: `limit.rate`: it has shown too many.
        """
        if known or (peering.forwarded is None and peering.peer in self._proxies):
            return
        key = state_key(KeyPurpose.SOURCE, peering.peer, peering.forwarded or "")
        charge = Charge(key=key, rate=self._rate, reason=Reason.LIMIT_RATE, limit="source")
        await self._seen.take((charge,), (), call)
