"""What do replicas agree on, and who keeps it? The store that the settings name, and the limits over it."""

import time

from launchworthy.manifest import Rate
from launchworthy.server.parts import Parts
from launchworthy.state import MemoryStore
from launchworthy.state.limits import CallLimits, LimitsOf
from launchworthy.vocabulary import Principal

_GENERATION_BITS = 128


def open_store(parts: Parts) -> None:
    """Open the store, and limit calls by what it counts."""
    generation = f"{parts.surroundings.random_bits(_GENERATION_BITS):032x}"
    parts.store = MemoryStore(time.monotonic, generation)
    parts.stack.push_async_callback(parts.store.aclose)
    limits = parts.settings.limits
    parts.limits = CallLimits(
        parts.store,
        LimitsOf(
            server=parts.manifests.server,
            caller=Rate(amount=limits.caller_per_minute, per="minute"),
            at_once=limits.caller_at_once,
        ),
        clock=time.monotonic,
        tenant_of=_one_tenant,
    )


def _one_tenant(_: Principal) -> str:
    """No part of the keys: `tenancy` other than `single` is refused by the manifest."""
    return ""
