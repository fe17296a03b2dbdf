"""The recipe of docs/recipes/postgresql.md, run as it stands, against Debian's PostgreSQL on loopback."""

import asyncio
import contextlib
import os
import re
import secrets
import shutil
import signal
import ssl
import subprocess
import tempfile
import time
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from launchworthy import Workload
from launchworthy.identity.spiffe import SpiffeIdentity
from launchworthy.testing.authority import SimulatedAuthority
from launchworthy.testing.caller_tls import identity_of
from launchworthy.testing.workload_api import Fault, WorkloadApi
from launchworthy.testing.world import free_port

asyncpg = pytest.importorskip("asyncpg", reason="`nox -s interop-postgresql` installs it")
ORDERS, DATABASE = "spiffe://dev.invalid/simulated/orders", "spiffe://dev.invalid/simulated/database"
NAME = "orders.db-client.acme.example"
PAGE = (Path(__file__).parents[3] / "docs" / "recipes" / "postgresql.md").read_text()
pytestmark = [
    pytest.mark.foreign,
    # asyncpg leaves the transport of a login that was refused to the garbage collector
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]


def binaries():
    """Debian keeps them out of the path."""
    debian = sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    path = os.pathsep.join([*map(str, debian), os.environ.get("PATH", "")])
    found = {name: shutil.which(name, path=path) for name in ("initdb", "postgres", "psql")}
    return None if None in found.values() else found


@pytest.fixture(scope="module")
def recipe():
    [code] = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    names = {}
    exec(compile(code, "docs/recipes/postgresql.md", "exec"), names)  # noqa: S102 - our own documentation
    return names["database"]


class Database:
    """A cluster of its own; never as root, which PostgreSQL refuses."""

    def __init__(self, home, authority):
        self.home, self.authority = home, authority
        self.port = free_port()
        self.who = {"user": "postgres", "group": "postgres"} if os.geteuid() == 0 else {}
        self.process = None

    def start(self):
        data = self.home / "data"
        self.run("initdb", "--auth=trust", "--no-sync", "--username=admin", "--pgdata", str(data))
        server = identity_of(self.authority.mint_x509("database", ttl=3600))
        key = server.private_key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        self.write("svid_key.pem", key)
        self.write("svid.pem", pem(server.chain))
        self.write("bundle.pem", self.authority.bundle_pem())
        with (data / "postgresql.conf").open("a") as end:
            settings = block("postgresql.conf")
            end.write(
                f"{settings}\nport = {self.port}\nunix_socket_directories = '{self.home}'\nfsync = off\n"
            )
        rule = block("pg_hba.conf").replace("10.0.0.0/8", "127.0.0.1/32")
        self.write("pg_hba.conf", f"local all all trust\n{rule}\n".encode())
        self.write("pg_ident.conf", f"{block('pg_ident.conf')}\n".encode())
        log = (self.home / "log").open("wb")
        command = [binaries()["postgres"], "-D", str(data), "-h", "127.0.0.1"]
        self.process = subprocess.Popen(command, stdout=log, stderr=log, **self.who)
        log.close()
        until(lambda: self.sql("select 1", check=False).returncode == 0, 30)
        for statement in ("create role orders login", "create role billing login", "create database orders"):
            self.sql(statement)

    def stop(self):
        if self.process is not None:
            self.process.send_signal(signal.SIGINT)
            self.process.wait(20)

    def sql(self, statement, *, check=True):
        return self.run("psql", "-h", str(self.home), "-p", str(self.port), "-U", "admin", "-d", "postgres",
                        "-qAtc", statement, check=check)  # fmt: skip

    def run(self, name, *arguments, check=True):
        command = [binaries()[name], *arguments]
        done = subprocess.run(command, capture_output=True, cwd=self.home, check=False, **self.who)
        if check and done.returncode != 0:
            raise RuntimeError(f"{name}: {done.stderr.decode()}")
        return done

    def write(self, name, content):
        path = self.home / "data" / name
        path.write_bytes(content)
        path.chmod(0o600)
        if self.who:
            shutil.chown(path, **self.who)


def block(name):
    """The lines of one file, as the recipe has them."""
    found = re.search(rf"# {re.escape(name)}:.*?\n(.*?)\n(?:\n#|```)", PAGE, re.DOTALL)
    return found[1]


def pem(chain):
    return "".join(ssl.DER_cert_to_PEM_cert(each) for each in chain).encode()


def until(condition, seconds=10.0):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.05)


@pytest.fixture(scope="module")
def authority():
    return SimulatedAuthority(clock=time.time)


@pytest.fixture(scope="module")
def cluster(authority):
    if binaries() is None:
        pytest.skip("PostgreSQL's server is not installed here (Debian: apt install postgresql)")
    home = Path(tempfile.gettempdir()) / f"lw-{secrets.token_hex(6)}"
    home.mkdir(mode=0o700)
    database = Database(home, authority)
    if database.who:
        shutil.chown(home, **database.who)
    try:
        database.start()
        yield database
    finally:
        database.stop()
        shutil.rmtree(home, ignore_errors=True)


@pytest.fixture
def agent(authority):
    with WorkloadApi(authority, "orders") as agent:
        agent.present(authority.mint_x509("orders", ttl=3600, dns=(NAME,)))
        yield agent


@pytest.fixture
def opened(recipe, cluster, agent):
    @contextlib.asynccontextmanager
    async def opened(**changes):
        where = {"host": "127.0.0.1", "port": cluster.port, "database": "orders", "user": "orders"}
        identity = SpiffeIdentity(
            endpoint=agent.endpoint, expected_id=ORDERS, trust_domains=("dev.invalid",),
            socket_owner_uids=(os.getuid(),), call_timeout=3.0, clock=time.time,
        )  # fmt: skip
        try:
            await identity.start(30)
            workload = Workload(identity, trust_domains=("dev.invalid",), clock=time.time)
            async with recipe(workload, **{"theirs": DATABASE, **where, **changes}) as pool:
                yield pool
        finally:
            await identity.aclose()

    return opened


SERIAL = "select client_serial from pg_stat_ssl where pid = pg_backend_pid()"


def test_the_svid_is_the_login(opened):
    async def test():
        async with opened() as pool:
            assert await pool.fetchval("select current_user") == "orders"
            version = "select version from pg_stat_ssl where pid = pg_backend_pid()"
            assert await pool.fetchval(version) == "TLSv1.3"

    asyncio.run(test())


NAMES = [(), ("x" + NAME,), (NAME + ".evil.example",), ("ordersXdb-client.acme.example",)]


@pytest.mark.parametrize("name", NAMES)
def test_another_name_is_no_login(opened, agent, authority, name):
    async def test():
        agent.present(authority.mint_x509("orders", ttl=3600, dns=name))
        with pytest.raises(asyncpg.InvalidAuthorizationSpecificationError):
            async with opened():
                pass

    asyncio.run(test())


def test_another_role_is_no_login(opened):
    async def test():
        with pytest.raises(asyncpg.InvalidAuthorizationSpecificationError):
            async with opened(user="billing"):
                pass

    asyncio.run(test())


def test_another_database_server_is_not_trusted(opened):
    async def test():
        with pytest.raises(OSError, match=r"peer\.not_allowed"):
            async with opened(theirs=DATABASE + "-2"):
                pass

    asyncio.run(test())


def test_each_connection_is_replaced_after_a_renewal_and_no_query_fails(opened, agent, authority):
    async def test():
        async with opened() as pool:
            seen = {await pool.fetchval(SERIAL)}
            for _ in range(3):
                agent.present(authority.mint_x509("orders", ttl=3600, dns=(NAME,)))
                async with asyncio.timeout(5):
                    while (serial := await pool.fetchval(SERIAL)) in seen:  # noqa: ASYNC110
                        await asyncio.sleep(0.01)
                seen.add(serial)
            assert len(seen) == 4

    asyncio.run(test())


async def ask_on(pool):
    while True:
        await pool.fetchval("select 1")
        await asyncio.sleep(0.01)


def test_a_withdrawn_entry_ends_every_query_and_a_new_one_brings_them_back(opened, agent, authority):
    async def test():
        async with opened() as pool:
            assert await pool.fetchval("select 1") == 1
            agent.set_fault(Fault.PERMISSION_DENIED)
            async with asyncio.timeout(5):
                with pytest.raises(OSError, match=r"identity\.revoked"):
                    await ask_on(pool)
            agent.set_fault(Fault.NONE)
            agent.present(authority.mint_x509("orders", ttl=3600, dns=(NAME,)))
            async with asyncio.timeout(10):
                while True:
                    with contextlib.suppress(OSError):
                        assert await pool.fetchval("select 1") == 1
                        return
                    await asyncio.sleep(0.05)

    asyncio.run(test())
