"""`launchworthy dev` has a project to itself, is called from a second terminal, and leaves nothing behind."""

import json
import os
import signal
import site
import subprocess
import venv
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx2
import pytest
from server_orders import Orders

from launchworthy.cli.development_clients import client_lines
from launchworthy.testing.client import Client, Refused
from launchworthy.testing.world import wait_until
from launchworthy.vocabulary import Secret

pytestmark = pytest.mark.servers

FRAMEWORK = Path(__file__).resolve().parents[3] / "framework"


def _heed_ctrl_c() -> None:
    """A job in the background inherits that SIGINT is ignored; a terminal's does not."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


class Terminal:
    """The example in an environment of its own, as `-s dev` makes it."""

    def __init__(self, orders: Orders) -> None:
        self.root = orders.root
        home = orders.scratch / "environment"
        venv.create(home, symlinks=True)
        self._python = home / "bin" / "python"
        [packages] = home.glob("lib/python*/site-packages")
        folders = [*site.getsitepackages(), str(FRAMEWORK), str(orders.root / "src")]
        (packages / "all.pth").write_text("".join(f"{folder}\n" for folder in folders))

    @property
    def session(self) -> Path:
        return self.root / ".launchworthy" / "dev" / "session.json"

    def __call__(self, *command: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            self._command(*command), cwd=self.root, capture_output=True, text=True, timeout=60, check=False
        )

    @contextmanager
    def serving(self, *options: str) -> Iterator[subprocess.Popen[str]]:
        with subprocess.Popen(
            self._command("dev", *options),
            cwd=self.root,
            stderr=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            preexec_fn=_heed_ctrl_c,  # noqa: PLW1509 - it sets one handler and nothing else
        ) as process:
            try:
                assert process.stderr is not None
                said = process.stderr.readline()
                assert said.startswith("serving at"), said + process.stderr.read()
                yield process
            finally:
                process.send_signal(signal.SIGTERM)
                try:
                    process.communicate(timeout=30)
                finally:
                    process.kill()

    def _command(self, *command: str) -> list[str]:
        return [str(self._python), "-c", "from launchworthy.cli.main import app; app()", *command]


@pytest.fixture
def terminal(orders: Orders) -> Terminal:
    return Terminal(orders)


def children_of(pid: int) -> list[int]:
    """The server that a `dev` started, by its parent."""
    listed = subprocess.run(["ps", "-eo", "pid=,ppid="], capture_output=True, text=True, check=True)
    pairs = [line.split() for line in listed.stdout.splitlines()]
    return [int(child) for child, parent in pairs if int(parent) == pid]


def is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_a_second_terminal_calls_it_and_nothing_takes_its_place(terminal: Terminal) -> None:
    with terminal.serving():
        placed = terminal("dev", "call", "place_order", "quantity=3")
        assert json.loads(placed.stdout) | {"quantity": 3, "customer": "c-17"} == json.loads(placed.stdout)
        for command in (("dev",), ("dev", "demo")):
            refused = terminal(*command)
            assert (refused.returncode, json.loads(refused.stderr)["reason"]) == (2, "dev-running")
        assert terminal("dev", "call", "find_orders").returncode == 0


def test_what_a_dead_one_left_is_no_other(terminal: Terminal) -> None:
    terminal.session.parent.mkdir(parents=True)
    terminal.session.write_text("{}")
    demo = terminal("dev", "demo")
    assert demo.returncode == 0, demo.stderr
    assert not terminal.session.exists()


def test_its_audit_can_be_verified_after_it_ended(terminal: Terminal) -> None:
    for _ in range(2):  # each with roots of its own
        assert terminal("dev", "demo").returncode == 0
    audit = ".launchworthy/dev/audit"
    alone = terminal("audit", "verify", audit)
    assert (alone.returncode, "--trust" in alone.stderr) == (2, True)
    verified = terminal("audit", "verify", "--trust", ".launchworthy/dev/trust", audit)
    assert verified.returncode == 0, verified.stdout


@pytest.mark.parametrize("send", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_no_server_outlives_it(terminal: Terminal, send: signal.Signals) -> None:
    with terminal.serving() as process:
        [server] = children_of(process.pid)
        gone: Callable[[], bool] = lambda: not is_running(server)  # noqa: E731
        process.send_signal(send)
        assert process.wait(timeout=30) == 130
        wait_until(gone, what="the end of the server")
    assert not terminal.session.exists()


def test_a_change_starts_the_server_anew_and_a_token_stays_good(terminal: Terminal) -> None:
    """The provider stays: whoever has signed in before an edit needs not do it again."""
    with terminal.serving("--reload") as process:
        [server] = children_of(process.pid)
        token = terminal("dev", "token").stdout.strip()
        url = json.loads(terminal.session.read_text())["url"]
        assert token
        tools = terminal.root / "src" / "orders" / "tools.py"
        tools.write_text(tools.read_text().replace("newest first", "the newest first"))
        wait_until(lambda: children_of(process.pid) not in ([], [server]), timeout=60)
        with Client(url, Secret(token)) as client:
            wait_until(lambda: "the newest first" in _described(client), timeout=60)


def test_an_edit_while_it_starts_is_not_missed(terminal: Terminal) -> None:
    tools = terminal.root / "src" / "orders" / "tools.py"
    with terminal.serving("--reload") as process:
        url = json.loads(terminal.session.read_text())["url"]
        token = terminal("dev", "token").stdout.strip()
        [server] = children_of(process.pid)
        tools.write_text(tools.read_text().replace("newest first", "once changed"))
        wait_until(lambda: children_of(process.pid) not in ([], [server]), timeout=60)
        tools.write_text(tools.read_text().replace("once changed", "twice changed"))
        with Client(url, Secret(token)) as client:
            wait_until(lambda: "twice changed" in _described(client), timeout=60)


def _described(client: Client) -> str:
    """What the running server says of a tool; nothing while none runs or it is not ready."""
    try:
        [found] = [tool for tool in client.tools() if tool["name"] == "find_orders"]
    except httpx2.TransportError:
        return ""
    except Refused as refused:
        if refused.status != httpx2.codes.SERVICE_UNAVAILABLE:
            raise
        return ""
    return str(found["description"])


def test_it_says_what_each_client_is_told(terminal: Terminal) -> None:
    with terminal.serving() as process:
        url = json.loads(terminal.session.read_text())["url"]
        assert process.stderr is not None
        said = ""
        while "only stdio" not in said:
            said += process.stderr.readline()
    for line in client_lines("orders", url):
        assert line in said
    assert len(client_lines("orders", url)) == 6
