"""Who are we, according to a real agent? The server gets its SVID, binds its audit to it, and serves."""

import subprocess
import sys

from server_orders import records

ORDERS = "simulated/orders"


def test_a_registered_server_starts_and_binds_its_audit_to_its_svid(spire, served):
    spire.entry(ORDERS)
    with served(spire) as (world, _server), world.client("orders:read") as caller:
        assert caller.call("find_orders", customer="c-17") == []
        said = {each["type"].split(".", 1)[1]: each["data"] for each in records(world)}
        assert said["identity.acquired.v1"]["identity"] == spire.id(ORDERS)
        assert said["stream.bound.v1"]["kind"] == "x509"


def test_of_several_svids_the_expected_one_is_taken_without_any_hint(spire, identity, run):
    paths = ("a/first", ORDERS, "z/last")
    for path in paths:
        spire.entry(path)
    spire.gives(*paths)

    async def test():
        ours = identity(spire, ORDERS)
        await ours.start(30)
        assert ours.x509().spiffe_id == spire.id(ORDERS)
        await ours.aclose()

    run(test())


def test_a_server_without_an_entry_does_not_start_and_says_why(spire, served):
    spire.entry("simulated/somebody-else", "-selector", "unix:gid:4242")
    with served(spire, wait=False) as (_world, server):
        assert server.wait(60) == 75
        assert "no entry for this process" in server.stderr


def test_the_server_with_another_entry_gets_the_wrong_name_and_stops_at_once(spire, served):
    spire.entry("simulated/billing")
    with served(spire, wait=False) as (_world, server):
        assert server.wait(60) == 78
        assert "unexpected-identity" in server.stderr


def test_nothing_of_grpc_is_written_beside_the_operations_log(spire):
    spire.entry(ORDERS)
    program = f"""
import asyncio, os, time
from launchworthy.identity.spiffe import SpiffeIdentity
async def main():
    one = SpiffeIdentity(
        endpoint={spire.endpoint!r}, expected_id={spire.id(ORDERS)!r},
        trust_domains=({spire.trust_domain!r},),
        socket_owner_uids=(os.getuid(),), call_timeout=3, clock=time.time,
    )
    await one.start(30)
    await one.assertion("https://login.acme.example")
    await one.aclose()
asyncio.run(main())
"""
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
