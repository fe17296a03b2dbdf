"""The store of a single process keeps the contract, and never forgets to make room."""

from typing import Any

import pytest
from store_contract import StoreContract, Wait, charge

from launchworthy.state import KeyPurpose, MemoryStore, state_key
from launchworthy.state.expiring import Expiring
from launchworthy.vocabulary import Reason, Refused


class TestMemory(StoreContract):
    @pytest.fixture
    def wait(self, clock: Any) -> Wait:
        wait: Wait = clock.wait
        return wait

    async def test_never_more_than_the_amount_in_any_stretch(self, store: MemoryStore, clock: Any) -> None:
        """Not twice the amount at the turn of a minute, which is what counting by the minute allows."""
        allowed: list[float] = []
        for step in range(400):
            clock.now = 1000.0 + step * 0.05
            try:
                await store.take((charge("5/second"),), (), "one")
            except Refused:
                continue
            allowed.append(clock.now)
        assert len(allowed) > 50
        assert all(late - early >= 1 - 1e-9 for early, late in zip(allowed, allowed[5:], strict=False))

    async def test_a_rate_that_was_made_smaller_counts_what_was_used(self, store: MemoryStore) -> None:
        for _ in range(3):
            await store.take((charge("3/minute"),), (), "one")
        with pytest.raises(Refused):
            await store.take((charge("2/minute"),), (), "one")


def test_a_full_memory_refuses_and_forgets_nothing(clock: Any) -> None:
    kept: Expiring[int] = Expiring(clock, 2000)
    for number in range(2000):
        kept.put(str(number), number, 10)
    with pytest.raises(Refused) as refused:
        kept.put("one more", 0, 10)
    assert refused.value.reason is Reason.LIMIT_STORE
    assert all(kept[str(number)] == number for number in range(2000))
    clock.now += 11
    kept.put("one more", 0, 10)
    assert len(kept) == 1


def test_keys_of_the_store_name_nothing_and_never_meet() -> None:
    keys = [
        state_key(KeyPurpose.CLAIM, "ab", "c"),
        state_key(KeyPurpose.CLAIM, "a", "bc"),
        state_key(KeyPurpose.CLAIM, "abc"),
        state_key(KeyPurpose.VALUE, "abc"),
        state_key(KeyPurpose.CLAIM, '["abc"]'),
    ]
    assert len(set(keys)) == 5
    assert all(len(key) == 64 and "abc" not in key for key in keys)
    with pytest.raises(ValueError, match="names something"):
        state_key(KeyPurpose.CLAIM)
