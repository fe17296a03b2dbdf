"""What two parsers could read differently: an upgrade, trailers, versions."""

import json
import time

import pytest
from listener import Listener, read_answer

INNER = b"GET /inner HTTP/1.1\r\nhost: x\r\n\r\n"


@pytest.fixture(params=["httptools", "h11"], scope="module")
def listener(request):
    with Listener(request.param, linger_seconds=1.0) as standing:
        yield standing


def answers(connection) -> bytes:
    """Everything that comes within a moment."""
    connection.settimeout(0.5)
    received = b""
    try:
        while chunk := connection.recv(65536):
            received += chunk
    except (TimeoutError, ConnectionResetError):
        pass
    return received


@pytest.mark.parametrize("offer", [b"foo", b"websocket", b"h2c"])
def test_the_body_of_an_offered_upgrade_is_never_the_next_request(listener, offer):
    with listener.connect() as connection:
        connection.sendall(
            b"POST /body HTTP/1.1\r\nhost: x\r\nconnection: upgrade\r\nupgrade: %b\r\n"
            b"content-length: %d\r\n\r\n" % (offer, len(INNER))
        )
        time.sleep(0.1)  # the body in a segment of its own, as proxies send it
        connection.sendall(INNER)
        assert answers(connection).count(b"HTTP/1.1 ") == 1


def test_without_the_offer_the_same_body_is_a_body_and_the_next_request_is_answered(listener):
    with listener.connect() as connection:
        connection.sendall(b"POST /body HTTP/1.1\r\nhost: x\r\ncontent-length: %d\r\n\r\n" % len(INNER))
        connection.sendall(INNER)
        assert read_answer(connection)[0] == b"HTTP/1.1 200 OK"
        connection.sendall(INNER)
        assert read_answer(connection)[0] == b"HTTP/1.1 200 OK"


def test_what_stands_behind_a_body_is_no_header(listener):
    with listener.connect() as connection:
        connection.sendall(
            b"POST /body HTTP/1.1\r\nhost: x\r\nx-before: 1\r\ntransfer-encoding: chunked\r\n\r\n"
            b"1\r\na\r\n0\r\nauthorization: Bearer x\r\nx-behind: 1\r\n\r\n"
        )
        names = [name for name, _value in json.loads(read_answer(connection)[1])]
    assert names == ["host", "x-before", "transfer-encoding"]


@pytest.mark.parametrize("version", [b" HTTP/2.0", b" HTTP/0.9", b""])
def test_another_version_of_http_is_refused(listener, version):
    with listener.connect() as connection:
        connection.sendall(b"GET /%b\r\nhost: x\r\n\r\n" % version)
        assert read_answer(connection)[0] == b"HTTP/1.1 400 Bad Request"


def test_a_proxy_that_speaks_the_older_version_is_answered(listener):
    with listener.connect() as connection:
        connection.sendall(b"GET / HTTP/1.0\r\nhost: x\r\n\r\n")
        assert read_answer(connection)[0] == b"HTTP/1.1 200 OK"
