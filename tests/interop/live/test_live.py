"""A live run through nginx, with tokens of oidc-provider: right, and configured wrong in the usual ways."""

import json
import sys
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
from launchworthy.probe.cases.audience import SOMEBODY_ELSE
from launchworthy.promotion.live.document import DISPENSABLE, Step
from launchworthy.testing.world import World

TESTS = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(TESTS / "integration" / "promotion_live"), str(TESTS / "interop" / "oidc_provider")]
from deployed import copied, deployed  # noqa: E402 - they lie beside their own tests
from foreign_provider import Provider  # noqa: E402

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
        """Run it through nginx with these lines."""
        with Nginx(self.nginx, folder, public=self.world.url, behind=self.behind, lines=lines):
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


def test_behind_nginx_everything_holds_without_a_person(place: Place, tmp_path: Path) -> None:
    code, said = place.live(tmp_path, *GOOD)
    assert (code, steps(said, "wrong")) == (0, set()), said["rows"]
    assert steps(said, "right") >= {step.value for step in Step if step not in DISPENSABLE}
    assert {"registration", "wrong-audience", "missing-scope"} <= steps(said, "right"), (
        "a real issuer gives all three"
    )
    registration = [each["says"] for each in said["rows"] if each["step"] == "registration"]
    assert registration == ["registered itself (RFC 7591)"], "and it was taken back (RFC 7592)"


def test_a_client_that_was_registered_before_is_used(place: Place, tmp_path: Path) -> None:
    key = tmp_path / "client.json"
    key.touch(mode=0o600)
    key.write_text(json.dumps(place.provider.agent.key.as_dict(private=True)))
    options = ("--client", place.provider.agent.client_id, "--client-key", str(key))
    code, said = place.live(tmp_path, *GOOD, options=options)
    assert (code, steps(said, "wrong")) == (0, set()), said["rows"]


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


@pytest.mark.parametrize(("lines", "wrong"), BROKEN.values(), ids=list(BROKEN))
def test_a_proxy_that_is_configured_wrong_is_named(
    place: Place, tmp_path: Path, lines: tuple[str, ...], wrong: set[str]
) -> None:
    code, said = place.live(tmp_path, *lines)
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
