"""However a server answers, one exchange ends: in time, in bytes, and without doing what the server says."""

import gzip
import json
import ssl
import time
from dataclasses import replace

import httpx2
import pytest
from strange_servers import QUICK, Given, dripping, serving

from launchworthy.probe.wire import Bounds, Ended, Heard, Wire

SHORT = replace(QUICK, answer_seconds=0.4, answer_bytes=4096)
HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n"


def heard(url: str, bounds: Bounds = SHORT) -> Heard:
    with Wire(bounds, ssl.create_default_context()) as wire:
        return wire.send(httpx2.Request("POST", url, content=b"{}"))


def test_an_answer_comes_back_whole():
    with serving(lambda *_: Given(200, b'{"a":1}')) as (url, _):
        answer = heard(url).answer
    assert answer is not None
    assert (answer.status, answer.message) == (200, {"a": 1})


@pytest.mark.parametrize(
    ("first", "then"),
    [
        (b"", b""),
        (b"", b"H"),
        (HEAD, b"x-more: 1\r\n"),
        (HEAD + b"content-length: 4000\r\n\r\n", b" "),
        (HEAD.replace(b"application/json", b"text/event-stream") + b"\r\n", b": ping\n\n"),
    ],
    ids=[
        "nothing",
        "a status that drips",
        "headers that drip",
        "a body that drips",
        "a stream without an answer",
    ],
)
def test_a_server_that_takes_its_time_is_not_waited_for(first, then):
    with dripping(first, then) as url:
        began = time.monotonic()
        seen = heard(url)
        took = time.monotonic() - began
    assert seen.answer is None
    assert seen.why
    assert took < 5


@pytest.mark.parametrize(
    "first", [HEAD + b"\r\n" + b"x" * 100_000, b"\x15\x03\x01\x00\x02\x02\x16", b"x" * 300_000]
)
def test_what_is_too_long_or_no_http_is_no_answer(first):
    with dripping(first, b"") as url:
        assert heard(url).answer is None


def test_headers_without_end_are_no_answer():
    with dripping(HEAD, b"x-more: " + b"1" * 8000 + b"\r\n", every=0.001) as url:
        assert heard(url, replace(SHORT, answer_seconds=3)).answer is None


def test_what_was_compressed_is_not_unpacked():
    bomb = gzip.compress(b" " * 50_000_000)
    headers = {"content-encoding": "gzip", "content-type": "application/json"}
    with serving(lambda *_: Given(200, bomb, headers)) as (url, _):
        seen = heard(url, replace(SHORT, answer_bytes=10**6))
    assert seen == Heard(answer=None, why="the answer is compressed, which was not asked for")


def test_an_event_stream_is_read_until_it_answers():
    message = {"jsonrpc": "2.0", "id": 1, "result": {"tools": []}}
    stream = HEAD.replace(b"application/json", b"text/event-stream") + b"\r\n"
    notification = b'data: {"jsonrpc":"2.0","method":"x"}\n\n'
    with dripping(
        stream + notification + b"data: " + json.dumps(message).encode() + b"\n\n", b": more\n\n"
    ) as url:
        answer = heard(url).answer
    assert answer is not None
    assert answer.result == {"tools": []}


def test_neither_proxies_nor_logins_nor_cookies_of_this_machine_are_used(monkeypatch, tmp_path):
    (tmp_path / ".netrc").write_text("machine 127.0.0.1 login me password hunter2\n")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:1")
    cookie = {"set-cookie": "a=b", "content-type": "application/json"}
    with (
        serving(lambda *_: Given(200, b"{}", cookie)) as (url, sent),
        Wire(QUICK, ssl.create_default_context()) as wire,
    ):
        for _ in range(2):
            assert wire.send(httpx2.Request("POST", url, content=b"{}")).answer is not None
        assert [each.values("authorization") + each.values("cookie") for each in sent] == [[], []]
        assert sent[0].values("user-agent")[0].startswith("launchworthy-probe/")


def test_after_three_silences_nothing_more_is_sent():
    with serving(lambda *_: None) as (url, sent), Wire(SHORT, ssl.create_default_context()) as wire:
        for _ in range(3):
            assert wire.send(httpx2.Request("POST", url, content=b"{}")).answer is None
        with pytest.raises(Ended, match="3 times in a row"):
            wire.send(httpx2.Request("POST", url, content=b"{}"))
        assert wire.requests == 3
        assert len(sent) <= 6


def test_nobody_waits_an_hour_because_a_server_says_so():
    with Wire(QUICK, ssl.create_default_context()) as wire:
        assert wire.wait(1) is True
        assert wire.wait(3600) is False
