"""What is a thing in the shared state called? A digest: whoever reads the store learns no name.

A digest covers what the key is for, so that no claim can be taken for a counter, and every part with its
length, so that no two lists of parts meet in one key.
"""

import hashlib
import json
from enum import StrEnum
from typing import NewType

StateKey = NewType("StateKey", str)
"""64 hexadecimal digits; made by `state_key` only."""


class KeyPurpose(StrEnum):
    """What a key is for."""

    CLAIM = "claim"
    RATE = "rate"
    BUDGET = "budget"
    CONCURRENCY = "concurrency"
    CALLER = "caller"
    SOURCE = "source"
    STREAMS = "streams"
    VALUE = "value"
    CONTROL = "control"


def state_key(purpose: KeyPurpose, *parts: str) -> StateKey:
    """Make a key.

    Args:
        purpose: what it is for.
        parts: what it names, the outermost first: a tenant, an issuer, a subject, a tool.

    Raises:
        ValueError: there is no part, so one key would stand for everything.
    """
    if not parts:
        raise ValueError("a key of the shared state names something")
    said = json.dumps(["launchworthy-state/1", purpose.value, *parts], ensure_ascii=True)
    return StateKey(hashlib.sha256(said.encode()).hexdigest())
