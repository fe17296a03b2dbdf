"""The audit's files of a real server: anchored elsewhere, shipped, and deleted after their time."""

import json
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from server_orders import REHEARSAL, records, types
from typer.testing import CliRunner

from launchworthy.audit.anchors import read_anchors
from launchworthy.cli.main import app
from launchworthy.testing.world import wait_until

pytestmark = pytest.mark.servers

DECLARED = """anchor    = "file"
anchor_file = "/var/log/anchor/checkpoints.jsonl"
spool_mib = 64
keep      = "1s"
"""


class Taken(BaseHTTPRequestHandler):
    def do_POST(self):
        self.rfile.read(int(self.headers["content-length"]))
        self.send_response(200)
        self.send_header("content-length", "2")
        self.end_headers()
        self.wfile.write(b"{}")

    def log_message(self, *_):
        pass


def ship(world):
    with HTTPServer(("127.0.0.1", 0), Taken) as collector:
        thread = threading.Thread(target=collector.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        url = f"http://127.0.0.1:{collector.server_port}"
        asked = ["audit", "ship", str(world.audit_directory), "--to", "otlp", "--url", url, "--once"]
        assert CliRunner().invoke(app, asked).exit_code == 0
        collector.shutdown()
        thread.join()


def test_a_file_that_was_shipped_and_anchored_is_deleted_after_its_time_and_another_is_not(orders):
    orders.edit("config/production.toml", 'anchor    = "stdout"\n', DECLARED)
    with orders.world(**REHEARSAL, anchor="file") as world:
        with orders.server(world):
            pass
        [first] = sorted(world.audit_directory.glob("*.jsonl"))
        ship(world)
        with orders.server(world):
            pass
        notes = read_anchors(world.anchor_file.read_text().splitlines())
        with orders.server(world) as server:
            wait_until(lambda: "stream.deleted" in types(world), timeout=10, what="the deletion")
            assert "audit.checkpoint" in server.stdout
        rest = sorted(world.audit_directory.glob("*.jsonl"))
    assert first not in rest
    assert len(rest) == 2
    [told] = [each["data"] for each in records(world) if each["type"] == "launchworthy.stream.deleted.v1"]
    assert told["deleted"] == first.name[-38:-6]
    assert told["shipped"] == told["anchored"] == told["size"]
    assert len(notes) >= 4
    assert json.loads((world.audit_directory / "anchored.json").read_text()).keys() == {
        path.name[-38:-6] for path in rest
    }
