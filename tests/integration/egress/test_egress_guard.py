"""Does every ordinary way out of Python ask first? On asyncio's loop and on uvloop's."""

import asyncio
import concurrent.futures
import http.client
import socket
import threading
import urllib.request

import anyio
import httpx2
import pytest

from launchworthy.egress import CallEgress, EgressDenied, ours
from launchworthy.egress.calls import current
from launchworthy.egress.guard import NAMES, install
from launchworthy.egress.loop import GuardedLoop
from launchworthy.manifest import Destination
from launchworthy.server import running


@pytest.fixture(scope="module", autouse=True)
def guard():
    install(["localhost"])
    install(["localhost"])  # once is enough, and twice does no harm


@pytest.fixture(scope="module")
def listener():
    """Somebody on this machine who answers every request with `{}`, and closes."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        stop = threading.Event()

        def serve():
            server.settimeout(0.1)
            while not stop.is_set():
                try:
                    connection, _ = server.accept()
                except TimeoutError:
                    continue
                with connection:
                    connection.settimeout(2)
                    try:
                        connection.recv(4096)
                        connection.sendall(b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\n{}")
                    except OSError:
                        continue

        thread = threading.Thread(target=serve)
        thread.start()
        yield server.getsockname()[1]
        stop.set()
        thread.join()


def call(port=None):
    """Of the real world: this machine has to be declared like any other."""
    allowed = () if port is None else (Destination("localhost", port),)
    return CallEgress(allowed, NAMES, simulated=False)


def by_socket(port):
    socket.create_connection(("localhost", port), timeout=2).close()


def by_address(port):
    with socket.socket() as made:
        made.settimeout(2)
        assert made.connect_ex(("127.0.0.1", port)) == 0


def by_http_client(port):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=2)
    connection.request("GET", "/")
    connection.getresponse().read()
    connection.close()


def by_urllib(port):
    with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(
        f"http://localhost:{port}/", timeout=2
    ) as got:
        assert got.read() == b"{}"


def by_httpx(port):
    with httpx2.Client(trust_env=False) as client:
        assert client.get(f"http://localhost:{port}/").json() == {}


def by_thread(port):
    failed = []

    def work():
        try:
            by_address(port)
        except EgressDenied as error:
            failed.append(error)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    if failed:
        raise failed[0]


def by_pool(port):
    with concurrent.futures.ThreadPoolExecutor() as pool:
        list(pool.map(by_socket, [port, port]))


def by_datagram(port):
    with socket.socket(type=socket.SOCK_DGRAM) as made:
        made.sendto(b"x", ("127.0.0.1", port))
        made.sendmsg([b"x"], [], 0, ("127.0.0.1", port))


PLAIN = [by_socket, by_address, by_http_client, by_urllib, by_httpx, by_thread, by_pool, by_datagram]


@pytest.mark.parametrize("way", PLAIN)
def test_a_plain_function_reaches_what_is_declared_and_nothing_else(way, listener):
    declared, other = call(listener), call(listener + 1)
    with declared:
        way(listener)
    assert declared.denied is None
    with other, pytest.raises((OSError, httpx2.ConnectError)) as caught:
        way(listener)
    assert denied_in(caught.value)
    assert f":{listener}" in other.denied
    way(listener)  # outside of calls nobody judges
    with other, ours():
        way(listener)


async def to_streams(port):
    _, writer = await asyncio.open_connection("localhost", port)
    writer.close()
    await writer.wait_closed()


async def to_address(port):
    _, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.close()
    await writer.wait_closed()


async def to_anyio(port):
    stream = await anyio.connect_tcp("localhost", port)
    await stream.aclose()


async def to_httpx(port):
    async with httpx2.AsyncClient(trust_env=False) as client:
        assert (await client.get(f"http://localhost:{port}/")).json() == {}


async def to_sock_connect(port):
    with socket.socket() as made:
        made.setblocking(False)
        await asyncio.get_running_loop().sock_connect(made, ("127.0.0.1", port))


async def to_executor(port):
    await asyncio.get_running_loop().run_in_executor(None, by_socket, port)


async def to_thread(port):
    await asyncio.to_thread(by_socket, port)
    await anyio.to_thread.run_sync(by_socket, port)


async def to_task(port):
    await asyncio.create_task(to_address(port))


async def to_datagrams(port):
    transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(
        asyncio.DatagramProtocol, remote_addr=("127.0.0.1", port)
    )
    transport.close()


ASYNC = [
    to_streams,
    to_address,
    to_anyio,
    to_httpx,
    to_sock_connect,
    to_executor,
    to_thread,
    to_task,
    to_datagrams,
]
LOOPS = pytest.mark.parametrize("loop", [asyncio.new_event_loop, GuardedLoop], ids=["asyncio", "uvloop"])


def run(loop, what):
    with asyncio.Runner(loop_factory=loop) as runner:
        return runner.run(what)


def denied_in(error):
    """The denial, itself or in the group or chain that a library wrapped it in."""
    todo = [error]
    while todo:
        each = todo.pop()
        if isinstance(each, EgressDenied):
            return True
        todo += [
            *getattr(each, "exceptions", ()),
            *(one for one in (each.__cause__, each.__context__) if one),
        ]
    return False


@LOOPS
@pytest.mark.parametrize("way", ASYNC)
def test_a_coroutine_reaches_what_is_declared_and_nothing_else(loop, way, listener):
    async def tried():
        declared, other = call(listener), call(listener + 1)
        with declared:
            await way(listener)
        assert declared.denied is None
        with other, pytest.raises((OSError, httpx2.ConnectError)) as caught:
            await way(listener)
        assert denied_in(caught.value)
        assert f":{listener}" in other.denied
        await way(listener)
        with other, ours():
            await way(listener)

    run(loop, tried())


@LOOPS
def test_a_name_that_is_not_declared_is_not_even_looked_up(loop):
    async def tried():
        here = asyncio.get_running_loop()
        for look in (
            lambda: here.getaddrinfo("evil.example", 443),
            lambda: asyncio.open_connection("evil.example", 443),
            lambda: asyncio.to_thread(socket.gethostbyname, "evil.example"),
            lambda: here.getnameinfo(("192.0.2.1", 443)),
            lambda: here.create_server(asyncio.Protocol, "evil.example", 0),
            lambda: here.create_server(asyncio.Protocol, ["127.0.0.1", "evil.example"], 0),
            lambda: here.create_connection(asyncio.Protocol, "127.0.0.1", 1, local_addr=("evil.example", 0)),
            lambda: here.create_datagram_endpoint(
                asyncio.DatagramProtocol, ("evil.example", 0), ("127.0.0.1", 1)
            ),
        ):
            asked = call(1)
            with asked, pytest.raises(EgressDenied):
                await look()
            assert asked.denied

    run(loop, tried())


@LOOPS
def test_sockets_of_this_machine_and_datagrams_to_anybody_are_no_way_out(loop, tmp_path):
    async def tried():
        here, asked = asyncio.get_running_loop(), call(1)
        with asked, pytest.raises(EgressDenied):
            await here.create_unix_connection(asyncio.Protocol, str(tmp_path / "docker.sock"))
        assert "docker.sock" in asked.denied

    run(loop, tried())


def test_uvloop_gives_no_endpoint_that_could_send_to_anybody():
    async def tried():
        asked = call(1)
        with asked, pytest.raises(EgressDenied):
            await asyncio.get_running_loop().create_datagram_endpoint(
                asyncio.DatagramProtocol, local_addr=("127.0.0.1", 0)
            )

    run(GuardedLoop, tried())


def test_a_pool_whose_threads_a_call_started_is_nobodys_afterwards(listener):
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        asked = call(listener + 1)
        with asked, pytest.raises(EgressDenied):
            pool.submit(by_address, listener).result()
        pool.submit(by_address, listener).result()
        assert pool.submit(current).result() is None


def test_a_program_that_connects_by_itself_is_not_seen(listener):
    """The limit that the guide states: judged is what Python's own sockets and the loop do."""
    import subprocess
    import sys

    asked = call(listener + 1)
    code = f"import socket; socket.create_connection(('127.0.0.1', {listener}), 2).close()"
    with asked:
        subprocess.run([sys.executable, "-c", code], check=True, timeout=20)
    assert asked.denied is None


def test_the_server_runs_on_the_loop_that_asks():
    loop = running.loop_factory()()
    loop.close()
    assert isinstance(loop, GuardedLoop)
