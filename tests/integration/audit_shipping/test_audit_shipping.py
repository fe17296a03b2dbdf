"""Records reach a receiver at least once, whoever dies; and nothing that ships can touch what it ships."""

import json
import os
import random
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from receivers import Collector, SyslogServer, certificate
from typer.testing import CliRunner

from launchworthy.audit.cursor import Cursor, read_positions, shipped
from launchworthy.audit.events import ServerStopping, ToolDenied
from launchworthy.audit.shipping import BATCH_RECORDS, Shipper, ship_for_ever
from launchworthy.audit.sinks import SinkUnavailable
from launchworthy.audit.stream import AuditStream
from launchworthy.cli.main import app
from launchworthy.testing.world import free_port, wait_until
from launchworthy.vocabulary import ProblemError, Reason

SHIP = [sys.executable, "-m", "launchworthy.cli", "audit", "ship"]
NOW = 1_795_140_000_000_000_000


class Clock:
    def __init__(self, now=NOW):
        self.now = now

    def __call__(self):
        self.now += 1_000_000
        return self.now


@pytest.fixture
def stream(tmp_path):
    opened = AuditStream.open(tmp_path / "audit", source=None, clock=Clock(), reserve_bytes=4096)
    yield opened
    opened.close()


def denied(number):
    return ToolDenied(
        call=f"C{number}", target="refund_order", reason=Reason.TOOL_SCOPE, status=403, subject="s"
    )


def write(stream, count, begin=0):
    for number in range(begin, begin + count):
        stream.record(denied(number))


def written(stream):
    return stream.path.read_bytes().splitlines()


def run(directory, url, *more, to="otlp"):
    return CliRunner().invoke(
        app, ["audit", "ship", str(directory), "--to", to, "--url", url, *map(str, more), "--once"]
    )


class Sink:
    """Takes what it is given, or fails when it is told to."""

    def __init__(self):
        self.lines = []
        self.failing = 0
        self.sizes = []

    def send(self, lines):
        if self.failing:
            self.failing -= 1
            raise SinkUnavailable("dead")
        self.lines.extend(line.raw for line in lines)
        self.sizes.append(len(lines))

    def close(self):
        pass


def shipper(stream, sink):
    directory = stream.path.parent
    return Shipper(directory, Cursor(directory / "shipped-test.json"), sink)


def test_a_collector_gets_every_line_as_it_was_written_with_the_names_of_opentelemetry(stream):
    write(stream, 3)
    with Collector() as collector:
        shown = run(stream.path.parent, collector.url)
        assert (shown.exit_code, shown.stdout) == (0, "4 records\n")
        assert collector.lines == written(stream)
        assert {path for path, _ in collector.requests} == {"/v1/logs"}
        last = collector.records[-1]
        attributes = {each["key"]: next(iter(each["value"].values())) for each in last["attributes"]}
    assert attributes == {
        "launchworthy.stream": stream.stream_id,
        "launchworthy.seq": "3",
        "launchworthy.type": "tool.denied",
        "launchworthy.call": "C2",
        "gen_ai.tool.name": "refund_order",
        "http.response.status_code": "403",
        "error.type": "tool.scope",
    }
    assert last["eventName"] == "launchworthy.tool.denied"
    assert last["severityText"] == "WARN"
    assert int(last["timeUnixNano"]) == NOW + 4_000_000


def test_what_was_taken_is_not_sent_again_and_what_comes_later_is(stream):
    write(stream, 3)
    with Collector() as collector:
        run(stream.path.parent, collector.url)
        assert run(stream.path.parent, collector.url).stdout == "0 records\n"
        write(stream, 2, begin=3)
        assert run(stream.path.parent, collector.url).stdout == "2 records\n"
        assert collector.lines == written(stream)


@pytest.mark.parametrize(
    "answer",
    [
        (503, b""),
        (429, b""),
        (302, b""),
        (200, b'{"partialSuccess":{"rejectedLogRecords":"1"}}'),
        (200, b'{"partialSuccess":{"rejectedLogRecords":"many"}}'),
        (200, b'{"partialSuccess":{"rejectedLogRecords":[1]}}'),
        (200, b"[" * 100_000),
        (200, b"not json"),
    ],
    ids=["503", "429", "redirect", "partial", "no number", "a list", "deep", "garbage"],
)
def test_a_collector_that_did_not_take_everything_gets_it_again(stream, answer):
    write(stream, 3)
    with Collector() as collector:
        collector.answers = [answer]
        refused = run(stream.path.parent, collector.url)
        assert refused.exit_code == 2
        assert json.loads(refused.stderr)["reason"] == "not-shipped"
        assert run(stream.path.parent, collector.url).exit_code == 0
        assert collector.lines == written(stream)


def test_a_syslog_server_gets_every_line_over_tls_and_over_plain_tcp_on_loopback(stream, tmp_path):
    write(stream, 3)
    with certificate(tmp_path) as (roots, tls), SyslogServer(tls) as server:
        shown = run(stream.path.parent, f"tls://127.0.0.1:{server.port}", "--ca", roots, to="syslog")
        assert (shown.exit_code, shown.stdout) == (0, "4 records\n"), shown.stderr
        assert server.lines == written(stream)
        last = server.messages[-1]
        assert (last["priority"], last["type"], last["seq"]) == (b"108", b"tool.denied", b"3")
        assert last["time"].startswith(b"2026-11-20T")
    with SyslogServer() as server:
        state = ("--state", tmp_path / "other.json")
        assert run(stream.path.parent, f"tcp://127.0.0.1:{server.port}", *state, to="syslog").exit_code == 0
        assert server.lines == written(stream)


def test_a_syslog_server_that_resets_gets_the_batch_again(stream):
    write(stream, 3)
    with SyslogServer() as server:
        server.resets = 1
        url = f"tcp://127.0.0.1:{server.port}"
        assert run(stream.path.parent, url, to="syslog").exit_code == 2
        assert run(stream.path.parent, url, to="syslog").exit_code == 0
        assert server.lines == written(stream)


def test_a_receiver_that_nobody_vouches_for_gets_nothing(stream, tmp_path):
    write(stream, 1)
    with certificate(tmp_path) as (_, tls), SyslogServer(tls) as server:
        assert run(stream.path.parent, f"tls://127.0.0.1:{server.port}", to="syslog").exit_code == 2
        assert server.lines == []


@pytest.mark.parametrize(
    ("to", "url"),
    [
        ("otlp", "http://collector.acme.example:4318"),
        ("syslog", "tcp://logs.acme.example:6514"),
        ("otlp", "https://user:pw@collector.acme.example"),
        ("otlp", "https://collector.acme.example/?token=x"),
        ("otlp", "tls://127.0.0.1:1"),
        ("syslog", "https://127.0.0.1:1"),
        ("otlp", "collector"),
        ("otlp", "http://127.0.0.1:99999"),
    ],
)
def test_an_address_in_clear_or_with_a_secret_is_refused(stream, to, url):
    refused = run(stream.path.parent, url, to=to)
    assert refused.exit_code == 2
    assert json.loads(refused.stderr)["reason"] == "not-shipped"


def test_a_dead_receiver_is_asked_less_and_less_and_gets_everything_when_it_is_back(stream):
    write(stream, 5)
    sink, waits, said = Sink(), [], []
    sink.failing = 9

    def wait(seconds):
        waits.append(seconds)
        return len(waits) == 11

    ship_for_ever(shipper(stream, sink), wait=wait, say=said.append, every=0.5)
    assert waits == [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 60.0, 60.0, 60.0, 0.5, 0.5]
    assert sink.lines == written(stream)
    assert len(said) == 2


def test_a_shipper_that_died_between_the_answer_and_the_note_sends_the_batch_a_second_time(stream):
    write(stream, 5)

    class Dying(Cursor):
        def move(self, *_, **__):
            raise KeyboardInterrupt

    sink, directory = Sink(), stream.path.parent
    with pytest.raises(KeyboardInterrupt):
        Shipper(directory, Dying(directory / "shipped-test.json"), sink).ship()
    shipper(stream, sink).ship()
    assert sink.lines == written(stream) * 2


def test_long_files_go_in_batches_and_a_torn_end_stays_until_it_is_whole(stream):
    write(stream, 2 * BATCH_RECORDS + 10)
    sink = Sink()
    ours = shipper(stream, sink)
    with stream.path.open("ab") as file:
        file.write(b'{"half')
    assert ours.ship() == len(written(stream)) - 1
    assert max(sink.sizes) == BATCH_RECORDS
    assert sink.lines == written(stream)[:-1]
    with stream.path.open("r+b") as file:
        file.truncate(file.seek(-6, os.SEEK_END))


def test_files_that_follow_and_files_that_are_gone_are_no_obstacle(stream):
    directory = stream.path.parent
    write(stream, 3)
    sink = Sink()
    ours = shipper(stream, sink)
    ours.ship()
    stream.close()
    later = AuditStream.open(directory, source=None, clock=Clock(NOW + 10**12), reserve_bytes=4096)
    later.record(ServerStopping(reason="test"))
    ours.ship()
    files = sorted(directory.glob("*.jsonl"))
    assert sink.lines == [line for file in files for line in file.read_bytes().splitlines()]
    assert set(shipped(directory)) == {file.name for file in directory.glob("*.jsonl")}
    stream.path.unlink()
    later.record(ServerStopping(reason="again"))
    ours.ship()
    assert set(shipped(directory)) == {later.path.name}
    later.close()


def test_with_several_shippers_the_slowest_counts(stream):
    write(stream, 3)
    directory = stream.path.parent
    Shipper(directory, Cursor(directory / "shipped-a.json"), Sink()).ship()
    (directory / "shipped-b.json").write_text('{"format":"launchworthy-audit-cursor/1","files":{}}')
    assert shipped(directory)[stream.path.name].offset == 0
    Shipper(directory, Cursor(directory / "shipped-b.json"), Sink()).ship()
    assert shipped(directory)[stream.path.name].offset == stream.path.stat().st_size


@pytest.mark.parametrize(
    "content", [b"", b"[]", b'{"format":"other/1","files":{"a":{}}}', b'{"files":{}}x', b"\xff"]
)
def test_a_cursor_of_something_else_is_a_problem_and_not_the_beginning(tmp_path, content):
    path = tmp_path / "shipped-x.json"
    path.write_bytes(content)
    with pytest.raises(ProblemError, match="bad-cursor"):
        read_positions(path)


def test_a_file_that_was_changed_is_not_shipped(stream):
    write(stream, 3)
    stream.path.write_bytes(stream.path.read_bytes().replace(b'{"data"', b'{ "data"', 1))
    sink = Sink()
    with pytest.raises(ProblemError, match="unreadable-audit"):
        shipper(stream, sink).ship()
    assert sink.lines == []


@pytest.mark.slow
def test_killed_again_and_again_it_leaves_nothing_out(stream, tmp_path):
    """Six SIGKILLs at random moments, while records are written."""
    dice = random.Random(7)  # noqa: S311 - moments, not secrets
    directory = stream.path.parent
    done = threading.Event()
    with Collector() as collector:
        command = [*SHIP, str(directory), "--to", "otlp", "--url", collector.url]
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
        number = 0
        for _ in range(6):
            before = len(collector.lines)
            with (tmp_path / "stderr").open("wb") as errors:
                process = subprocess.Popen(command, stderr=errors, env=environment)
            write(stream, 300, begin=number)
            number += 300
            wait_until(lambda before=before: len(collector.lines) > before, timeout=30)
            write(stream, 300, begin=number)
            number += 300
            done.wait(dice.random() / 20)
            process.send_signal(signal.SIGKILL)
            process.wait()
        assert run(directory, collector.url).exit_code == 0
        received = collector.lines
    assert set(written(stream)) == set(received)
    unique = list(dict.fromkeys(received))
    assert unique == written(stream)


def test_sigterm_ends_it_and_what_was_taken_is_noted(stream):
    write(stream, 3)
    with Collector() as collector:
        process = subprocess.Popen([*SHIP, str(stream.path.parent), "--to", "otlp", "--url", collector.url])
        wait_until(lambda: len(collector.lines) == 4, timeout=30)
        process.terminate()
        assert process.wait(30) == 0
    assert shipped(stream.path.parent)[stream.path.name].records == 4


def test_nobody_listens(stream):
    write(stream, 1)
    port = free_port()
    assert run(stream.path.parent, f"http://127.0.0.1:{port}").exit_code == 2
    assert Path(stream.path.parent / "shipped-otlp.json").exists() is False
