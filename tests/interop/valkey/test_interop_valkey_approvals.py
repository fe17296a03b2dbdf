"""Three server processes, one store and one key: a yes counts once among them, and not after a failover."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from test_interop_valkey_servers import PLACE, Replicas, replicas

from launchworthy.testing.client import Client
from launchworthy.testing.world import wait_until
from launchworthy.vocabulary import Secret

pytestmark = pytest.mark.foreign
assert replicas  # a fixture
CALL = {"name": PLACE[0], "arguments": PLACE[1]}


@pytest.fixture
def asking(tmp_path: Path, run: Any, replicas: Any) -> Callable[..., tuple[Any, Replicas, Secret]]:
    """Servers where placing an order asks somebody."""

    def start(count: int) -> tuple[Any, Replicas, Secret]:
        file = tmp_path / "orders" / "manifests" / "tools.toml"
        text = file.read_text()
        assert text.count("[tools.place_order]\n") == 1
        file.write_text(text.replace("[tools.place_order]\n", '[tools.place_order]\napproval = "form"\n'))
        store = run()
        made = replicas(store, count)
        return store, made, made.world.token("orders:read", "orders:write")

    return start


def asked(servers: Replicas, replica: int, token: Secret) -> dict[str, Any]:
    """Call, and return the same call with a yes."""
    result = servers.send(replica, token, CALL, approve=True).json()["result"]
    assert result["resultType"] == "input_required"
    with Client(servers.world.url, token, approve=True) as client:
        return {**CALL, **client.answer_to(result)}


def test_of_fifty_answers_at_three_processes_one_runs(asking: Any) -> None:
    _, three, token = asking(3)
    answer = asked(three, 0, token)
    three.world.executions.taken()
    with ThreadPoolExecutor(9) as pool:
        sent = pool.map(lambda number: three.send(number % 3, token, answer).status_code, range(50))
        codes = list(sent)
    assert set(codes) <= {200, 429, 503}  # 503: a busy machine, and a store that has 0.4 s to answer
    assert codes.count(200) == three.world.executions.taken() == 1


def test_what_one_asked_another_hears_once(asking: Any) -> None:
    _, two, token = asking(2)
    answer = asked(two, 0, token)
    assert two.send(1, token, answer).status_code == 200
    assert two.send(0, token, answer).status_code == 429
    assert two.world.executions.taken() == 1


def test_a_store_that_was_started_again_voids_what_was_asked(asking: Any) -> None:
    store, one, token = asking(1)
    used, unused = asked(one, 0, token), asked(one, 0, token)
    assert one.send(0, token, used).status_code == 200
    store.stop()
    assert one.send(0, token, unused).status_code == 503
    store.start()  # it remembers nothing
    wait_until(lambda: one.send(0, token, CALL, approve=True).status_code == 200, timeout=6, what="the store")
    assert [one.send(0, token, each).status_code for each in (used, unused)] == [403, 403]
    assert one.send(0, token, asked(one, 0, token)).status_code == 200
    assert one.world.executions.taken() == 2
