"""The store of several replicas keeps the contract on a real server, and says no where it cannot."""

import asyncio
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from store_contract import CLAIM, VALUE, StoreContract, Wait, charge

from launchworthy.state import KeyPurpose, Store, redeem, state_key
from launchworthy.vocabulary import ProblemError, Reason, Refused, Secret

valkey = pytest.importorskip(
    "launchworthy.state.valkey", reason="the extra `valkey` is not installed", exc_type=ModuleNotFoundError
)
ValkeyPlace, ValkeyStore = valkey.ValkeyPlace, valkey.ValkeyStore

pytestmark = [pytest.mark.foreign, pytest.mark.anyio]
RESOURCE = "https://orders.acme.example/mcp"


def at(port: int, **changes: Any) -> Any:
    known = {"host": "127.0.0.1", "port": port, "tls": None, "user": None, "word": None, "resource": RESOURCE}
    return ValkeyStore(ValkeyPlace(**(known | changes)))


async def refusal(asked: Any) -> tuple[Reason, float]:
    began = time.monotonic()
    with pytest.raises(Refused) as refused:
        await asked
    return refused.value.reason, time.monotonic() - began


class TestValkey(StoreContract):
    @pytest.fixture
    def wait(self) -> Wait:
        return asyncio.sleep

    @pytest.fixture
    async def store(self, run: Callable[..., Any]) -> AsyncIterator[Store]:
        made = at(run().port)
        await made.start()
        yield made
        await made.aclose()


async def test_a_store_that_goes_away_refuses_within_half_a_second_and_is_used_again(run: Any) -> None:
    server = run()
    store = at(server.port)
    await store.start()
    await store.claim(CLAIM, 60)
    server.stop()
    for asked in (store.claim(CLAIM, 60), store.take((charge("5/minute"),), (), "one"), store.get(VALUE)):
        reason, seconds = await refusal(asked)
        assert reason is Reason.LIMIT_STORE
        assert seconds < 0.5
    server.start()
    await store.look()
    await store.put(VALUE, b"x", 60)
    await store.aclose()


async def test_a_store_that_hangs_refuses_within_half_a_second(run: Any) -> None:
    server = run()
    store = at(server.port)
    await store.start()
    server.process.send_signal(signal.SIGSTOP)
    try:
        reason, seconds = await refusal(store.claim(CLAIM, 60))
    finally:
        server.process.send_signal(signal.SIGCONT)
    assert reason is Reason.LIMIT_STORE
    assert seconds < 0.5
    await store.aclose()


async def test_a_store_that_is_not_there_stops_the_start(run: Any) -> None:
    server = run()
    server.stop()
    store = at(server.port)
    with pytest.raises(ProblemError) as error:
        await store.start()
    await store.aclose()
    assert error.value.problems[0].reason == "store-unfit"


async def test_a_store_that_may_forget_is_refused_at_start_and_later(run: Any) -> None:
    evicting = run("--maxmemory", "50mb", "--maxmemory-policy", "allkeys-lru")
    forgetful = at(evicting.port)
    with pytest.raises(ProblemError, match="may forget"):
        await forgetful.start()
    await forgetful.aclose()
    good = run()
    store = at(good.port)
    await store.start()
    good.ask("CONFIG", "SET", "maxmemory-policy", "allkeys-lru")
    await store.look()
    assert (await refusal(store.claim(CLAIM, 60)))[0] is Reason.LIMIT_STORE
    good.ask("CONFIG", "SET", "maxmemory-policy", "noeviction")
    await store.look()
    await store.claim(CLAIM, 60)
    await store.aclose()


async def test_a_full_store_that_evicts_nothing_refuses(run: Any) -> None:
    server = run("--maxmemory", "3mb", "--maxmemory-policy", "noeviction")
    store = at(server.port)
    await store.start()
    await store.claim(CLAIM, 60)
    refused: set[Reason] = set()
    for number in range(60):
        try:
            await store.put(state_key(KeyPurpose.VALUE, str(number)), b"x" * 256 * 1024, 60)
        except Refused as no:
            refused.add(no.reason)
    assert refused == {Reason.LIMIT_STORE}
    assert (await refusal(store.claim(CLAIM, 60)))[0] in {Reason.LIMIT_CLAIM, Reason.LIMIT_STORE}
    await store.aclose()


async def test_a_failover_is_another_generation(run: Any) -> None:
    primary, replica = run(), run()
    replica.ask("REPLICAOF", "127.0.0.1", str(primary.port))
    store = at(primary.port)
    await store.start()
    before = await store.generation()
    follower = at(replica.port)
    deadline = time.monotonic() + 10
    while b"master_link_status:up" not in replica.ask("INFO", "replication"):
        assert time.monotonic() < deadline
        await asyncio.sleep(0.05)
    with pytest.raises(ProblemError, match="no primary"):
        await follower.start()
    replica.ask("REPLICAOF", "NO", "ONE")
    await follower.start()
    assert await follower.generation() != before
    await store.aclose()
    await follower.aclose()


async def test_what_was_handed_out_before_a_failover_or_a_restart_is_not_redeemed(run: Any) -> None:
    primary, replica = run(), run()
    replica.ask("REPLICAOF", "127.0.0.1", str(primary.port))
    store, follower = at(primary.port), at(replica.port)
    await store.start()
    handed_out = await store.generation()
    await redeem(store, CLAIM, ttl=60, generation=handed_out)  # the positive twin
    deadline = time.monotonic() + 10
    while b"master_link_status:up" not in replica.ask("INFO", "replication"):
        assert time.monotonic() < deadline
        await asyncio.sleep(0.05)
    primary.stop()
    replica.ask("REPLICAOF", "NO", "ONE")
    await follower.start()
    open_one = state_key(KeyPurpose.CLAIM, "another")
    with pytest.raises(Refused, match="began anew") as refused:
        await redeem(follower, open_one, ttl=60, generation=handed_out)
    assert refused.value.reason is Reason.LIMIT_CLAIM
    primary.start()  # it has kept nothing: without its generation the claim could be made again
    await store.look()  # the old connection is gone, and nothing is tried twice
    await store.look()
    with pytest.raises(Refused, match="began anew"):
        await redeem(store, CLAIM, ttl=60, generation=handed_out)
    await redeem(store, open_one, ttl=60, generation=await store.generation())
    await store.aclose()
    await follower.aclose()


async def test_two_servers_share_nothing_in_one_store(run: Any) -> None:
    port = run().port
    orders, stock = at(port), at(port, resource="https://stock.acme.example/mcp")
    await orders.start()
    await stock.start()
    await orders.claim(CLAIM, 60)
    await stock.claim(CLAIM, 60)
    await orders.put(VALUE, b"x", 60)
    await stock.put(VALUE, b"y", 60)
    await orders.aclose()
    await stock.aclose()


async def test_a_wrong_password_is_no_way_in_and_a_rotated_one_is_taken_up(run: Any) -> None:
    server = run()
    server.ask("ACL", "SETUSER", "orders", "on", ">first", "~*", "+@all")
    server.ask("ACL", "SETUSER", "default", "off")
    words = {"now": "wrong"}
    store = at(server.port, user="orders", word=lambda: Secret(words["now"]))
    with pytest.raises(ProblemError):
        await store.start()
    words["now"] = "first"
    await store.start()
    await store.claim(CLAIM, 60)
    await store.aclose()


_REDEEM = """
import asyncio, sys
from launchworthy.state import KeyPurpose, Store, state_key
from launchworthy.state.valkey import ValkeyPlace, ValkeyStore
from launchworthy.vocabulary import Refused

async def main(port):
    store = ValkeyStore(ValkeyPlace(host="127.0.0.1", port=port, tls=None, user=None, word=None,
                                    resource="https://orders.acme.example/mcp"))
    await store.start()
    print("ready", flush=True)
    sys.stdin.readline()
    key = state_key(KeyPurpose.CLAIM, "approval")
    made = await asyncio.gather(*(store.claim(key, 60) for _ in range(17)), return_exceptions=True)
    others = [each for each in made if each is not None and not isinstance(each, Refused)]
    print(made.count(None), len(others), {each.reason.value for each in made if isinstance(each, Refused)})
    await store.aclose()

asyncio.run(main(int(sys.argv[1])))
"""


def test_of_fifty_redemptions_in_three_processes_one_is_made(run: Any) -> None:
    command = [sys.executable, "-c", _REDEEM, str(run().port)]
    racers = [
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) for _ in range(3)
    ]
    for each in racers:
        assert each.stdout is not None
        assert each.stdout.readline() == "ready\n"
    said = [each.communicate("go\n", timeout=20)[0] for each in racers]
    assert sum(int(each.split()[0]) for each in said) == 1
    assert all(each.split()[1:] == ["0", "{'limit.claim'}"] for each in said)
