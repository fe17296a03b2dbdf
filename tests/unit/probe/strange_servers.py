"""Small servers that answer as a test says, and a probe of them; and sockets that answer in bytes."""

import json
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from launchworthy.probe.issuing import CannotMint
from launchworthy.probe.probing import Asked, Probing, read_cases
from launchworthy.probe.report import Report
from launchworthy.probe.token_command import CommandIssuer
from launchworthy.probe.wire import Bounds

GOOD = "an-opaque-token-that-is-good"
QUICK = Bounds(per_second=10_000, requests=5000, seconds=60, answer_seconds=2)
FEW = (
    *("metadata", "challenge", "credentials.none", "credentials.no-jwt", "credentials.lower-case"),
    *("http.host", "http.origin", "http.jsonp", "http.not-json", "protocol.method", "protocol.downgrade"),
    "methods.tools",
)
METADATA = "/.well-known/oauth-protected-resource/mcp"


@dataclass
class Sent:
    """A request as it came in."""

    method: str
    path: str
    headers: list[tuple[str, str]]
    body: bytes

    def values(self, name: str) -> list[str]:
        return [value for each, value in self.headers if each.lower() == name]

    @property
    def message(self) -> dict[str, Any]:
        found = json.loads(self.body or b"{}")
        return found if isinstance(found, dict) else {}


@dataclass
class Given:
    """An answer."""

    status: int
    body: bytes = b"{}"
    headers: dict[str, str] = field(default_factory=lambda: {"content-type": "application/json"})


Answering = Callable[[Sent, str], Given | None]


@contextmanager
def serving(answering: Answering, tls: ssl.SSLContext | None = None) -> Iterator[tuple[str, list[Sent]]]:
    """Serve on loopback; an answer of None closes the connection. Yields the URL and what came in."""
    seen: list[Sent] = []

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def log_message(self, *_: object) -> None:
            """Say nothing."""

        def answer(self) -> None:
            length = int(self.headers.get("content-length") or 0)
            body = self.rfile.read(length) if length else b""
            sent = Sent(self.command, self.path, list(self.headers.items()), body)
            seen.append(sent)
            given = answering(sent, url)
            if given is None:
                self.close_connection = True
                return
            self.send_response(given.status)
            for name, value in given.headers.items():
                self.send_header(name, value)
            self.send_header("content-length", str(len(given.body)))
            self.end_headers()
            self.wfile.write(given.body)

        do_GET = do_POST = do_DELETE = do_OPTIONS = do_HEAD = answer  # noqa: N815 - http.server's names

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    url = f"{'http' if tls is None else 'https'}://127.0.0.1:{server.server_address[1]}/mcp"
    if tls is not None:
        server.socket = tls.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
        server.handle_error = lambda *_: None
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield url, seen
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)


@contextmanager
def dripping(first: bytes, then: bytes, every: float = 0.05) -> Iterator[str]:
    """A listener that sends some bytes, and then the same few again and again, whatever it is asked."""
    listener = socket.create_server(("127.0.0.1", 0))
    ended = threading.Event()

    def drip() -> None:
        while not ended.is_set():
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            with connection:
                try:
                    connection.recv(65536)
                    connection.sendall(first)
                    while then and not ended.wait(every):
                        connection.sendall(then)
                except OSError:
                    continue

    thread = threading.Thread(target=drip, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/mcp"
    finally:
        ended.set()
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join(5)


def metadata(url: str, **changes: Any) -> Given:
    document = {"resource": url, "authorization_servers": ["https://login.acme.example"], **changes}
    return Given(200, json.dumps(document).encode())


def refusal(url: str, status: int = 401, error: str | None = None, scope: str = "foil:use") -> Given:
    named = url.replace("/mcp", METADATA)
    said = f'error="{error}", ' if error else ""
    challenge = f'Bearer {said}scope="{scope}", resource_metadata="{named}"'
    return Given(status, b"{}", {"content-type": "application/json", "www-authenticate": challenge})


def result(sent: Sent, **result: Any) -> Given:
    body = {"jsonrpc": "2.0", "id": sent.message.get("id"), "result": result or {"tools": []}}
    return Given(200, json.dumps(body).encode())


def strict(sent: Sent, url: str) -> Given | None:
    """A server of the revision 2026-07-28 that gets everything right that opaque tokens can show."""
    if sent.method == "GET":
        return metadata(url) if sent.path == METADATA else Given(405 if sent.path == "/mcp" else 404)
    values = sent.values("authorization")
    if len(values) > 1 or "access_token=" in sent.path:
        return refusal(url, 400, "invalid_request")
    scheme, _, token = (values or [""])[0].partition(" ")
    if scheme.lower() != "bearer":
        return refusal(url)
    if token != GOOD:
        return refusal(url, error="invalid_token")
    return answered(sent, url)


def answered(sent: Sent, url: str) -> Given:
    """What `strict` answers to who has a good token."""
    host = url.split("/")[2]
    if sent.values("host") != [host] or sent.values("origin") or sent.method != "POST":
        return Given(403 if sent.method == "POST" else 405)
    if sent.values("content-type") != ["application/json"]:
        return Given(415)
    try:
        body = json.loads(sent.body, object_pairs_hook=_once)
    except (ValueError, RecursionError):
        body = None
    if not isinstance(body, dict) or body.get("jsonrpc") != "2.0" or "deep" in body:
        return Given(400)
    return _decided(sent, body)


def _decided(sent: Sent, body: dict[str, Any]) -> Given:
    version = body.get("params", {}).get("_meta", {}).get("io.modelcontextprotocol/protocolVersion")
    named = {"mcp-protocol-version": version, "mcp-method": body.get("method")}
    if any(sent.values(name) != [value] for name, value in named.items()):
        return error(-32020 if version else -32602)
    if version != "2026-07-28":
        return error(-32022)
    if body["method"] not in {"tools/list", "server/discover", "resources/list", "prompts/list"}:
        return error(-32601, 404)
    return result(sent)


def error(code: int, status: int = 400) -> Given:
    body = {"jsonrpc": "2.0", "id": None, "error": {"code": code, "message": "no"}}
    return Given(status, json.dumps(body).encode())


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len({name for name, _ in pairs}) != len(pairs):
        raise ValueError("a name twice")
    return dict(pairs)


def asked(url: str, issuer: Any, *, bounds: Bounds, tools: tuple[Any, ...], only: tuple[str, ...]) -> Asked:
    def find(_: Any) -> Any:
        if issuer is None:
            raise CannotMint("there is no way to get tokens")
        return issuer

    return Asked(
        url=url,
        tools=tools,
        tokens="none" if issuer is None else "command",
        find_issuer=find,
        issuer=None,
        bounds=bounds,
        verify=ssl.create_default_context(),
        progress=lambda *_: None,
        only=read_cases(only),
    )


def probed(
    url: str,
    *,
    token: str | None = GOOD,
    bounds: Bounds = QUICK,
    tools: tuple[Any, ...] = (),
    only: tuple[str, ...] = FEW,
) -> Report:
    """Probe a server with one token for everything."""
    issuer = None if token is None else CommandIssuer(f"/bin/echo {token}", url, lambda: 1_795_000_000, {})
    probing = Probing(asked=asked(url, issuer, bounds=bounds, tools=tools, only=only))
    probing.run()
    return probing.report()
