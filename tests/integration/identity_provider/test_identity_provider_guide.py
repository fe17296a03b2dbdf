"""The worked example of docs/guides/identity-provider.md, run as it stands, against a metadata service."""

import json
import re
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from launchworthy.identity import IdentityUnavailable
from launchworthy.identity.minting import OWN_AUDIENCE, MintingIdentity
from launchworthy.testing.authority import SimulatedAuthority
from launchworthy.vocabulary import StartupRefused

pytestmark = pytest.mark.anyio
GUIDE = (Path(__file__).parents[3] / "docs" / "guides" / "identity-provider.md").read_text()
US = "dev.invalid:104857600"


@pytest.fixture
def anyio_backend():
    return "asyncio"


@pytest.fixture
def example():
    """The names that the first Python block of the guide defines."""
    [code, *_] = re.findall(r"```python\n(.*?)```", GUIDE, re.DOTALL)
    names = {}
    exec(compile(code, "docs/guides/identity-provider.md", "exec"), names)  # noqa: S102 - our own documentation
    return names


class Service(BaseHTTPRequestHandler):
    status = 200
    flavor = "Google"
    authority = SimulatedAuthority(clock=time.time)
    asked: list = []  # noqa: RUF012 - one service a test

    def do_GET(self):
        type(self).asked.append((self.path, self.headers.get("metadata-flavor")))
        audience = parse_qs(urlsplit(self.path).query)["audience"][0]
        token = self.authority.mint_jwt(US, (audience,), ttl=300, iss="https://dev.invalid")
        self.send_response(self.status)
        self.send_header("Metadata-Flavor", self.flavor)
        self.end_headers()
        self.wfile.write(token.encode())

    def log_message(self, *_):
        pass


@pytest.fixture
def service():
    handler = type("OneService", (Service,), {"asked": []})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    handler.address = f"127.0.0.1:{server.server_address[1]}"
    yield handler
    server.shutdown()
    thread.join()
    server.server_close()


def identity(example, address):
    mint = example["metadata_mint"](address, timeout=1.0)
    return MintingIdentity(mint, expected_id=US, trust_domains=("dev.invalid",), clock=time.time)


async def test_the_example_of_the_guide_is_an_identity(example, service):
    ours = identity(example, service.address)
    await ours.start(3)
    assert ours.status().subject == US
    assert (await ours.assertion("https://login.acme.example")).reveal().count(".") == 2
    [(path, flavor), _] = service.asked
    assert (parse_qs(urlsplit(path).query)["audience"], flavor) == ([OWN_AUDIENCE], "Google")
    service.status = 403
    with pytest.raises(IdentityUnavailable, match="no service account"):
        await ours.assertion("https://other.acme.example")
    await ours.aclose()


@pytest.mark.parametrize(("status", "flavor"), [(200, "none"), (302, "Google"), (500, "Google")])
async def test_what_is_no_metadata_service_gives_no_identity(example, service, status, flavor):
    service.status, service.flavor = status, flavor
    with pytest.raises(StartupRefused) as refused:
        await identity(example, service.address).start(1.0)
    assert refused.value.problems[0].reason == "no-identity"
    assert "no metadata service" in refused.value.problems[0].what
    assert json.dumps(refused.value.problems[0].as_json()).count(".ey") == 0
