"""Bytes and time: half a header, half a body, a section without end, connections without number."""

import asyncio
import json
import socket
import time

import pytest
from listener import Listener, read_answer, seconds_until_closed

from launchworthy.enforcement.connection_bounds import RULE_33, Bounds, Terms
from launchworthy.vocabulary import Reason

GET = b"GET / HTTP/1.1\r\nhost: x\r\n\r\n"
GONE = (ConnectionResetError, BrokenPipeError, TimeoutError)


@pytest.fixture(params=["httptools", "h11"], scope="module")
def implementation(request):
    return request.param


@pytest.fixture(scope="module")
def listener(implementation):
    with Listener(implementation) as standing:
        yield standing


def drip(connection: socket.socket, piece: bytes, seconds: float, every: float = 0.05) -> float:
    """Send a piece again and again; how long it could be done."""
    began = time.monotonic()
    connection.settimeout(every)
    while time.monotonic() - began < seconds:
        try:
            connection.sendall(piece)
            if connection.recv(65536) == b"":
                break
        except TimeoutError:
            continue
        except GONE:
            break
    return time.monotonic() - began


def test_good_requests_follow_each_other_on_one_connection(listener):
    with listener.connect() as connection:
        for _ in range(3):
            connection.sendall(GET)
            status, _body = read_answer(connection)
            assert status == b"HTTP/1.1 200 OK"


def test_white_space_around_values_is_taken_off(listener):
    with listener.connect() as connection:
        connection.sendall(b"GET / HTTP/1.1\r\nhost: x\r\nmcp-name: \t add \t \r\n\r\n")
        assert ["mcp-name", "add"] in json.loads(read_answer(connection)[1])


def test_a_connection_on_which_nothing_begins_is_closed(listener):
    with listener.connect() as connection:
        assert 0.1 < seconds_until_closed(connection) < 2


def test_a_connection_that_goes_idle_is_closed(listener):
    with listener.connect() as connection:
        connection.sendall(GET)
        read_answer(connection)
        assert 0.1 < seconds_until_closed(connection) < 2


def test_half_a_header_section_is_not_waited_for(listener):
    listener.reported.clear()
    with listener.connect() as connection:
        connection.sendall(b"GET / HTTP/1.1\r\nhost: x\r\nx-half: ")
        assert 0.1 < seconds_until_closed(connection) < 2
    assert listener.reported == [Reason.HTTP_DEADLINE]


def test_a_header_section_that_drips_gains_no_time(listener):
    with listener.connect() as connection:
        connection.sendall(b"GET / HTTP/1.1\r\nhost: x\r\n")
        assert drip(connection, b"x-drip: 1\r\n", seconds=3) < 1.5


def test_empty_lines_before_a_request_gain_no_time(listener):
    with listener.connect() as connection:
        assert drip(connection, b"\r\n", seconds=3) < 1.5


def test_as_many_fields_as_allowed_are_taken_and_one_more_is_not(listener):
    def send(fields: int) -> bytes:
        with listener.connect() as connection:
            more = b"".join(b"x-%d: y\r\n" % number for number in range(fields - 1))
            connection.sendall(b"GET / HTTP/1.1\r\nhost: x\r\n" + more + b"\r\n")
            return read_answer(connection)[0]

    listener.reported.clear()
    assert send(64) == b"HTTP/1.1 200 OK"
    assert send(65) == b"HTTP/1.1 431 Request Header Fields Too Large"
    assert listener.reported == [Reason.HTTP_SIZE]


@pytest.mark.parametrize(
    "section",
    [
        b"x-long: " + b"a" * 40_000 + b"\r\n\r\n",
        b"x-long: " + b"a" * 40_000,
        b"".join(b"x-%d: %b\r\n" % (number, b"a" * 1_000) for number in range(40)) + b"\r\n",
    ],
)
def test_a_header_section_that_is_too_long_is_refused(listener, section):
    with listener.connect() as connection:
        connection.sendall(b"GET / HTTP/1.1\r\nhost: x\r\n" + section)
        status, body = read_answer(connection)
        assert status == b"HTTP/1.1 431 Request Header Fields Too Large"
        assert json.loads(body)["error"]["data"] == {"reason": "invalid_request"}


def test_a_request_line_without_end_is_refused(listener):
    with listener.connect() as connection:
        connection.sendall(b"GET /" + b"a" * 70_000)
        assert read_answer(connection)[0] == b"HTTP/1.1 431 Request Header Fields Too Large"


def test_a_section_without_end_never_grows_in_memory(listener):
    with listener.connect() as connection:
        sent = 0
        try:
            connection.sendall(b"GET / HTTP/1.1\r\nhost: x\r\nx-long: ")
            for _ in range(2_000):
                connection.sendall(b"a" * 65_536)
                sent += 65_536
        except GONE:
            pass
        assert sent < 100_000_000


def test_what_is_no_http_is_answered_with_400(listener):
    listener.reported.clear()
    with listener.connect() as connection:
        connection.sendall(b"\x16\x03\x01 nonsense\r\n\r\n")
        assert read_answer(connection)[0] == b"HTTP/1.1 400 Bad Request"
    assert listener.reported == [Reason.PROTOCOL_INVALID]


@pytest.mark.parametrize(
    "framing",
    [
        b"content-length: 5\r\ntransfer-encoding: chunked\r\n",
        b"content-length: 5\r\ncontent-length: 6\r\n",
        b"transfer-encoding: chunked, x\r\n",
    ],
)
def test_an_ambiguous_length_is_not_two_requests(listener, framing):
    with listener.connect() as connection:
        connection.sendall(
            b"POST /body HTTP/1.1\r\nhost: x\r\n"
            + framing
            + b"\r\n0\r\n\r\nGET /smuggled HTTP/1.1\r\nhost: x\r\n\r\n"
        )
        received = b""
        try:
            while chunk := connection.recv(65536):
                received += chunk
        except GONE:
            pass
        assert received.count(b"HTTP/1.1 ") == 1 or b" 400 " in received


def test_garbage_behind_a_request_is_not_answered_in_its_place(listener):
    with listener.connect() as connection:
        connection.sendall(b"GET /late HTTP/1.1\r\nhost: x\r\n\r\n")
        time.sleep(0.1)
        connection.sendall(b"\x00\x00\x00 garbage\r\n\r\n")
        assert read_answer(connection)[0] == b"HTTP/1.1 200 OK"


def test_a_late_answer_is_not_cut_off_by_a_timer(listener):
    with listener.connect() as connection:
        connection.sendall(b"GET /late HTTP/1.1\r\nhost: x\r\n\r\n")
        assert read_answer(connection)[0] == b"HTTP/1.1 200 OK"


def test_two_requests_sent_at_once_are_answered_in_their_order(listener):
    with listener.connect() as connection:
        connection.sendall(
            b"GET /late HTTP/1.1\r\nhost: x\r\nx-n: 1\r\n\r\nGET / HTTP/1.1\r\nhost: x\r\nx-n: 2\r\n\r\n"
        )
        first, second = read_two(connection)
        assert (["x-n", "1"] in first, ["x-n", "2"] in second) == (True, True)


def read_two(connection: socket.socket) -> list[list[list[str]]]:
    received = b""
    while received.count(b"HTTP/1.1 200") < 2 or not received.endswith(b"]]"):
        received += connection.recv(65536)
    return [json.loads(part.partition(b"\r\n\r\n")[2]) for part in received.split(b"HTTP/1.1 200")[1:]]


def test_what_is_left_of_a_body_after_its_answer_is_not_waited_for(listener):
    with listener.connect() as connection:
        connection.sendall(b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\n\r\nhalf")
        assert read_answer(connection)[0] == b"HTTP/1.1 200 OK"
        assert drip(connection, b"x", seconds=3) < 1.5


def test_a_body_that_comes_late_but_whole_leaves_the_connection_usable(listener):
    with listener.connect() as connection:
        connection.sendall(b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 8\r\n\r\nhalf")
        assert read_answer(connection)[0] == b"HTTP/1.1 200 OK"
        connection.sendall(b"half" + GET)
        assert read_answer(connection)[0] == b"HTTP/1.1 200 OK"


def test_one_connection_too_many_is_closed(implementation):
    with Listener(implementation, connections=2, first_byte_seconds=3) as small:
        with small.connect() as one, small.connect() as two:
            for connection in (one, two):
                connection.sendall(GET)
                read_answer(connection)
            with small.connect() as three:
                assert seconds_until_closed(three) < 1
            one.sendall(GET)
            assert read_answer(one)[0] == b"HTTP/1.1 200 OK"
        end = time.monotonic() + 3
        while time.monotonic() < end:
            with small.connect() as again:
                try:
                    again.sendall(GET)
                    if read_answer(again)[0] == b"HTTP/1.1 200 OK":
                        return
                except GONE:
                    continue
        pytest.fail("a place that was left stays taken")


def test_the_two_writes_of_an_answer_do_not_wait_for_each_other():
    with (
        socket.create_server(("127.0.0.1", 0)) as server,
        socket.create_connection(server.getsockname()),
        server.accept()[0] as accepted,
    ):
        assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) == 0
        opened(accepted)
        assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) == 1


def test_a_local_socket_has_nothing_to_switch_off():
    one, other = socket.socketpair()
    with one, other:
        opened(one)


def opened(connection: socket.socket) -> None:
    """Open a connection of the bounded protocol over this socket."""

    class Transport(asyncio.Transport):
        def get_extra_info(self, name, default=None):
            return connection if name == "socket" else default

    async def make() -> None:
        bounds = Bounds()
        bounds.terms = Terms(limits=RULE_33, report=lambda _reason: None)
        bounds.loop, bounds.transport, bounds.connections = asyncio.get_running_loop(), Transport(), set()
        bounds.cycle = None
        bounds.opened()
        bounds.disarm()

    asyncio.run(make())
