"""The broker for AWS against a server of somebody else that speaks STS (moto)."""

import asyncio
import shutil
import subprocess
import sys
import time
from pathlib import Path

import httpx2
import pytest

from launchworthy.credentials import CredentialRequest, Revocation
from launchworthy.credentials.brokers.aws_sts import MAX_ANSWER_BYTES, AwsSts
from launchworthy.credentials.errors import BrokerError
from launchworthy.credentials.narrowing import too_wide
from launchworthy.credentials.one_host import OneHost
from launchworthy.testing.authority import SimulatedAuthority
from launchworthy.testing.waiting import free_port
from launchworthy.tokens.fetch import system_network
from launchworthy.vocabulary import CallId, Principal, PrincipalKind, Secret

pytestmark = pytest.mark.foreign

ROLE = "arn:aws:iam::123456789012:role/orders"
CALLER = Principal(
    issuer="https://login.acme.example", subject="s", client="c", kind=PrincipalKind.MACHINE,
    scopes=frozenset(), actors=(), token_id="j", issued_at=1, expires_at=2,
)  # fmt: skip


class Identity:
    """As much of a workload's identity as the broker asks for."""

    def __init__(self):
        self.authority = SimulatedAuthority(clock=time.time)

    async def assertion(self, audience):
        return Secret(self.authority.mint_jwt(self.authority.spiffe_id("orders"), (audience,), ttl=300))


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    beside = Path(sys.executable).parent / "moto_server"
    program = str(beside) if beside.exists() else shutil.which("moto_server")
    if program is None:
        pytest.skip("moto_server is not here; the session interop-sts installs it")
    port = free_port()
    log = tmp_path_factory.mktemp("moto") / "log.txt"
    with log.open("wb") as out:
        process = subprocess.Popen([program, "-H", "127.0.0.1", "-p", str(port)], stdout=out, stderr=out)
    try:
        url = f"http://127.0.0.1:{port}"
        until = time.monotonic() + 60
        while True:
            try:
                httpx2.get(f"{url}/moto-api/", timeout=2, trust_env=False)
                break
            except httpx2.TransportError:
                assert process.poll() is None, log.read_text()
                assert time.monotonic() < until, log.read_text()
                time.sleep(0.1)
        yield url
    finally:
        process.terminate()
        process.wait(20)


def lend(address, *, ttl=900, at=""):
    async def issue():
        host = OneHost(
            address, system_network(), simulated=True, max_bytes=MAX_ANSWER_BYTES, keep_alive=False
        )
        broker = AwsSts(
            host, address + at, ROLE, identity=Identity(), clock=time.time, new_id=lambda: "lease"
        )
        request = CredentialRequest(
            credential="cloud", scopes=(), ttl=ttl, call=CallId("4T7K-9QX2-M0DV"), target="export",
            principal=CALLER, subject_token=None,
        )  # fmt: skip
        asked_at = int(time.time())
        try:
            lease = await broker.issue(request)
        finally:
            await broker.aclose()
        return lease, too_wide(lease, request, asked_at=asked_at)

    return asyncio.run(issue())


def test_a_role_is_assumed_for_a_quarter_of_an_hour_and_no_longer(address):
    lease, wrong = lend(address)
    assert wrong is None
    assert set(lease.parts) == {"access_key_id", "secret_access_key", "session_token"}
    assert lease.secret == lease.parts["secret_access_key"]
    assert lease.parts["access_key_id"].reveal().startswith("ASIA")
    assert 890 <= lease.not_after - time.time() <= 900
    assert lease.revocation is Revocation.EXPIRY
    assert lease.parts["session_token"].reveal() not in repr(lease)


def test_what_is_no_sts_lends_nothing(address):
    with pytest.raises(BrokerError):
        lend(address, at="/moto-api/nothing")
