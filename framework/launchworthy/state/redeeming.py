"""How is something redeemed once, when the store may have forgotten that it was? By the store's own name.

What is handed out (an approval) holds the generation of the store at that time. It is redeemed by a claim,
and counts only if the store is still that one afterwards. Afterwards, since a failover before the claim or
after it is then seen alike; whoever asks first and claims then may claim in another store than he asked.
"""

from launchworthy.state.keys import StateKey
from launchworthy.state.refusals import may_be_forgotten
from launchworthy.state.store import Store


async def redeem(store: Store, key: StateKey, *, ttl: float, generation: str) -> None:
    """Claim something for the first and last time, in the store that was there when it was handed out.

    Args:
        store: where it is claimed.
        key: what is claimed.
        ttl: seconds for which the claim is remembered: at least as long as what it is for can be used.
        generation: `store.generation()` when it was handed out, from a place that nobody could change.

    Raises:
        Refused: `limit.claim`, it was claimed before, or by now nobody can tell; `limit.store`, nobody can
            be asked.
    """
    await store.claim(key, ttl)
    if await store.generation() != generation:
        raise may_be_forgotten()
