"""A body has ten seconds, and no more than a moment to begin; here both are shorter."""

import socket
import time

import pytest
from house import MODERN, eventually, headers_of

from launchworthy.enforcement.body import RULE_33, Pace

PACE = Pace(seconds=0.6, grace=0.25, bytes_per_second=4096)
PARAMS = {"name": "add", "arguments": {"a": 1, "b": 2}}


@pytest.fixture(scope="module")
def hasty(tmp_path_factory):
    from house import House

    with House(tmp_path_factory.mktemp("hasty"), pace=PACE) as house:
        yield house


def begin(house, length: int, *, framing: str = "content-length: {}") -> socket.socket:
    headers = headers_of("tools/call", PARAMS, MODERN) | {
        "host": f"127.0.0.1:{house.port}",
        "authorization": f"Bearer {house.token()}",
    }
    lines = [f"{name}: {value}" for name, value in headers.items()] + [framing.format(length)]
    connection = socket.create_connection(("127.0.0.1", house.port), timeout=5)
    connection.sendall(("POST /mcp HTTP/1.1\r\n" + "\r\n".join(lines) + "\r\n\r\n").encode())
    return connection


def answer_after(connection: socket.socket, piece: bytes = b"", every: float = 0.05) -> tuple[float, bytes]:
    began = time.monotonic()
    connection.settimeout(every)
    while time.monotonic() - began < 4:
        try:
            if piece:
                connection.sendall(piece)
            received = connection.recv(65536)
        except TimeoutError:
            continue
        return time.monotonic() - began, received
    raise AssertionError("there was no answer")


def test_a_body_that_never_begins_is_not_waited_for(hasty):
    with begin(hasty, 500) as connection:
        seconds, answer = answer_after(connection)
    assert answer.startswith(b"HTTP/1.1 408 ")
    assert b"connection: close" in answer
    assert 0.2 < seconds < 1.5


def test_a_body_that_drips_is_not_waited_for(hasty):
    with begin(hasty, 5000) as connection:
        seconds, answer = answer_after(connection, b" ")
    assert answer.startswith(b"HTTP/1.1 408 ")
    assert seconds < 1.5
    assert eventually(lambda: [one for one in hasty.records() if one.get("reason") == "http.deadline"])


def test_a_body_that_comes_fast_enough_but_without_end_is_cut_off(hasty):
    with begin(hasty, 0, framing="transfer-encoding: chunked") as connection:
        seconds, answer = answer_after(connection, b"400\r\n" + b" " * 1024 + b"\r\n")
    assert answer.startswith(b"HTTP/1.1 408 ")
    assert 0.4 < seconds < 2


def test_a_client_that_leaves_before_its_body_is_whole_ran_nothing(hasty):
    hasty.executions.taken()
    before = len([one for one in hasty.records() if one.get("reason") == "http.deadline"])
    begin(hasty, 500).close()
    eventually(lambda: len([one for one in hasty.records() if one.get("reason") == "http.deadline"]) > before)
    assert hasty.executions.taken() == 0


def test_a_good_body_in_two_pieces_is_taken(hasty):
    assert hasty.post("tools/call", PARAMS).status_code == 200


def test_a_pace_allows_more_time_for_more_bytes_and_ends():
    assert RULE_33.allowance(0) == 3
    assert RULE_33.allowance(4096) == 7
    assert RULE_33.allowance(10**9) == 10
    with pytest.raises(ValueError, match="positive"):
        Pace(seconds=0, grace=1, bytes_per_second=1)
