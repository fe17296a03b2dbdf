"""A start waits for what may pass by itself, says what it waited for, and goes on without a restart."""

import asyncio
import time

import pytest

from launchworthy.identity import IdentityUnavailable, Phase
from launchworthy.testing.workload_api import Fault
from launchworthy.vocabulary import EX_CONFIG, EX_TEMPFAIL, Reason, StartupRefused

pytestmark = pytest.mark.anyio

PASSING = {
    Fault.PERMISSION_DENIED: "the agent has no entry for this process (PERMISSION_DENIED: no identity iss",
    Fault.UNAVAILABLE: "the agent cannot serve (UNAVAILABLE: could not attest the workload)",
    Fault.HANG: "the agent accepts and gave no answer within 0.3 s",
    Fault.EMPTY: "the agent's answer cannot be read (X.509 SVID list cannot be empty)",
    Fault.GARBAGE: "the agent's answer cannot be read (Error parsing certificate: ",
    Fault.STREAM_END: "the agent ended the stream",
    Fault.EXPIRED: "the SVID that came expired at ",
}

REASONS = {
    Fault.EMPTY: "unreadable-identity",
    Fault.GARBAGE: "unreadable-identity",
    Fault.EXPIRED: "expired-identity",
}


async def test_a_good_agent_gives_an_identity_at_once(world):
    async with world.ready() as identity:
        status = identity.status()
        assert (status.phase, status.subject, status.reason) == (
            Phase.READY,
            world.authority.spiffe_id("orders"),
            None,
        )
        assert identity.x509().spiffe_id == status.subject
        assert world.kinds() == ["acquired"]


@pytest.mark.parametrize("fault", PASSING)
async def test_what_may_pass_is_waited_for_and_recovers_within_the_same_start(world, until, fault):
    world.api.set_fault(fault)
    identity = world.identity(call_timeout=0.3 if fault is Fault.HANG else 3.0)
    starting = asyncio.create_task(identity.start(10))
    try:
        await until(
            lambda: identity.status().detail.startswith(f"there is no identity yet: {PASSING[fault]}")
        )
        assert identity.status().phase is Phase.STARTING
        assert not starting.done()
        with pytest.raises(IdentityUnavailable):
            identity.x509()
        world.api.set_fault(Fault.NONE)
        await starting
        assert identity.status().phase is Phase.READY
        assert identity.status().detail == ""
        assert world.kinds() == ["refresh_failed", "acquired"]
    finally:
        await identity.aclose()


@pytest.mark.parametrize("fault", PASSING)
async def test_what_does_not_pass_refuses_the_start_and_names_the_cause(world, fault):
    world.api.set_fault(fault)
    identity = world.identity(call_timeout=0.3 if fault is Fault.HANG else 3.0, max_wait=0.1)
    with pytest.raises(StartupRefused) as refused:
        await identity.start(0.4)
    [problem] = refused.value.problems
    assert refused.value.exit_code == EX_TEMPFAIL
    assert problem.reason == REASONS.get(fault, "no-identity")
    assert problem.what.startswith(f"no identity within 0.4 s: {PASSING[fault]}")
    assert problem.fix[-1] == "launchworthy identity doctor"
    assert identity.status().phase is Phase.CLOSED


async def test_a_request_that_the_agent_rejects_refuses_the_start_at_once(world):
    world.api.set_fault(Fault.INVALID_ARGUMENT)
    with pytest.raises(StartupRefused) as refused:
        await world.identity().start(10)
    assert (refused.value.exit_code, refused.value.problems[0].reason) == (EX_CONFIG, "no-workload-api")
    world.api.set_fault(Fault.NONE)
    async with world.ready() as identity:
        assert identity.status().usable


@pytest.mark.parametrize(
    "greeting",
    [b"HTTP/1.1 400 Bad Request\r\n\r\n", b"SSH-2.0-x\r\n", bytes(64)],
    ids=["http", "ssh", "zeros"],
)
async def test_the_socket_of_something_else_refuses_the_start_at_once(world, tmp_path, greeting):
    tmp_path.chmod(0o755)
    path = tmp_path / "other.sock"

    async def greet(reader, writer):
        if await reader.read(4096):  # who only looks whose socket it is says nothing
            writer.write(greeting)
        writer.close()

    async with await asyncio.start_unix_server(greet, path):
        with pytest.raises(StartupRefused) as refused:
            await world.identity(endpoint=f"unix://{path}").start(10)
    [problem] = refused.value.problems
    assert (refused.value.exit_code, problem.reason) == (EX_CONFIG, "no-workload-api")
    assert problem.what == "what listens does not speak gRPC"


async def test_a_socket_that_comes_late_is_waited_for(world, until):
    identity = world.identity()
    with world.api.outage():
        starting = asyncio.create_task(identity.start(10))
        await until(lambda: identity.status().detail != "there is no identity yet")
        assert identity.status().detail.endswith(f"nothing listens on `{world.api.endpoint}`")
    await starting
    await identity.aclose()


async def test_a_socket_that_never_comes_is_named(world):
    with world.api.outage(), pytest.raises(StartupRefused) as refused:
        await world.identity().start(0.3)
    assert refused.value.stage == "identity"
    assert refused.value.exit_code == EX_TEMPFAIL
    assert (
        refused.value.problems[0].what
        == f"no identity within 0.3 s: nothing listens on `{world.api.endpoint}`"
    )


@pytest.mark.parametrize(
    ("expected_id", "reason"),
    [
        ("spiffe://dev.invalid/simulated/payments", "unexpected-identity"),
        ("spiffe://dev.invalid/simulated/orders/admin", "unexpected-identity"),
        ("spiffe://dev.invalid", "unexpected-identity"),
        ("orders", "unexpected-identity"),
        ("spiffe://acme.example/simulated/orders", "unexpected-trust-domain"),
    ],
)
@pytest.mark.parametrize("trust_domains", [("dev.invalid", "acme.example")])
async def test_another_identity_than_expected_refuses_the_start_at_once(
    world, expected_id, reason, trust_domains
):
    identity = world.identity(expected_id=expected_id, trust_domains=trust_domains)
    with pytest.raises(StartupRefused) as refused:
        await identity.start(10)
    assert (refused.value.exit_code, refused.value.problems[0].reason) == (EX_CONFIG, reason)
    assert refused.value.problems[0].field == "identity.expected_id"
    assert "acquired" not in world.kinds()


async def test_a_trust_domain_that_is_not_configured_refuses_the_start(world):
    with pytest.raises(StartupRefused) as refused:
        await world.identity(trust_domains=("acme.example",)).start(1)
    assert refused.value.problems[0].reason == "unexpected-trust-domain"
    assert world.api.open_streams() == 0


@pytest.mark.parametrize(
    "endpoint", ["tcp://127.0.0.1:8081", "unix:@agent", "unix://relative/agent.sock", "unix:///", ""]
)
async def test_an_endpoint_that_has_no_owner_refuses_the_start(world, endpoint):
    with pytest.raises(StartupRefused) as refused:
        await world.identity(endpoint=endpoint).start(1)
    assert (refused.value.exit_code, refused.value.problems[0].reason) == (EX_CONFIG, "identity-endpoint")


async def test_a_socket_of_somebody_else_refuses_the_start_at_once(world, tmp_path):
    tmp_path.chmod(0o777)
    link = tmp_path / "agent.sock"
    link.symlink_to(world.api.endpoint.removeprefix("unix://"))
    with pytest.raises(StartupRefused) as refused:
        await world.identity(endpoint=f"unix://{link}").start(10)
    [problem] = refused.value.problems
    assert (refused.value.exit_code, problem.reason) == (EX_CONFIG, "untrusted-identity-source")
    assert problem.what == f"the directory `{tmp_path}` can be written by others"
    tmp_path.chmod(0o755)
    async with world.ready(endpoint=f"unix://{link}") as identity:
        assert identity.status().usable


async def test_nothing_blocks_the_event_loop_while_an_agent_hangs(world):
    world.api.set_fault(Fault.HANG)
    identity = world.identity()
    starting = asyncio.create_task(identity.start(0.6))
    longest, last = 0.0, time.monotonic()
    while not starting.done():
        await asyncio.sleep(0.005)
        now = time.monotonic()
        longest, last = max(longest, now - last), now
    with pytest.raises(StartupRefused):
        await starting
    assert longest < 0.4


async def test_before_the_start_there_is_nothing(world):
    identity = world.identity()
    assert identity.status().phase is Phase.STARTING
    assert identity.status().reason is Reason.IDENTITY_MISSING
    for use in (identity.require, identity.x509, lambda: identity.bundle_for("dev.invalid")):
        with pytest.raises(IdentityUnavailable):
            use()
    with pytest.raises(IdentityUnavailable):
        await identity.assertion("https://login.dev.invalid")
    with pytest.raises(IdentityUnavailable):
        await identity.prove(b"payload")
    await identity.aclose()
    assert identity.status().phase is Phase.CLOSED
