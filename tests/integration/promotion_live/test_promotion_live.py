"""A live run against a deployment of the simulated world, behind proxies that are good, and that are not."""

import json
import re
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx2
import pytest
from deployed import copied, deployed, port_of
from joserfc.jwk import ECKey
from typer.testing import CliRunner

from launchworthy.cli.main import app
from launchworthy.promotion.live.document import DISPENSABLE, Step, read_document
from launchworthy.testing.issuer import SimulatedIssuer
from launchworthy.testing.proxy import Change, Passing, SimulatedProxy, unchanged
from launchworthy.testing.world import World

pytestmark = pytest.mark.slow


@dataclass(frozen=True)
class Place:
    """A deployment, and the proxy in front of it."""

    root: Path
    world: World
    proxy: SimulatedProxy

    def live(self, *options: str, change: Change = unchanged) -> tuple[int, dict[str, Any]]:
        """Run it through a proxy that changes something."""
        self.proxy.change = change
        arguments = ["promote", "--environment", "rehearsal", "--live", self.world.url, "--format", "json"]
        done = CliRunner().invoke(app, [*arguments, "--output", str(self.root / "out"), *options])
        said = (
            json.loads(done.stdout)
            if done.stdout.startswith("{")
            else {"said": done.output or repr(done.exception)}
        )
        return done.exit_code, said


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    root = copied(tmp_path_factory.mktemp("deployed") / "orders")
    scratch = tmp_path_factory.mktemp("world")
    with (
        deployed(root, scratch) as (world, behind),
        SimulatedProxy(behind, port=port_of(world.url)) as proxy,
        pytest.MonkeyPatch.context() as patch,
    ):
        patch.chdir(root)
        yield Place(root=root, world=world, proxy=proxy)


def wrong(said: dict[str, Any]) -> set[str]:
    return {each["step"] for each in said["rows"] if each["how"] == "wrong"}


def test_a_good_deployment_holds_from_its_documents_to_its_canary(place: Place) -> None:
    code, said = place.live()
    assert (code, wrong(said)) == (0, set()), said
    right = {each["step"] for each in said["rows"] if each["how"] == "right"}
    assert right >= {step.value for step in Step if step not in DISPENSABLE}
    file = place.root / "out" / "live-rehearsal.json"
    run = read_document(file.read_bytes(), where="live-rehearsal.json")
    assert run.canary is not None
    assert run.url == place.world.url
    assert "eyJ" not in file.read_text().replace(run.canary.sighting, ""), "no token is kept"


def test_nothing_is_called(place: Place) -> None:
    place.world.executions.taken()
    code, _ = place.live()
    assert (code, place.world.executions.taken()) == (0, 0)


def swapping(place: Place) -> Change:
    other = place.world.token(*place.world.scopes).reveal()
    return lambda passing: (
        passing.instead("Authorization", f"Bearer {other}") if passing.values("authorization") else passing
    )


def renaming(passing: Passing) -> Passing:
    return passing.instead("Host", "orders.internal.invalid")


BROKEN: dict[str, tuple[Callable[[Place], Change], set[str]]] = {
    "strips the token": (lambda _: lambda passing: passing.without("Authorization"), {"through"}),
    "puts its own token in": (swapping, {"canary", "probe"}),
    "drops the canary": (lambda _: lambda passing: passing.without("Launchworthy-Canary"), {"canary"}),
    "rewrites Host": (lambda _: renaming, {"metadata"}),
    "speaks the older revision": (
        lambda _: lambda passing: passing.instead("MCP-Protocol-Version", "2025-11-25"),
        {"through"},
    ),
}


@pytest.mark.parametrize(("change", "steps"), BROKEN.values(), ids=list(BROKEN))
def test_a_broken_proxy_is_seen(place: Place, change: Callable[[Place], Change], steps: set[str]) -> None:
    code, said = place.live(change=change(place))
    assert code in {1, 2}
    assert steps <= wrong(said), said["rows"]


def test_an_issuer_that_has_another_name_is_not_asked(place: Place) -> None:
    place.world.issuer.faults.metadata = {"issuer": f"{place.world.issuer.issuer}/"}
    try:
        code, said = place.live()
    finally:
        place.world.issuer.faults.clear()
    assert (code, wrong(said)) == (1, {"authorization-server"})


def test_an_issuer_without_client_credentials_says_what_a_person_does(place: Place) -> None:
    place.world.issuer.faults.metadata = {"grant_types_supported": ["authorization_code"]}
    try:
        code, said = place.live()
    finally:
        place.world.issuer.faults.clear()
    persons = [each["person"] for each in said["rows"] if each["person"]]
    assert code == 2
    assert "--token-command" in persons[0]


def test_a_command_gives_tokens_where_a_person_signs_in(place: Place, tmp_path: Path) -> None:
    token = tmp_path / "token"
    token.write_text(place.world.token(*place.world.scopes).reveal())
    code, said = place.live("--token-command", f"/bin/cat {token}")
    assert (code, wrong(said)) == (0, set()), said
    assert {each["step"]: each["how"] for each in said["rows"]}["registration"] == "not_run"


def browse(monkeypatch: pytest.MonkeyPatch, answer: str) -> list[str]:
    """Let a person answer each page that is opened; returns the addresses of the pages."""
    opened: list[str] = []

    def walk(url: str) -> None:
        with httpx2.Client(trust_env=False) as browser:
            sent = browser.get(url)
            handle = re.search(r'name="request" value="([^"]+)"', sent.text)
            if handle is not None:  # nobody is asked about what is refused anyway
                form = {"request": handle[1], "answer": answer}
                sent = browser.post(url.partition("?")[0], data=form)
            browser.get(sent.headers["location"])

    def show(url: str) -> None:
        opened.append(url)
        threading.Thread(target=walk, args=(url,), daemon=True).start()

    monkeypatch.setattr("webbrowser.open", show)
    return opened


def test_a_person_signs_in_once_for_each_token(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    opened = browse(monkeypatch, "yes")
    code, said = place.live("--sign-in")
    assert (code, wrong(said)) == (0, set()), said
    asked = [parse_qs(urlsplit(each).query) for each in opened]
    assert all(each["code_challenge_method"] == ["S256"] and "resource" in each for each in asked)
    assert len({each["code_challenge"][0] for each in asked}) == len(asked), "each code has its own secret"
    rows = {each["step"]: each["says"] for each in said["rows"]}
    assert rows["registration"].startswith("registered itself (RFC 7591)")
    assert (
        rows["issuance"]
        == f"a bearer token for {place.world.url}, for a code that a person brought, with PKCE"
    )
    assert rows["validation"].startswith("all the rules of the server hold: a person with")


def test_a_person_who_says_no_is_a_failure_with_a_name(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    browse(monkeypatch, "no")
    code, said = place.live("--sign-in")
    assert (code, wrong(said)) == (1, {"issuance"})
    assert "access_denied" in str(said["rows"])


@pytest.mark.parametrize(
    ("metadata", "says"),
    [
        ({"code_challenge_methods_supported": ["plain"]}, "does not say that it verifies PKCE (S256)"),
        ({"grant_types_supported": ["client_credentials"]}, "gives no tokens for codes"),
        ({"authorization_endpoint": "https://elsewhere.invalid/authorize"}, "authorization_endpoint"),
    ],
)
def test_nobody_is_asked_to_sign_in_where_that_proves_nothing(
    place: Place, monkeypatch: pytest.MonkeyPatch, metadata: dict[str, Any], says: str
) -> None:
    opened = browse(monkeypatch, "yes")
    place.world.issuer.faults.metadata = metadata
    try:
        code, said = place.live("--sign-in")
    finally:
        place.world.issuer.faults.clear()
    assert (code, wrong(said), opened) == (1, {"registration"}, [])
    assert says in str(said["rows"])


@pytest.mark.parametrize(("change", "steps"), BROKEN.values(), ids=list(BROKEN))
def test_a_broken_proxy_is_seen_where_a_person_signs_in(
    place: Place,
    monkeypatch: pytest.MonkeyPatch,
    change: Callable[[Place], Change],
    steps: set[str],
) -> None:
    browse(monkeypatch, "yes")
    code, said = place.live("--sign-in", change=change(place))
    assert code in {1, 2}
    assert steps <= wrong(said), said["rows"]


def test_a_client_that_is_known_is_used(place: Place, tmp_path: Path) -> None:
    client = place.world.issuer.client
    file = tmp_path / "client.json"
    file.touch(mode=0o600)
    file.write_text(json.dumps(client.key.as_dict(private=True)))
    code, said = place.live("--client", client.client_id, "--client-key", str(file))
    assert (code, wrong(said)) == (0, set()), said
    file.chmod(0o644)
    code, said = place.live("--client", client.client_id, "--client-key", str(file))
    assert (code, "can be read by others" in said["said"]) == (2, True)


def test_another_issuers_key_is_no_client(place: Place, tmp_path: Path) -> None:
    file = tmp_path / "client.pem"
    file.touch(mode=0o600)
    file.write_bytes(ECKey.generate_key("P-256").as_pem(private=True))
    code, said = place.live("--client", place.world.issuer.client.client_id, "--client-key", str(file))
    assert (code, wrong(said)) == (1, {"issuance"})


def test_a_server_that_says_it_is_another_gets_no_token(place: Place) -> None:
    asked = place.world.issuer.counts["token"]
    lying = SimulatedIssuer({place.world.url: place.world.scopes})

    def elsewhere(passing: Passing) -> Passing:
        return passing.instead("Host", "probe.invalid") if ".well-known" in passing.line else passing

    code, said = place.live(change=elsewhere)
    assert lying.issuer
    assert (code, "metadata" in wrong(said)) == (1, True)
    assert place.world.issuer.counts["token"] == asked


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--environment", "production", "--live", "https://elsewhere.example/mcp"], "live-elsewhere"),
        (["--environment", "rehearsal", "--live", "https://elsewhere.example/mcp"], "live-elsewhere"),
        (["--live", "http://orders.acme.example/mcp"], "probe-plain-http"),
        (["--client", "x"], "live-option"),
        (["--live", "https://orders.acme.example/mcp", "--client", "x"], "live-client"),
        (["--sign-in"], "live-option"),
        (["--live", "https://orders.acme.example/mcp", "--sign-in", "--token-command", "x"], "live-option"),
    ],
)
@pytest.mark.usefixtures("place")
def test_what_was_typed_wrong_is_said(arguments: list[str], says: str) -> None:
    done = CliRunner().invoke(app, ["promote", *arguments])
    assert (done.exit_code, says in done.output) == (2, True), done.output
