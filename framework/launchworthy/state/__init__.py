"""What must all replicas agree on? One-time claims, limits, small values, what is stopped or denied."""

from launchworthy.state.keys import KeyPurpose, StateKey, state_key
from launchworthy.state.memory import MemoryStore
from launchworthy.state.redeeming import redeem
from launchworthy.state.refusals import Changed, LimitReached, NotKept, store_unusable
from launchworthy.state.store import Charge, Claims, Counters, Slot, Store, Values

__all__ = [
    "Changed",
    "Charge",
    "Claims",
    "Counters",
    "KeyPurpose",
    "LimitReached",
    "MemoryStore",
    "NotKept",
    "Slot",
    "StateKey",
    "Store",
    "Values",
    "redeem",
    "state_key",
    "store_unusable",
]
