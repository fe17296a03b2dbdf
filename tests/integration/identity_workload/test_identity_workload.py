"""What a team's `app` gets of the server's own identity: in a running server, against a real TLS listener."""

import base64
import contextlib
import json
import shutil
import socket
import ssl
import threading
from pathlib import Path

import pytest

from launchworthy.identity import IdentityUnavailable
from launchworthy.identity.key_files import load_identity
from launchworthy.identity.own_workload import Workload
from launchworthy.testing.caller_tls import identity_of
from launchworthy.testing.project import TestedProject
from launchworthy.testing.world import wait_until

EXAMPLE = Path(__file__).resolve().parents[3] / "examples" / "orders"
APP = """
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from launchworthy import AppSettings, DataFile, Server, Workload

from orders import tools
from orders.store import OrderStore


class Settings(AppSettings):
    database: DataFile


class Store(OrderStore):
    def __init__(self, database, workload):
        super().__init__(database)
        self.workload, self.renewals, self.contexts = workload, [], {}
        workload.on_renewed(lambda: self.renewals.append(1))


@asynccontextmanager
async def open_app(settings: Settings, workload: Workload) -> AsyncIterator[OrderStore]:
    yield Store(settings.database, workload)


server = Server(tools, settings=Settings, app=open_app)
"""
TOOLS = '''


@tool
def call_peer(call: Call[OrderStore], port: int, peer: str) -> dict[str, str]:
    """Connect as this workload."""
    import socket

    context = call.app.contexts.setdefault(peer, call.app.workload.tls_to(peer))
    try:
        with (
            socket.create_connection(("127.0.0.1", port), timeout=5) as made,
            context.wrap_socket(made, server_hostname="x") as connection,
        ):
            return {"heard": connection.recv(200).decode()}
    except OSError as error:
        return {"failed": str(error)}


@tool
async def say_who(call: Call[OrderStore], audience: str) -> dict[str, str]:
    """Ask for a token."""
    token = (await call.app.workload.assertion(audience)).reveal()
    return {"token": token, "renewals": str(len(call.app.renewals)), "shown": repr(call.app.workload)}
'''
TABLE = """
[tools.{name}]
effect = "write"
scopes = ["orders:write"]
{more}
"""


class Peer:
    """Another workload with an SVID; says to each client whose certificate it has seen."""

    def __init__(self, authority, name):
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        load_identity(self.context, identity_of(authority.mint_x509(name, ttl=3600)))
        self.context.verify_mode = ssl.CERT_REQUIRED
        self.context.load_verify_locations(cadata=authority.bundle_der())
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.thread = threading.Thread(target=self._serve)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        self.thread.join(5)

    def _serve(self):
        while True:
            try:
                made, _ = self.listener.accept()
            except OSError:
                return
            with contextlib.suppress(OSError), made, self.context.wrap_socket(made, server_side=True) as met:
                met.sendall(met.getpeercert()["serialNumber"].encode())


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    folder = tmp_path_factory.mktemp("workload")
    root = folder / "orders"
    shutil.copytree(EXAMPLE, root, ignore=shutil.ignore_patterns(".venv", ".launchworthy", "__pycache__"))
    (root / "src/orders/server.py").write_text(APP)
    with (root / "src/orders/tools.py").open("a") as file:
        file.write(TOOLS)
    with (root / "manifests/tools.toml").open("a") as file:
        file.write(TABLE.format(name="call_peer", more='egress = ["peer.acme.example:443"]'))
        file.write(TABLE.format(name="say_who", more=""))
    (folder / "world").mkdir()
    with (
        TestedProject.read(root).world(folder / "world") as world,
        world.server("orders", PYTHONPATH=str(root / "src")),
    ):
        yield world


def call(world, tool, **arguments):
    with world.client("orders:write", "orders:read") as caller:
        return caller.call(tool, **arguments)


def test_the_app_connects_as_this_workload_and_shows_what_is_in_force(server):
    peer_id = server.authority.spiffe_id("database")
    with Peer(server.authority, "database") as peer:
        first = call(server, "call_peer", port=peer.port, peer=peer_id)["heard"]
        assert call(server, "call_peer", port=peer.port, peer=peer_id)["heard"] == first
        before = int(call(server, "say_who", audience="x")["renewals"])
        server.workload_api.rotate()

        def told():
            return int(call(server, "say_who", audience="x")["renewals"]) > before

        wait_until(told, what="the word of a renewal")
        assert call(server, "call_peer", port=peer.port, peer=peer_id)["heard"] != first


def test_another_peer_than_the_named_one_is_not_met(server):
    with Peer(server.authority, "somebody-else") as peer:
        answer = call(server, "call_peer", port=peer.port, peer=server.authority.spiffe_id("database"))
        assert "peer.not_allowed" in answer["failed"]
        assert "heard" in call(server, "call_peer", port=peer.port, peer="spiffe://dev.invalid")


def test_a_token_is_for_the_audience_that_was_asked_for(server):
    said = call(server, "say_who", audience="https://warehouse.acme.example")
    claims = json.loads(base64.urlsafe_b64decode(said["token"].split(".")[1] + "=="))
    assert claims["sub"] == server.subject
    assert claims["aud"] in ("https://warehouse.acme.example", ["https://warehouse.acme.example"])
    assert said["shown"] == "Workload(…)"


@pytest.mark.parametrize("peers", [(), ("*",), ("",), ("https://acme.example",)])
def test_nobody_in_particular_is_no_peer(peers):
    class Held:
        def x509(self):
            return None

    with pytest.raises(ValueError, match=r"SPIFFE ID|names somebody"):
        Workload(Held(), trust_domains=("dev.invalid",), clock=lambda: 0).tls_to(*peers)


def test_an_identity_without_a_certificate_says_so_at_once():
    class Tokens:
        def x509(self):
            raise IdentityUnavailable.__new__(IdentityUnavailable)

    workload = Workload(Tokens(), trust_domains=("dev.invalid",), clock=lambda: 0)
    for ask in (lambda: workload.tls_to("spiffe://dev.invalid"), lambda: workload.tls_to_hosts(None)):
        with pytest.raises(IdentityUnavailable):
            ask()


def test_only_the_named_peers_are_met():
    class Held:
        def x509(self):
            return None

    workload = Workload(Held(), trust_domains=("dev.invalid",), clock=lambda: 0)
    rule = workload.tls_to("spiffe://dev.invalid/simulated/database").terms.rule
    assert (rule.ids, rule.trust_domains) == ({"spiffe://dev.invalid/simulated/database"}, frozenset())
