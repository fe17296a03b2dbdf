"""The list in the store: who has no key adds nothing, takes nothing out, and can only close."""

import base64
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from test_state_control_list import nobody

from launchworthy.settings import KeyRing
from launchworthy.state import KeyPurpose, MemoryStore, state_key
from launchworthy.state.control import (
    SEAL_PURPOSE,
    Action,
    ControlList,
    Entry,
    FileSource,
    SealedList,
    StoreSource,
)
from launchworthy.vocabulary import Environment, ProblemError, Refused

pytestmark = pytest.mark.anyio
NOON = 1795176000
RESOURCE = "https://orders.acme.example/mcp"
WHERE = state_key(KeyPurpose.CONTROL, "list")


def stop(name: str = "stop-refunds", target: str = "refund_order") -> Entry:
    return Entry(
        id=name, action=Action.STOP, targets=(target,), name=None, who="@acme/on-call", why="INC-77",
        since=NOON, until=NOON + 3600, source="file",
    )  # fmt: skip


def ring(folder: Path, *keys: int, **changes: Any) -> KeyRing:
    file = folder / f"key-{'-'.join(map(str, keys))}"
    file.write_bytes(b"\n".join(base64.b64encode(bytes([key]) * 48) for key in keys))
    file.chmod(0o600)
    known = {"purpose": SEAL_PURPOSE, "environment": Environment.PRODUCTION}
    return KeyRing(file, **(known | changes))


@pytest.fixture
def kept(store: MemoryStore, tmp_path: Path) -> Callable[..., SealedList]:
    def made(*keys: int, resource: str = RESOURCE, **changes: Any) -> SealedList:
        return SealedList(store, ring(tmp_path, *(keys or (1,)), **changes), resource=resource)

    return made


async def refusal(asked: Any) -> str:
    with pytest.raises(ProblemError) as error:
        await asked
    return error.value.problems[0].reason


async def replace(kept: SealedList, *entries: Entry, now: float = NOON) -> None:
    await kept.replace(await kept.read(), entries, now=now)


async def test_what_is_written_is_read_by_whoever_has_the_key(kept: Any) -> None:
    await kept().create(now=NOON)
    assert (await kept().read()).entries == ()
    await replace(kept(), stop())
    [entry] = (await kept().read()).entries
    assert (entry.id, entry.targets, entry.source) == ("stop-refunds", ("refund_order",), "state")


async def test_the_store_shows_neither_names_nor_reasons(kept: Any, store: MemoryStore) -> None:
    await kept().create(now=NOON)
    await replace(kept(), stop())
    sealed = await store.get(WHERE)
    assert b"refund" not in sealed
    assert b"INC-77" not in sealed


async def test_a_list_that_nobody_made_or_somebody_deleted_is_no_empty_one(
    kept: Any, store: MemoryStore
) -> None:
    assert await refusal(kept().read()) == "control-store-missing"
    await kept().create(now=NOON)
    await kept().read()
    await store.remove(WHERE)
    assert await refusal(kept().read()) == "control-store-missing"


@pytest.mark.parametrize(
    "change",
    [
        lambda _: b"",
        lambda _: b"[[stop]]",
        lambda sealed: sealed[:-1],
        lambda sealed: sealed[:-1] + bytes([sealed[-1] ^ 1]),
        lambda sealed: sealed.replace(b"/1 ", b"/2 ", 1),
        lambda sealed: sealed.replace(str(NOON * 1000).encode(), str(NOON * 1000 + 1).encode(), 1),
        lambda sealed: sealed.replace(str(NOON * 1000).encode(), b"9" * 5000, 1),
    ],
)
async def test_one_other_byte_is_no_list(kept: Any, store: MemoryStore, change: Any) -> None:
    await kept().create(now=NOON)
    sealed = await store.get(WHERE)
    await kept().read()
    await store.compare_and_set(WHERE, sealed, change(sealed))
    assert await refusal(kept().read()) == "control-store-forged"


@pytest.mark.parametrize(
    "other",
    [
        {"keys": (2,)},
        {"environment": Environment.STAGING},
        {"purpose": "audit-hmac"},
        {"resource": "https://stock.acme.example/mcp"},
    ],
)
async def test_another_key_environment_purpose_or_server_seals_nothing_of_ours(
    kept: Any, other: dict[str, Any]
) -> None:
    keys = other.pop("keys", (1,))
    await kept(*keys, **other).create(now=NOON)
    assert await refusal(kept().read()) == "control-store-forged"
    other["keys"] = keys


async def test_a_rotated_key_opens_what_the_older_one_sealed(kept: Any) -> None:
    await kept(1).create(now=NOON)
    await replace(kept(2, 1), stop())
    assert await refusal(kept(1).read()) == "control-store-forged"
    assert len((await kept(2, 1).read()).entries) == 1


async def test_of_two_who_change_the_same_list_one_is_told_to_say_it_again(kept: Any) -> None:
    await kept().create(now=NOON)
    both = await kept().read()
    await kept().replace(both, (stop("first"),), now=NOON)
    assert await refusal(kept().replace(both, (stop("second"),), now=NOON)) == "control-store-changed"
    assert await refusal(kept().create(now=NOON)) == "control-store-changed"
    assert [each.id for each in (await kept().read()).entries] == ["first"]


async def test_a_list_that_is_put_back_is_older_and_refused(kept: Any, store: MemoryStore) -> None:
    await kept().create(now=NOON)
    empty = await store.get(WHERE)
    await replace(kept(), stop())
    source = StoreSource(kept())
    assert len(await source.read()) == 1
    await store.compare_and_set(WHERE, await store.get(WHERE), empty)
    assert await refusal(source.read()) == "control-store-older"
    await store.remove(WHERE)
    await kept().create(now=NOON + 1)  # whoever has the key begins anew, and that is newer
    assert await source.read() == ()


async def test_its_number_grows_while_the_clock_stands_still(kept: Any) -> None:
    await kept().create(now=NOON)
    await replace(kept(), stop(), now=NOON - 60)
    assert (await kept().read()).version == NOON * 1000 + 1


async def test_a_list_that_is_too_long_is_not_written(kept: Any) -> None:
    await kept().create(now=NOON)
    many = tuple(stop(f"stop-{number}-{'x' * 50}", "x" * 60) for number in range(1000))
    assert await refusal(replace(kept(), *many)) == "bad-value"


async def test_file_and_store_count_together_and_what_is_wrong_with_one_closes(
    kept: Any, store: MemoryStore, tmp_path: Path
) -> None:
    file = tmp_path / "control.toml"
    file.write_text("")
    await kept().create(now=NOON)
    control = ControlList(
        (FileSource(file), StoreSource(kept())),
        longest={},
        judge=nobody,
        clock=lambda: NOON + 1,
        monotonic=time.monotonic,
    )
    await control.start()
    control.require()
    await replace(kept(), stop())
    await control.poll()
    assert control.in_force.stopped == {"refund_order"}
    await store.remove(WHERE)
    await control.poll()
    with pytest.raises(Refused, match="is not there"):
        control.require()
    assert control.in_force.stopped == {"refund_order"}  # what was in force stays in force
    await kept().create(now=NOON + 2)
    await control.poll()
    control.require()
    assert control.in_force.stopped == {"refund_order"}  # until a second reading misses it too
    await control.poll()
    assert control.in_force.stopped == set()
