"""Receivers of records: a collector and a syslog server, which can be dead, slow, greedy or half-hearted."""

import json
import re
import socket
import socketserver
import ssl
import threading
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

MESSAGE = re.compile(
    rb"<(?P<priority>\d+)>1 (?P<time>\S+) (?P<host>\S+) launchworthy - (?P<type>\S+) "
    rb'\[launchworthy@32473 stream="(?P<stream>[0-9a-f]+)" seq="(?P<seq>\d+)"\] (?P<line>.*)',
    re.DOTALL,
)


class Collector:
    """OTLP/HTTP: keeps the bodies of what it was given; `answers` is what it says next, then 200."""

    def __init__(self):
        self.requests = []
        self.answers = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                told = json.loads(self.rfile.read(int(self.headers["content-length"])))
                status, body = outer.answers.pop(0) if outer.answers else (200, b"{}")
                if status == 200 and body == b"{}":
                    outer.requests.append((self.path, told))
                self.send_response(status)
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        self.thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.01})

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()

    @property
    def records(self):
        return [
            record
            for _, told in self.requests
            for resource in told["resourceLogs"]
            for scope in resource["scopeLogs"]
            for record in scope["logRecords"]
        ]

    @property
    def lines(self):
        return [record["body"]["stringValue"].encode() for record in self.records]


class SyslogServer:
    """RFC 5425: keeps what it was given; with `resets`, it ends connections without reading to the end."""

    def __init__(self, tls=None):
        self.messages = []
        self.resets = 0
        outer = self

        class Handler(socketserver.BaseRequestHandler):
            def handle(self):
                if outer.resets:
                    outer.resets -= 1
                    self.request.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
                    return
                connection = self.request if tls is None else tls.wrap_socket(self.request, server_side=True)
                received = b""
                while chunk := connection.recv(65536):
                    received += chunk
                outer.messages.extend(_framed(received))
                if tls is not None:
                    connection.unwrap()
                    connection.close()

        class Server(socketserver.ThreadingTCPServer):
            allow_reuse_address = True
            daemon_threads = True

            def handle_error(self, *_):
                pass

            def shutdown_request(self, request):
                request.close()  # as a process that dies: what is unread makes its system reset

        self.server = Server(("127.0.0.1", 0), Handler)
        self.port = self.server.server_address[1]
        self.thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.01})

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()

    @property
    def lines(self):
        return [message["line"] for message in self.messages]


def _framed(received):
    while received:
        size, _, rest = received.partition(b" ")
        message, received = rest[: int(size)], rest[int(size) :]
        found = MESSAGE.fullmatch(message)
        assert found is not None, message[:200]
        yield found


@contextmanager
def certificate(directory):
    """A server's certificate and key for 127.0.0.1, as files; its own root."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "receiver")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(minutes=1))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    roots, both = directory / "roots.pem", directory / "server.pem"
    pem = made.public_bytes(serialization.Encoding.PEM)
    roots.write_bytes(pem)
    both.write_bytes(
        pem
        + key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(both)
    yield roots, context
