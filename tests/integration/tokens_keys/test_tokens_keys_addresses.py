"""The address that was judged is the one connected to, and TLS still demands the host's own certificate."""

import asyncio
import socket
import ssl
import threading
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from launchworthy.tokens.endpoint import Endpoint, EndpointError, read_endpoint
from launchworthy.tokens.fetch import Fetcher, FetchError, Network
from launchworthy.tokens.fetch import resolve as system_resolve

HOST = "login.acme.example"


class Handler(BaseHTTPRequestHandler):
    """Answers every GET, and remembers what it was asked for."""

    asked: list[tuple[str, str | None]] = []  # noqa: RUF012 - one server a test

    def do_GET(self) -> None:
        self.asked.append((self.path, self.headers["Host"]))
        body = b'{"keys": []}'
        self.send_response(200)
        self.send_header("Content-Type", "application/json; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Stay quiet."""


def certificate(name: str, folder: Path) -> Path:
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(minutes=1))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path = folder / f"{name}.pem"
    path.write_bytes(private + made.public_bytes(serialization.Encoding.PEM))
    return path


@pytest.fixture
def https(tmp_path: Path) -> Iterator[tuple[int, ssl.SSLContext]]:
    """A server that holds the host's certificate on loopback; its port, and who trusts it."""
    pem = certificate(HOST, tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem)
    Handler.asked = []
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=lambda: server.serve_forever(poll_interval=0.01))
    thread.start()
    yield server.server_port, ssl.create_default_context(cafile=str(pem))
    server.shutdown()
    server.server_close()
    thread.join()


class Names:
    """A resolver that answers as a test says, and counts."""

    def __init__(self, **names: Sequence[str]) -> None:
        self.names = {name.replace("_", "."): addresses for name, addresses in names.items()}
        self.asked: list[str] = []

    async def __call__(self, host: str, _port: int) -> Sequence[str]:
        self.asked.append(host)
        if host not in self.names:
            raise FetchError(f"the host `{host}` cannot be resolved")
        return self.names[host]


def read(url: str) -> Endpoint:
    return read_endpoint(url, allow_loopback_http=False, query=True)


def fetcher(names: Names, tls: ssl.SSLContext, *, loopback: bool, own: str = HOST) -> Fetcher:
    network = Network(resolve=names, tls=tls, seconds=5)
    return Fetcher(read(f"https://{own}"), network, loopback=loopback)


def fetched(names: Names, tls: ssl.SSLContext, url: str) -> dict[str, object]:
    """Over TLS in the simulated world, whose one address is where a test may listen."""
    return asyncio.run(fetcher(names, tls, loopback=True).get(read(url)))


def test_the_name_is_resolved_once_and_tls_and_host_still_name_it(https: tuple[int, ssl.SSLContext]) -> None:
    port, tls = https
    names = Names(login_acme_example=["127.0.0.1"])
    assert fetched(names, tls, f"https://{HOST}:{port}/keys?p=1") == {"keys": []}
    assert Handler.asked == [("/keys?p=1", f"{HOST}:{port}")]
    assert names.asked == [HOST]


def test_a_host_without_its_own_certificate_is_refused(https: tuple[int, ssl.SSLContext]) -> None:
    port, tls = https
    names = Names(evil_example=["127.0.0.1"])
    with pytest.raises(FetchError, match="no connection"):
        fetched(names, tls, f"https://evil.example:{port}/keys")
    with pytest.raises(FetchError, match="no connection"):
        fetched(
            Names(login_acme_example=["127.0.0.1"]),
            ssl.create_default_context(),
            f"https://{HOST}:{port}/keys",
        )
    assert Handler.asked == []


def test_the_next_address_is_tried_where_the_first_does_not_connect(
    https: tuple[int, ssl.SSLContext],
) -> None:
    port, tls = https
    names = Names(login_acme_example=["127.0.0.2", "127.0.0.1"])
    assert fetched(names, tls, f"https://{HOST}:{port}/keys") == {"keys": []}


def test_proxies_of_the_environment_are_not_used(
    https: tuple[int, ssl.SSLContext], monkeypatch: pytest.MonkeyPatch
) -> None:
    port, tls = https
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "https_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    assert fetched(Names(login_acme_example=["127.0.0.1"]), tls, f"https://{HOST}:{port}/x") == {"keys": []}


@pytest.mark.parametrize(
    ("addresses", "why"),
    [
        (["169.254.169.254"], "never"),
        (["93.184.216.34", "169.254.169.254"], "never"),
        (["::ffff:169.254.169.254"], "never"),
        (["fd00:ec2::254"], "never"),
        (["127.0.0.1"], "loopback"),
        (["0.0.0.0"], "never"),  # noqa: S104 - judged, not bound
        ([], "no address"),
    ],
)
def test_a_name_that_leads_inside_is_not_connected_to(
    https: tuple[int, ssl.SSLContext], addresses: list[str], why: str
) -> None:
    port, tls = https
    real = fetcher(Names(login_acme_example=addresses), tls, loopback=False)
    with pytest.raises(EndpointError, match=why):
        asyncio.run(real.get(read(f"https://{HOST}:{port}/keys")))
    assert Handler.asked == []


@pytest.mark.parametrize("address", ["93.184.216.34", "10.0.0.1", "169.254.169.254"])
def test_the_simulated_world_ends_at_this_machine(address: str) -> None:
    with pytest.raises(EndpointError):
        fetched(
            Names(login_acme_example=["127.0.0.1", address]), ssl.create_default_context(), f"https://{HOST}/"
        )


def test_another_host_may_be_private_only_where_the_issuers_own_is() -> None:
    tls = ssl.create_default_context()

    def outcome(own: list[str] | None) -> type[Exception]:
        names = Names(
            keys_acme_example=["10.255.255.1"], **({} if own is None else {"login_acme_example": own})
        )
        real = fetcher(names, tls, loopback=False)

        async def attempt() -> None:
            async with asyncio.timeout(0.2):
                await real.get(read("https://keys.acme.example/keys"))

        with pytest.raises((EndpointError, FetchError, TimeoutError)) as error:
            asyncio.run(attempt())
        return error.type

    assert outcome(["93.184.216.34"]) is EndpointError
    assert outcome(["10.0.0.1", "93.184.216.34"]) is EndpointError
    assert outcome(None) is EndpointError
    assert outcome([]) is EndpointError
    assert outcome(["10.0.0.1"]) is not EndpointError


def test_an_answer_that_breaks_off_is_an_error_and_the_next_address_is_not_tried() -> None:
    asked: list[bytes] = []

    def break_off(listener: socket.socket) -> None:
        connection, _ = listener.accept()
        with connection:
            asked.append(connection.recv(4096))
            connection.sendall(
                b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 9\r\n\r\n{"
            )

    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(5)
        thread = threading.Thread(target=break_off, args=(listener,))
        thread.start()
        url = f"http://localhost:{listener.getsockname()[1]}/keys"
        own = read_endpoint(url, allow_loopback_http=True, query=False)
        network = Network(
            resolve=Names(localhost=["127.0.0.1", "127.0.0.2"]), tls=ssl.create_default_context(), seconds=5
        )
        with pytest.raises(FetchError, match="broke off"):
            asyncio.run(Fetcher(own, network, loopback=True).get(own))
        thread.join()
    assert len(asked) == 1
    assert b"accept-encoding: identity" in asked[0].lower()
    assert b"cookie" not in asked[0].lower()


def test_a_name_that_nobody_knows_is_an_error_of_the_moment() -> None:
    with pytest.raises(FetchError, match="cannot be resolved"):
        asyncio.run(system_resolve("nowhere.invalid", 443))
    assert asyncio.run(system_resolve("localhost", 443))
