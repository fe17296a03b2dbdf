"""Three server processes and one store: they count together, and stop together; without it they close."""

import json
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx2
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.x509 import load_der_x509_certificate

pytest.importorskip(
    "launchworthy.state.valkey", reason="the extra `valkey` is not installed", exc_type=ModuleNotFoundError
)
sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "integration" / "server"))
from server_orders import Orders
from typer.testing import CliRunner

from launchworthy.cli.main import app
from launchworthy.testing.authority import SimulatedAuthority
from launchworthy.testing.client import MODERN, Client
from launchworthy.testing.process import NotStarted, ServerProcess
from launchworthy.testing.world import World, free_port, free_ports, wait_until
from launchworthy.vocabulary import Secret

pytestmark = pytest.mark.foreign
FIND = ("find_orders", {"customer": "c-17"})
PLACE = ("place_order", {"customer": "c-17", "item": "teapot", "quantity": 1})
SAID = ("--why", "INC-77", "--who", "@acme/on-call", "--until", "1h")
PROMISED = 2.0


class Replicas:
    """Servers of one world, each at a port of its own; all have the resource of the first."""

    def __init__(self, orders: Orders, world: World, stack: ExitStack) -> None:
        self._orders, self.world, self._stack = orders, world, stack
        self.processes: list[ServerProcess] = []
        self.ports: list[int] = []
        self.at = httpx2.URL(world.url)
        self._http = stack.enter_context(httpx2.Client(timeout=10, trust_env=False))

    def start(self) -> None:
        """Start one more; again at other ports where somebody was quicker to take them."""
        for last in (False, True):
            try:
                self._start()
            except NotStarted as error:
                if last or "address-in-use" not in error.stderr:
                    raise
            else:
                return

    def _start(self) -> None:
        port, health = free_ports(2)
        folder = self.world.directory / f"replica-{len(self.processes)}"
        (folder / "audit").mkdir(parents=True, exist_ok=True)
        process = ServerProcess(
            "orders",
            environment={
                **self.world.environ,
                "PYTHONPATH": str(self._orders.root / "src"),
                "LAUNCHWORTHY_SERVER__LISTEN": f"127.0.0.1:{port}",
                "LAUNCHWORTHY_SERVER__HEALTH_BIND": f"127.0.0.1:{health}",
                "LAUNCHWORTHY_SERVER__DATA_DIRECTORY": str(folder / "data"),
                "LAUNCHWORTHY_AUDIT__DIRECTORY": str(folder / "audit"),
            },
            directory=folder,
            readiness_url=f"http://127.0.0.1:{health}/readyz",
            python=sys.executable,
            inherit_output=False,
        )
        self._stack.enter_context(process)
        self.processes.append(process)
        self.ports.append(port)

    def call(self, replica: int, token: Secret, tool: str, arguments: dict[str, Any]) -> tuple[int, Any]:
        """Call a tool of one replica; returns the status, and the wire word of a refusal."""
        answer = self.send(replica, token, {"name": tool, "arguments": arguments})
        return answer.status_code, answer.json().get("error", {}).get("data", {}).get("reason")

    def send(
        self, replica: int, token: Secret, params: dict[str, Any], *, approve: bool | None = None
    ) -> httpx2.Response:
        """Send a call to one replica; `approve`: what the client's user says when asked."""
        with Client(self.world.url, token, revision=MODERN, approve=approve) as client:
            message, headers = client.message("tools/call", params), client.headers("tools/call", params)
        return self._http.post(
            self.at.copy_with(port=self.ports[replica]),
            content=json.dumps(message).encode(),
            headers={**headers, "host": self.at.netloc.decode()},
        )

    def codes(self, token: Secret, call: tuple[str, dict[str, Any]]) -> set[int]:
        return {self.call(replica, token, *call)[0] for replica in range(len(self.ports))}

    def control(self, *arguments: str) -> Any:
        """The command, with the settings that the servers have."""
        done = CliRunner().invoke(app, ["control", *arguments], env={**self.world.environ})
        assert done.exit_code == 0, done.output
        return done


@pytest.fixture
def replicas(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Any]]:
    orders = Orders.copy(tmp_path)
    monkeypatch.chdir(orders.root)
    with ExitStack() as stack:

        def start(store: Any, count: int, **options: Any) -> Replicas:
            state = {"kind": "valkey", "url": f"redis://127.0.0.1:{store.port}"}
            world = stack.enter_context(orders.world(**({"state": state} | options)))
            made = Replicas(orders, world, stack)
            if "control_key" in options:
                made.control("create")
            for _ in range(count):
                made.start()
            return made

        yield start


def test_a_stop_in_the_store_is_in_force_on_three_servers_within_two_seconds(run: Any, replicas: Any) -> None:
    three = replicas(run(), 3, control_key=True)
    token = three.world.token("orders:read", "orders:write")
    assert three.codes(token, FIND) == {200}
    three.control("stop", "find_orders", *SAID)
    assert wait_until(lambda: three.codes(token, FIND) == {403}, timeout=6, what="the stop") < PROMISED
    assert three.codes(token, PLACE) == {200}
    assert "find_orders" in three.control("list").output
    three.control("resume", "find_orders")
    assert wait_until(lambda: three.codes(token, FIND) == {200}, timeout=6, what="its end") < PROMISED + 0.5


@pytest.mark.parametrize("attack", ["delete", "forge", "put back"])
def test_whoever_writes_the_store_without_the_key_closes_and_lifts_nothing(
    run: Any, replicas: Any, attack: str
) -> None:
    store = run()
    one = replicas(store, 1, control_key=True)
    token = one.world.token("orders:read", "orders:write")
    [name] = [each for each in store.ask("KEYS", "launchworthy:*").split(b"\r\n") if b"launchworthy" in each]
    store.ask("COPY", name.decode(), "kept")
    one.control("stop", "find_orders", *SAID)
    wait_until(lambda: one.codes(token, FIND) == {403}, timeout=6, what="the stop")
    if attack == "delete":
        store.ask("DEL", name.decode())
    elif attack == "forge":
        store.ask("SET", name.decode(), "launchworthy-control/1 00000000 9 x")
    else:
        store.ask("COPY", "kept", name.decode(), "REPLACE")
    wait_until(lambda: one.codes(token, PLACE) == {503}, timeout=6, what="closing")
    for _ in range(5):
        assert one.codes(token, FIND) == {503}
    assert one.processes[0].readiness()[0] == 503


def test_replicas_count_a_rate_together_and_serve_reads_alone_while_the_store_is_dead(
    run: Any, replicas: Any
) -> None:
    store = run()
    two = replicas(store, 2)
    token = two.world.token("orders:read", "orders:write")
    codes = [two.call(number % 2, token, *PLACE)[0] for number in range(61)]
    assert codes == [200] * 60 + [429]  # 60 a minute, over both
    other = two.world.issuer.mint(two.world.issuer.grant(scopes=("orders:read", "orders:write"), subject="b"))
    assert two.codes(Secret(other), PLACE) == {200}
    store.stop()
    began = time.monotonic()
    assert two.call(0, Secret(other), *PLACE) == (503, "unavailable")
    assert time.monotonic() - began < 0.5
    assert two.codes(Secret(other), FIND) == {200}
    store.start()
    wait_until(lambda: two.codes(Secret(other), PLACE) == {200}, timeout=6, what="the store is used again")


def test_a_dead_store_that_has_the_list_closes_everything_and_nothing_is_lifted(
    run: Any, replicas: Any
) -> None:
    store = run()
    one = replicas(store, 1, control_key=True)
    token = one.world.token("orders:read")
    assert one.codes(token, FIND) == {200}
    store.stop()
    wait_until(lambda: one.codes(token, FIND) == {503}, timeout=6, what="closing")
    began = time.monotonic()
    assert one.codes(token, FIND) == {503}
    assert time.monotonic() - began < 0.5
    store.start()  # it has forgotten everything, and that is no empty list
    until = time.monotonic() + PROMISED
    while time.monotonic() < until:
        assert one.codes(token, FIND) == {503}
    one.control("create")
    wait_until(lambda: one.codes(token, FIND) == {200}, timeout=6, what="a list that was made anew")


@pytest.fixture
def behind_tls(run: Any, tmp_path: Path) -> tuple[Any, int, Path]:
    """A store, the port at which it speaks TLS as `localhost`, and whoever signed its certificate."""
    authority = SimulatedAuthority(clock=time.time)
    made = authority.mint_x509("store", ttl=3600, dns=("localhost",))
    pem, private, roots = (tmp_path / f"store-{name}.pem" for name in ("certificate", "key", "roots"))
    pem.write_bytes(load_der_x509_certificate(made.chain_der).public_bytes(serialization.Encoding.PEM))
    key = serialization.load_der_private_key(made.key_der, None)
    private.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    roots.write_bytes(authority.bundle_pem())
    port = free_port()
    files = ("--tls-cert-file", str(pem), "--tls-key-file", str(private), "--tls-ca-cert-file", str(roots))
    return run("--tls-port", str(port), "--tls-auth-clients", "no", *files), port, roots


def test_a_store_behind_tls_is_used_where_the_settings_name_its_authority(
    behind_tls: Any, replicas: Any
) -> None:
    store, port, roots = behind_tls
    state = {"kind": "valkey", "url": f"rediss://localhost:{port}", "ca": str(roots)}
    one = replicas(store, 1, state=state, control_key=True)
    assert one.codes(one.world.token("orders:read", "orders:write"), PLACE) == {200}
    assert b"launchworthy:" in store.ask("KEYS", "*")


@pytest.mark.parametrize("wrong", ["authority", "name", "no authority"])
def test_a_store_that_cannot_show_who_it_is_stops_the_start(
    behind_tls: Any, replicas: Any, tmp_path: Path, wrong: str
) -> None:
    store, port, roots = behind_tls
    state = {"kind": "valkey", "url": f"rediss://localhost:{port}", "ca": str(roots)}
    if wrong == "authority":
        other = tmp_path / "other.pem"
        other.write_bytes(SimulatedAuthority(clock=time.time).bundle_pem())
        state["ca"] = str(other)
    elif wrong == "name":
        state["url"] = f"rediss://127.0.0.1:{port}"
    else:
        del state["ca"]
    with pytest.raises(NotStarted) as ended:
        replicas(store, 1, state=state)
    assert ended.value.exit_code == 75
    assert "store-unfit" in ended.value.stderr
