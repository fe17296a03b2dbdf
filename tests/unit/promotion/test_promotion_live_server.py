"""What does an authorization server that means harm come to, where a live run asks it?"""

import json
import ssl
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest

from launchworthy.probe.issuing import CannotMint
from launchworthy.promotion.live.authorization_server import AuthorizationServer, Unusable
from launchworthy.promotion.live.document import How, Step
from launchworthy.promotion.live.sign_in import SignIn
from launchworthy.promotion.live.through import row

MOST = 64
ESCAPES = "\x1b[2J\x07"
NOBODY = SignIn(show=lambda *_: None, wait=0.5)


class Harmful:
    """An authorization server that says what a test has it say."""

    def __init__(self) -> None:
        harmful = self
        self.endless = False
        self.poured = 0
        said = self.said = {"error": "invalid_target"}
        metadata: dict[str, Any] = {}

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self._send(200, metadata)

            def do_POST(self) -> None:
                self.rfile.read(int(self.headers["content-length"]))
                registers = self.path == "/register"
                self._send(*((201, {"client_id": "live"}) if registers else (400, said)))

            def _send(self, status: int, members: dict[str, Any]) -> None:
                content = json.dumps(members).encode()
                self.send_response(status)
                if harmful.endless and self.path == "/token":
                    self.end_headers()
                    self._pour()
                    return
                self.send_header("content-length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def _pour(self) -> None:
                """Write until nobody listens; no buffer on the way holds so much."""
                try:
                    for _ in range(MOST):
                        self.wfile.write(bytes(1 << 20))
                        harmful.poured += 1
                except OSError:
                    return

            def log_message(self, *_: object) -> None:
                """Print nothing."""

        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        self.issuer = f"http://127.0.0.1:{self.server.server_port}"
        places = {
            "jwks_uri": "keys",
            "token_endpoint": "token",
            "authorization_endpoint": "authorize",
            "registration_endpoint": "register",
        }
        self.metadata = metadata
        metadata.update(
            {name: f"{self.issuer}/{place}" for name, place in places.items()},
            issuer=self.issuer,
            grant_types_supported=["client_credentials", "authorization_code"],
            code_challenge_methods_supported=["S256"],
        )

    def token(self, sign_in: SignIn | None = None) -> str:
        asked = AuthorizationServer(
            self.issuer,
            verify=ssl.create_default_context(),
            simulated=True,
            clock=lambda: 1_790_000_000.0,
            sign_in=sign_in,
        )
        try:
            asked.discover()
            asked.weaknesses()
            asked.come_to_client(None, ("orders:read",))
            return asked.token("https://orders.acme.example/mcp", "orders:read")
        finally:
            asked.close()


@pytest.fixture
def harmful() -> Iterator[Harmful]:
    made = Harmful()
    thread = threading.Thread(target=made.server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield made
    finally:
        made.server.shutdown()
        made.server.server_close()
        thread.join(10)


def test_its_no_is_told_as_it_says_it(harmful: Harmful) -> None:
    with pytest.raises(CannotMint, match=r"gave no token for .* \(invalid_target\)$"):
        harmful.token()


def test_its_no_moves_no_cursor(harmful: Harmful) -> None:
    harmful.said["error"] = ESCAPES
    with pytest.raises(CannotMint) as caught:
        harmful.token()
    assert str(caught.value).isprintable()
    assert "\\u{1b}[2J" in str(caught.value)


def test_a_row_is_one_line_whoever_said_it() -> None:
    assert row(Step.SERVER, How.WRONG, f"it says {ESCAPES}\n  ok").says.isprintable()
    assert row(Step.SERVER, How.RIGHT, "it says nothing").says == "it says nothing"


@pytest.mark.parametrize("said", [None, 5, "S256", {"S256": True}, [None, ["S256"]]])
def test_what_is_no_list_of_methods_has_nobody_sign_in(harmful: Harmful, said: object) -> None:
    with pytest.raises(CannotMint, match="nobody came back"):
        harmful.token(NOBODY)
    harmful.metadata["code_challenge_methods_supported"] = said
    with pytest.raises(Unusable, match="PKCE"):
        harmful.token(NOBODY)


@pytest.mark.parametrize("said", [None, 5, "client_credentials", {"client_credentials": 1}])
def test_what_is_no_list_of_grants_has_nobody_ask(harmful: Harmful, said: object) -> None:
    harmful.metadata["grant_types_supported"] = said
    with pytest.raises(Unusable, match="no client credentials"):
        harmful.token()


def test_an_answer_without_an_end_is_not_read_to_it(harmful: Harmful) -> None:
    harmful.endless = True
    with pytest.raises(CannotMint, match=r"gave no token for https://orders.acme.example/mcp$"):
        harmful.token()
    harmful.server.shutdown()
    assert harmful.poured < MOST
