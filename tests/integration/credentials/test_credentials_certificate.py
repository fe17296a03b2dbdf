"""A store that is logged in to by our certificate, over real TLS: through a running server, and attacked."""

import asyncio
import re
import ssl
import time
from types import SimpleNamespace

import pytest
from cryptography.x509 import load_der_x509_certificate
from issuing import HeldIdentity
from lending_orders import borrowing, project

from launchworthy.credentials import CredentialRequest
from launchworthy.credentials.brokers.openbao import DynamicSecret, OpenBao
from launchworthy.credentials.errors import BrokerError
from launchworthy.credentials.one_host import OneHost
from launchworthy.identity import IdentityUnavailable
from launchworthy.identity.host_tls import host_tls
from launchworthy.identity.phase import Phase
from launchworthy.identity.status import IdentityStatus
from launchworthy.server import store_lending
from launchworthy.settings import CredentialSettings
from launchworthy.testing.authority import SimulatedAuthority
from launchworthy.testing.caller_tls import identity_of
from launchworthy.testing.issuer import Fault
from launchworthy.testing.store import PATH, ROLE, SimulatedStore, StoreTls
from launchworthy.testing.world import wait_until
from launchworthy.tokens.fetch import Network, resolve, system_network
from launchworthy.vocabulary import CallId, Principal, PrincipalKind, Reason, ToolError

REQUEST = CredentialRequest(
    credential="vault", scopes=(), ttl=120, call=CallId("4T7K-9QX2-M0DV"), target="refund",
    principal=Principal(
        issuer="i", subject="s", client="c", kind=PrincipalKind.MACHINE, scopes=frozenset(), actors=(),
        token_id="j", issued_at=1, expires_at=2,
    ),
    subject_token=None,
)  # fmt: skip


class Certified(HeldIdentity):
    """An identity whose SVID stays the same until it is renewed."""

    def __init__(self):
        super().__init__()
        self.renew()

    def renew(self, authority=None, name="orders"):
        minting = authority or self.authority
        self._held = identity_of(minting.mint_x509(name, ttl=300))

    def x509(self):
        self.require()
        return self._held

    async def assertion(self, audience):
        raise AssertionError(f"an assertion for {audience} where the certificate is the login")


@pytest.fixture
def identity():
    return Certified()


@pytest.fixture
def store(identity, tmp_path):
    tls = StoreTls(tmp_path / "ca.pem", lambda: identity.authority.roots)
    with SimulatedStore(identity.subject, identity.authority.jwks, tls) as found:
        found.ca = tls.ca
        yield found


def broker(store, identity, *, ca="", tls=None):
    context = host_tls(identity, authorities=store.ca if ca == "" else ca) if tls is None else tls
    network = Network(resolve=resolve, tls=context, seconds=5)
    host = OneHost(store.address, network, simulated=True, max_bytes=10**5, keep_alive=False)
    return OpenBao(
        host, store.address,
        DynamicSecret(mount="cert", by_certificate=True, role=ROLE, path=PATH, part=None),
        identity=identity, clock=time.time, new_id=lambda: "x",
    )  # fmt: skip


def lend(*brokers):
    async def run():
        leases = []
        for one in brokers:
            lease = await one.issue(REQUEST)
            await one.revoke(lease)
            await one.aclose()
            leases.append(lease)
        return leases

    return asyncio.run(run())


def test_the_certificate_is_the_login_and_everything_is_taken_back(store, identity):
    [lease] = lend(broker(store, identity))
    assert store.revoked(lease.secret.reveal())
    assert (store.lent, store.unrevoked, store.logged_in) == (1, 0, 0)
    assert store.certificates == [identity.x509().chain[0]]


def test_each_login_shows_the_svid_in_force(store, identity):
    asked = broker(store, identity)

    async def run():
        for _ in range(3):
            await asked.revoke(await asked.issue(REQUEST))
            identity.renew()
        await asked.aclose()

    asyncio.run(run())
    assert len({load_der_x509_certificate(each).serial_number for each in store.certificates}) == 3
    assert (store.unrevoked, store.logged_in) == (0, 0)


def test_without_an_identity_nobody_is_asked(store, identity):
    status = IdentityStatus(
        phase=Phase.REVOKED, subject=None, not_after=None, reason=Reason.IDENTITY_REVOKED, detail="gone"
    )
    identity.gone = IdentityUnavailable(status)
    with pytest.raises(IdentityUnavailable):
        lend(broker(store, identity))
    assert store.certificates == []


@pytest.mark.parametrize("who", ["stranger", "namesake"])
def test_another_workload_and_another_authoritys_namesake_get_nothing(store, identity, who):
    if who == "stranger":
        identity.renew(name="billing")
        what = r"\(403\)"
    else:
        identity.renew(authority=SimulatedAuthority(clock=time.time))
        what = "broke off"
    with pytest.raises(BrokerError, match=what):
        lend(broker(store, identity))
    assert store.lent == 0


def test_a_connection_that_shows_no_certificate_is_no_login(store, identity):
    bare = ssl.create_default_context(cafile=str(store.ca))
    with pytest.raises(BrokerError, match="answered 400"):
        lend(broker(store, identity, tls=bare))


def test_a_store_that_nobody_vouches_for_is_shown_nothing(store, identity):
    with pytest.raises(BrokerError, match="broke off"):
        lend(broker(store, identity, ca=None))
    assert store.certificates == []
    assert system_network().tls.verify_mode is ssl.CERT_REQUIRED


def test_a_store_by_another_name_is_not_the_store(store, identity):
    context = host_tls(identity, authorities=store.ca)
    with pytest.raises(ssl.SSLCertVerificationError, match=r"(?i)hostname"):
        handshake(context, store, "bao.acme.example")
    handshake(context, store, "localhost")


def handshake(context, store, name):
    import socket

    port = int(store.address.rpartition(":")[2])
    with (
        socket.create_connection(("127.0.0.1", port), timeout=5) as made,
        context.wrap_socket(made, server_hostname=name) as connection,
    ):
        assert connection.version() == "TLSv1.3"


def test_a_file_that_holds_no_authority_is_told_at_once(identity, tmp_path):
    (tmp_path / "ca.pem").write_text("nothing")
    with pytest.raises(ssl.SSLError):
        host_tls(identity, authorities=tmp_path / "ca.pem")


def composed(held, at, **changes):
    """The broker as a server makes it of its settings."""
    settings = CredentialSettings(
        broker="openbao", address=at.address, ca=at.ca, login="cert", role=ROLE, path=PATH, **changes
    )
    parts = SimpleNamespace(
        settings=SimpleNamespace(
            identity=SimpleNamespace(kind="spiffe"), environment=SimpleNamespace(simulated=True)
        ),
        identity=held,
        surroundings=SimpleNamespace(clock=time.time),
    )
    return store_lending.store(parts, system_network(), "vault", settings, new_id=lambda: "x")


def test_the_broker_of_a_server_opens_a_connection_for_each_login(store, identity):
    asked = composed(identity, store)

    async def run():
        for _ in range(2):
            await asked.revoke(await asked.issue(REQUEST))
            identity.renew()
        await asked.aclose()

    asyncio.run(run())
    assert len(set(store.certificates)) == 2


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    folder = tmp_path_factory.mktemp("certificate")
    tested = project(folder / "orders")
    for path in (tested.root / "config").glob("*.toml"):
        text = path.read_text()
        path.write_text(re.sub(r'(broker  = "openbao")', r'\1\nlogin   = "cert"', text))
    with borrowing(folder / "world", type(tested).read(tested.root)) as found:
        yield found


def test_a_server_borrows_by_its_certificate_and_leaves_no_lease_and_no_login(server):
    store = server.world.lending.store
    assert store.address.startswith("https://")
    answer = server.call("borrow", name="vault")
    assert "has ended" in answer["after"]
    issued, ended = server.records()[-2:]
    assert (issued["is"], ended["is"]) == ("credential.issued", "credential.revoked")
    assert issued["broker"] == "openbao"
    wait_until(lambda: (store.unrevoked, store.logged_in) == (0, 0), what="the end of lease and login")
    assert len(store.certificates) >= 1


@pytest.mark.parametrize("fault", ["login", "read"])
def test_a_store_that_fails_lends_nothing_and_keeps_no_login(server, fault):
    store = server.world.lending.store
    setattr(store, fault, Fault.STATUS_500)
    try:
        with pytest.raises(ToolError, match="`vault` cannot be used now"):
            server.call("borrow", name="vault")
    finally:
        setattr(store, fault, Fault.NONE)
    assert (store.unrevoked, store.logged_in) == (0, 0)


def test_what_could_not_be_taken_back_at_once_is_taken_back_later(server):
    store = server.world.lending.store
    store.revocation = Fault.STATUS_500
    try:
        server.call("borrow", name="vault")
        assert store.unrevoked == 1
    finally:
        store.revocation = Fault.NONE
    wait_until(lambda: store.unrevoked == 0, what="the sweeper")


def test_a_server_that_was_renewed_logs_in_with_its_new_certificate(server):
    store = server.world.lending.store
    before = len(store.certificates)
    server.call("borrow", name="vault")
    rotated = len(server.records("identity.rotated"))
    server.world.workload_api.rotate()
    wait_until(lambda: len(server.records("identity.rotated")) > rotated, what="the new identity")
    server.call("borrow", name="vault")
    old, new = store.certificates[before], store.certificates[-1]
    assert old != new
