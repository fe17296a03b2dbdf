"""What every store does, whoever keeps it: the same tests for memory and for Valkey."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from launchworthy.manifest import parse_rate
from launchworthy.state import (
    Changed,
    Charge,
    KeyPurpose,
    LimitReached,
    NotKept,
    Slot,
    StateKey,
    Store,
    redeem,
    state_key,
)
from launchworthy.vocabulary import Reason, Refused

Wait = Callable[[float], Awaitable[None]]
CLAIM = state_key(KeyPurpose.CLAIM, "nonce-1")
VALUE = state_key(KeyPurpose.VALUE, "page-1")


def charge(rate: str, *parts: str) -> Charge:
    return Charge(
        key=state_key(KeyPurpose.RATE, *(parts or ("ada", "refund"))),
        rate=parse_rate(rate),
        reason=Reason.LIMIT_RATE,
        limit="rate",
    )


def slot(places: int, key: StateKey | None = None, seconds: float = 30.0) -> Slot:
    return Slot(
        key=key or state_key(KeyPurpose.CONCURRENCY, "ada", "refund"),
        places=places,
        seconds=seconds,
        limit="concurrency",
    )


@pytest.mark.anyio
class StoreContract:
    """Subclasses give a fixture `store` and a fixture `wait` that lets its time pass."""

    async def test_of_fifty_claims_of_one_thing_exactly_one_is_made(self, store: Store) -> None:
        made = await asyncio.gather(*(store.claim(CLAIM, 60) for _ in range(50)), return_exceptions=True)
        refused = [each for each in made if isinstance(each, Refused)]
        assert made.count(None) == 1
        assert [each.reason for each in refused] == [Reason.LIMIT_CLAIM] * 49

    async def test_two_things_are_claimed_apart(self, store: Store) -> None:
        await store.claim(CLAIM, 60)
        await store.claim(state_key(KeyPurpose.CLAIM, "nonce-2"), 60)

    async def test_a_claim_is_forgotten_after_its_time_and_not_before(self, store: Store, wait: Wait) -> None:
        await store.claim(CLAIM, 2)
        await wait(1)
        with pytest.raises(Refused):
            await store.claim(CLAIM, 2)
        await wait(1.2)
        await store.claim(CLAIM, 2)

    async def test_a_rate_allows_its_amount_and_says_when_the_next_is_free(
        self, store: Store, wait: Wait
    ) -> None:
        for _ in range(2):
            await store.take((charge("2/second"),), (), "one")
        with pytest.raises(LimitReached) as refused:
            await store.take((charge("2/second"),), (), "one")
        assert (refused.value.reason, refused.value.retry_after) == (Reason.LIMIT_RATE, 1)
        assert (refused.value.limit, refused.value.allowed) == ("rate", "2/second")
        await wait(1.05)
        await store.take((charge("2/second"),), (), "one")

    async def test_a_rate_is_of_one_caller(self, store: Store) -> None:
        await store.take((charge("1/minute"),), (), "one")
        with pytest.raises(LimitReached):
            await store.take((charge("1/minute"),), (), "one")
        await store.take((charge("1/minute", "grace", "refund"),), (), "one")

    async def test_what_is_refused_uses_nothing_up(self, store: Store) -> None:
        await store.take((charge("1/hour", "budget"),), (), "one")
        for _ in range(3):
            with pytest.raises(LimitReached):
                await store.take((charge("2/minute"), charge("1/hour", "budget")), (slot(1),), "one")
        await store.take((charge("2/minute"),), (slot(1),), "one")
        await store.take((charge("2/minute"),), (), "two")

    async def test_places_are_taken_and_given_back(self, store: Store) -> None:
        await store.take((), (slot(2),), "one")
        await store.take((), (slot(2),), "two")
        with pytest.raises(LimitReached) as refused:
            await store.take((), (slot(2),), "three")
        assert refused.value.allowed == "2 at once"
        await store.free((slot(2),), "one")
        await store.free((slot(2),), "one")
        await store.take((), (slot(2),), "three")
        with pytest.raises(LimitReached):
            await store.take((), (slot(2),), "four")

    async def test_the_place_of_one_who_died_is_free_after_its_time(self, store: Store, wait: Wait) -> None:
        await store.take((), (slot(1, seconds=1),), "one")
        with pytest.raises(LimitReached):
            await store.take((), (slot(1, seconds=1),), "two")
        await wait(1.1)
        await store.take((), (slot(1, seconds=1),), "two")

    async def test_a_value_is_kept_changed_by_one_and_forgotten(self, store: Store) -> None:
        await store.put(VALUE, b"open", 60)
        assert await store.get(VALUE) == b"open"
        done = await asyncio.gather(
            *(store.compare_and_set(VALUE, b"open", b"by %d" % number) for number in range(9)),
            return_exceptions=True,
        )
        assert done.count(None) == 1
        assert sum(isinstance(each, Changed) for each in done) == 8
        assert await store.get(VALUE) == b"by %d" % done.index(None)
        await store.remove(VALUE)
        with pytest.raises(NotKept):
            await store.get(VALUE)
        with pytest.raises(Changed):
            await store.compare_and_set(VALUE, b"open", b"again")

    async def test_a_value_that_is_there_is_not_put_over(self, store: Store) -> None:
        await store.put(VALUE, b"first", 60)
        with pytest.raises(Changed):
            await store.put(VALUE, b"second", 60)
        assert await store.get(VALUE) == b"first"

    async def test_a_changed_value_ends_when_it_would_have_ended(self, store: Store, wait: Wait) -> None:
        await store.put(VALUE, b"open", 2)
        await wait(1)
        await store.compare_and_set(VALUE, b"open", b"closed")
        await wait(1.2)
        with pytest.raises(NotKept):
            await store.get(VALUE)

    async def test_no_value_is_larger_than_it_may_be(self, store: Store) -> None:
        with pytest.raises(ValueError, match="at most"):
            await store.put(VALUE, b"x" * (256 * 1024 + 1), 60)
        await store.put(VALUE, b"x" * 256 * 1024, 60)

    async def test_its_generation_stays_while_it_remembers(self, store: Store) -> None:
        assert await store.generation() == await store.generation() != ""

    async def test_what_was_handed_out_is_redeemed_once_and_only_in_its_own_store(self, store: Store) -> None:
        now = await store.generation()
        await redeem(store, CLAIM, ttl=60, generation=now)
        with pytest.raises(Refused, match="used before") as again:
            await redeem(store, CLAIM, ttl=60, generation=now)
        with pytest.raises(Refused, match="began anew") as before:
            await redeem(store, state_key(KeyPurpose.CLAIM, "another"), ttl=60, generation="another")
        assert {again.value.reason, before.value.reason} == {Reason.LIMIT_CLAIM}
