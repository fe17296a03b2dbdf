"""Traces and metrics: names of the conventions, nothing of arguments, and nothing where nobody asked."""

import json
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from server_orders import REHEARSAL

from launchworthy.testing.client import Refused
from launchworthy.testing.world import free_port, wait_until

pytestmark = pytest.mark.servers

pytest.importorskip("opentelemetry.sdk")
TRACE, SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"


class Collector(BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["content-length"]))
        self.server.taken.append((self.path, body.decode()))
        self.send_response(200)
        self.send_header("content-length", "2")
        self.end_headers()
        self.wfile.write(b"{}")

    def log_message(self, *_):
        pass


@pytest.fixture
def collector():
    with ThreadingHTTPServer(("127.0.0.1", 0), Collector) as server:
        server.taken = []
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def values(told):
    return {each["key"]: each["value"]["stringValue"] for each in told["attributes"]}


def test_calls_become_spans_and_numbers_with_bounded_names_and_no_argument(orders, collector):
    url = f"http://127.0.0.1:{collector.server_port}"
    with (
        orders.world(**REHEARSAL) as world,
        orders.server(world, LAUNCHWORTHY_TELEMETRY__ENDPOINT=url),
        world.client("orders:read") as caller,
    ):
        meta = {"traceparent": f"00-{TRACE}-{SPAN}-01"}
        caller.send(
            "tools/call", {"name": "find_orders", "arguments": {"customer": "c-17171717"}, "_meta": meta}
        )
        for number in range(20):
            with pytest.raises(Refused):
                caller.call(f"invented-{number}", customer="c-17")
        with pytest.raises(Refused):
            caller.call("place_order", customer="c-17171717", item="teapot")
    text = "".join(body for _, body in collector.taken)
    spans = [
        span
        for path, body in collector.taken
        if path == "/v1/traces"
        for resource in json.loads(body)["resourceSpans"]
        for scope in resource["scopeSpans"]
        for span in scope["spans"]
    ]
    [span] = spans
    assert (span["name"], span["kind"]) == ("tools/call find_orders", 2)
    told = values(span)
    assert told.pop("launchworthy.call")
    assert told == {
        "mcp.method.name": "tools/call",
        "gen_ai.tool.name": "find_orders",
        "gen_ai.operation.name": "execute_tool",
        "mcp.protocol.version": "2026-07-28",
    }
    assert span["traceId"] != TRACE
    assert span["links"] == [{"traceId": TRACE, "spanId": SPAN}]
    assert int(span["endTimeUnixNano"]) >= int(span["startTimeUnixNano"])
    metrics = {
        metric["name"]: metric
        for path, body in collector.taken
        if path == "/v1/metrics"
        for resource in json.loads(body)["resourceMetrics"]
        for scope in resource["scopeMetrics"]
        for metric in scope["metrics"]
    }
    [duration] = metrics["mcp.server.operation.duration"]["histogram"]["dataPoints"]
    assert (duration["count"], values(duration)["gen_ai.tool.name"]) == ("1", "find_orders")
    refusals = {
        values(point)["launchworthy.reason"]: point["asInt"]
        for point in metrics["launchworthy.refusals"]["sum"]["dataPoints"]
    }
    assert refusals == {"tool.unknown": "20", "tool.scope": "1"}
    assert int(metrics["launchworthy.audit.sealed"]["gauge"]["dataPoints"][0]["asInt"]) >= 0
    assert metrics["launchworthy.log.scrubbed"]["gauge"]["dataPoints"][0]["asInt"] == "0"
    for hidden in ("c-17171717", "invented-", "teapot"):
        assert hidden not in text


def test_a_collector_that_is_dead_stops_no_call(orders):
    port = free_port()
    with (
        orders.world(**REHEARSAL) as world,
        orders.server(world, LAUNCHWORTHY_TELEMETRY__ENDPOINT=f"http://127.0.0.1:{port}") as server,
        world.client("orders:read") as caller,
    ):
        assert caller.call("find_orders", customer="c-17") is not None
        wait_until(lambda: server.readiness()[0] == 200)


def test_where_nobody_asked_nothing_of_it_is_loaded():
    code = (
        "import sys, launchworthy.server.wiring, launchworthy.server.running\n"
        "print([name for name in sys.modules if name.startswith(('opentelemetry.sdk',"
        " 'launchworthy.server.telemetry'))])"
    )
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert shown.stdout == "[]\n"
