"""A live run through nginx, with tokens of oidc-provider: right, and configured wrong in the usual ways.

Each way to a client is one of MCP's: it registers itself, it is named by its document, it was registered
before; and either it asks for itself, or somebody signs in at the provider's pages.
"""

import json
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from foreign_issuer import ask_nobody
from nginx import GOOD, Nginx, find_nginx
from typer.testing import CliRunner

from launchworthy.cli.main import app
from launchworthy.cli.probe import believed
from launchworthy.probe.cases.audience import SOMEBODY_ELSE
from launchworthy.probe.issuing import CannotMint
from launchworthy.promotion.live.authorization_server import AuthorizationServer, KnownClient
from launchworthy.promotion.live.document import DISPENSABLE, Step
from launchworthy.promotion.live.sign_in import SignIn
from launchworthy.testing.world import World

TESTS = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(TESTS / "integration" / "promotion_live"), str(TESTS / "interop" / "oidc_provider")]
from deployed import copied, deployed  # noqa: E402 - they lie beside their own tests
from foreign_provider import (  # noqa: E402
    DOCUMENT_OF_MACHINE,
    DOCUMENT_OF_PERSON,
    Person,
    Provider,
)

pytestmark = pytest.mark.foreign


@dataclass(frozen=True)
class Place:
    """The example with tokens of oidc-provider, and where it really listens."""

    root: Path
    world: World
    behind: str
    provider: Provider
    nginx: str

    def live(self, folder: Path, *lines: str, options: tuple[str, ...] = ()) -> tuple[int, dict[str, Any]]:
        """Run it through nginx with these lines; whoever is asked to sign in does so."""
        nginx = Nginx(self.nginx, folder, public=self.world.url, behind=self.behind, lines=lines)
        with pytest.MonkeyPatch.context() as patch, nginx:
            patch.setattr("webbrowser.open", self.browse)
            arguments = [
                "promote",
                "--environment",
                "rehearsal",
                "--live",
                self.world.url,
                "--format",
                "json",
            ]
            done = CliRunner().invoke(app, [*arguments, "--output", str(folder), *options])
        return done.exit_code, json.loads(done.stdout)

    def browse(self, url: str) -> None:
        """A person with a browser."""
        threading.Thread(target=Person(self.provider).walk, args=(url,), daemon=True).start()

    def options(self, way: str, folder: Path) -> tuple[str, ...]:
        """What is typed for one way to a client."""
        key = folder / "client.json"
        key.touch(mode=0o600)
        known = self.provider.hosted if way == "document" else self.provider.agent
        key.write_text(json.dumps(known.key.as_dict(private=True)))
        with_key = ("--client", known.client_id, "--client-key", str(key))
        return {
            "registers itself": (),
            "document": with_key,
            "known": with_key,
            "person, registers itself": ("--sign-in",),
            "person, document": ("--sign-in", "--client", DOCUMENT_OF_PERSON),
        }[way]


WAYS = {
    "registers itself": "registered itself (RFC 7591)",  # and it was taken back (RFC 7592)
    "document": f"the document {DOCUMENT_OF_MACHINE} (CIMD)",
    "known": "`agent-with-a-key` was registered before",
    "person, registers itself": "registered itself (RFC 7591)",
    "person, document": f"the document {DOCUMENT_OF_PERSON} (CIMD)",
}


@pytest.fixture(scope="session")
def place(node, tmp_path_factory) -> Iterator[Place]:
    nginx = find_nginx()
    if nginx is None:
        pytest.skip("nginx is not here; Debian has it as `nginx-light`")
    root = copied(tmp_path_factory.mktemp("deployed") / "orders")
    ask_nobody(root)
    with ExitStack() as stack:
        started: list[Provider] = []

        def issuer(resource: str, scopes: tuple[str, ...]) -> dict[str, Any]:
            provider = Provider(node, resource, scopes, others=(SOMEBODY_ELSE,))
            started.append(stack.enter_context(provider))
            return {"issuer": provider.issuer, "algorithms": ["ES256"]}

        world, behind = stack.enter_context(deployed(root, tmp_path_factory.mktemp("world"), issuer=issuer))
        patch = stack.enter_context(pytest.MonkeyPatch.context())
        patch.chdir(root)
        yield Place(root=root, world=world, behind=behind, provider=started[0], nginx=nginx)


def steps(said: dict[str, Any], how: str) -> set[str]:
    return {each["step"] for each in said["rows"] if each["how"] == how}


@pytest.mark.parametrize("way", WAYS)
def test_behind_nginx_everything_holds(place: Place, tmp_path: Path, way: str) -> None:
    code, said = place.live(tmp_path, *GOOD, options=place.options(way, tmp_path))
    assert (code, steps(said, "wrong")) == (0, set()), said["rows"]
    assert steps(said, "right") >= {step.value for step in Step if step not in DISPENSABLE}
    assert {"registration", "wrong-audience", "missing-scope"} <= steps(said, "right"), (
        "a real issuer gives all three"
    )
    rows = {each["step"]: each["says"] for each in said["rows"]}
    assert rows["registration"] == WAYS[way]
    assert ("a person brought, with PKCE" in rows["issuance"]) is way.startswith("person")


NOBODYS = "https://agent.acme.example/nobody.json"


def test_a_document_that_nobody_can_read_is_a_failure_with_a_name(place: Place, tmp_path: Path) -> None:
    _, _, *key = place.options("document", tmp_path)
    code, said = place.live(tmp_path, *GOOD, options=("--client", NOBODYS, *key))
    assert (code, steps(said, "wrong")) == (1, {"issuance"}), said["rows"]
    assert "(invalid_client)" in str(said["rows"])


def test_a_document_whose_key_is_anothers_is_a_failure_with_a_name(place: Place, tmp_path: Path) -> None:
    *options, file = place.options("document", tmp_path)
    Path(file).write_text(json.dumps(place.provider.agent.key.as_dict(private=True)))
    code, said = place.live(tmp_path, *GOOD, options=(*options, file))
    assert (code, steps(said, "wrong")) == (1, {"issuance"}), said["rows"]


def test_who_is_shown_an_error_by_the_provider_is_not_waited_for_for_ever(place: Place) -> None:
    shown: list[str] = []
    server = AuthorizationServer(
        place.provider.issuer,
        verify=believed(None),
        simulated=True,
        clock=time.time,
        sign_in=SignIn(show=lambda _, address: shown.append(address), wait=0.5),
    )
    server.discover()
    server.come_to_client(KnownClient(client_id=NOBODYS, key=None), ("orders:read",))
    with pytest.raises(CannotMint, match="nobody came back"):
        server.token(place.world.url, "orders:read")
    server.close()
    assert place.provider.http.get(shown[0]).status_code == 400


BROKEN: dict[str, tuple[tuple[str, ...], set[str]]] = {
    "names the server behind it in Host": ((), {"metadata"}),
    "strips the token": ((*GOOD, 'proxy_set_header Authorization "";'), {"through"}),
    "drops the canary on its way": ((*GOOD, 'proxy_set_header Launchworthy-Canary "";'), {"canary"}),
    "hides the answer to it": ((*GOOD, "proxy_hide_header Launchworthy-Canary;"), {"canary"}),
    "speaks the older revision": (
        (*GOOD, "proxy_set_header MCP-Protocol-Version 2025-11-25;"),
        {"through", "canary"},
    ),
}


@pytest.mark.parametrize("way", ["registers itself", "document", "person, document"])
@pytest.mark.parametrize(("lines", "wrong"), BROKEN.values(), ids=list(BROKEN))
def test_a_proxy_that_is_configured_wrong_is_named(
    place: Place, tmp_path: Path, lines: tuple[str, ...], wrong: set[str], way: str
) -> None:
    code, said = place.live(tmp_path, *lines, options=place.options(way, tmp_path))
    assert code == 1
    assert wrong <= steps(said, "wrong"), said["rows"]


def test_a_gateway_that_puts_in_its_own_token_is_named(place: Place, tmp_path: Path) -> None:
    own = place.provider.token(" ".join(place.world.scopes))
    swap = ('set $own "";', f'if ($http_authorization) {{ set $own "Bearer {own}"; }}')
    code, said = place.live(tmp_path, *GOOD, *swap, "proxy_set_header Authorization $own;")
    canary = [each["says"] for each in said["rows"] if each["step"] == "canary"]
    assert code == 1
    assert "another token than was sent" in canary[0]


def test_a_gateway_that_lends_everybody_its_own_token_is_named(place: Place, tmp_path: Path) -> None:
    own = place.provider.token(" ".join(place.world.scopes))
    code, said = place.live(tmp_path, *GOOD, f'proxy_set_header Authorization "Bearer {own}";')
    assert code == 1
    assert any("credentials.none" in each["says"] for each in said["rows"] if each["how"] == "wrong")


def test_identities_that_a_gateway_adds_change_nothing(place: Place, tmp_path: Path) -> None:
    added = (
        "X-Forwarded-User root",
        "X-Remote-User root",
        "X-Forwarded-Client-Cert root",
        "Forwarded for=root",
    )
    code, said = place.live(tmp_path, *GOOD, *(f"proxy_set_header {each};" for each in added))
    assert (code, steps(said, "wrong")) == (0, set()), said["rows"]
