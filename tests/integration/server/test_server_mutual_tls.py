"""The production command with mutual TLS: who connects is in policy and audit, and is never who calls."""

import httpx2
import pytest
from server_orders import REHEARSAL, records

from launchworthy.testing.caller_tls import caller_tls
from launchworthy.testing.client import Client, Refused
from launchworthy.testing.workload_api import Fault
from launchworthy.testing.world import wait_until
from launchworthy.vocabulary import Secret

pytestmark = pytest.mark.servers

CALLER = "spiffe://dev.invalid/simulated/caller"
AGENT = "spiffe://dev.invalid/agents/support"
BY_PEER = """
@id("team:only-the-agent")
@says("orders are found through the support agent only")
forbid (principal, action == Action::"find_orders", resource)
unless { context has forwarded_peer && context.forwarded_peer == "spiffe://dev.invalid/agents/support" };
"""


@pytest.fixture
def secured(orders):
    """The example with `tls = "spiffe"`."""
    orders.edit(
        "config/production.toml", '"ingress"', '"spiffe"\npeers = ["spiffe://acme.example/ns/edge/sa/edge"]'
    )
    return orders


class Forwarding(Client):
    """A proxy: a caller that adds a header."""

    forwards: str | None = None

    def headers(self, method, params):
        more = {} if self.forwards is None else {"x-forwarded-client-cert": self.forwards}
        return {**super().headers(method, params), **more}


def found(client):
    return client.call("find_orders", customer="c-17")


def test_a_verified_peer_with_a_token_goes_through_and_both_are_in_the_audit(secured):
    with (
        secured.running(**REHEARSAL, mutual_tls=True) as (world, _server),
        world.client("orders:read") as caller,
    ):
        assert found(caller) == []
        [attempt] = [each for each in records(world) if each["type"].endswith("tool.attempt.v1")]
        assert attempt["data"]["peer"] == CALLER
        assert attempt["subject"] != CALLER
        assert "forwarded_peer" not in attempt["data"]


@pytest.mark.slow
def test_a_peer_without_a_token_is_nobody(secured):
    with secured.running(**REHEARSAL, mutual_tls=True) as (world, _server), world.stranger() as stranger:
        with pytest.raises(Refused) as refused:
            found(stranger)
        assert (refused.value.status, world.executions.taken()) == (401, 0)


def test_a_token_without_a_good_peer_reaches_nothing(secured):
    with secured.running(**REHEARSAL, mutual_tls=True) as (world, _server):
        token = world.token("orders:read")
        other = world.authority.mint_x509("job", ttl=60)
        for tls in (caller_tls(world.authority, None), caller_tls(world.authority, other)):
            with Client(world.url, token, tls=tls) as client, pytest.raises(httpx2.TransportError):
                found(client)
        plain = world.url.replace("https", "http")
        with Client(plain, token) as client, pytest.raises(Refused) as refused:
            found(client)
        assert (refused.value.status, world.executions.taken()) == (400, 0)
        with world.client("orders:read") as caller:
            assert found(caller) == []
        told = [each["data"] for each in records(world) if "peer_rejected" in each["type"]]
        assert [each["cause"] for each in told] == ["missing", "not_allowed", "tls"]
        assert told[1]["peer"] == "spiffe://dev.invalid/simulated/job"


@pytest.mark.parametrize("trusted", [True, pytest.param(False, marks=pytest.mark.slow)])
def test_only_a_trusted_proxy_speaks_for_another_and_policy_may_ask_for_whom(secured, trusted):
    secured.append("policy/rules.cedar", BY_PEER)
    with secured.world(**REHEARSAL, mutual_tls=True) as world:
        if trusted:
            world.file.write_text(world.file.read_text().replace("proxies = []", f'proxies = ["{CALLER}"]'))
        token = world.token("orders:read")
        with secured.server(world) as _server, Forwarding(world.url, token, tls=world.tls) as caller:
            with pytest.raises(Refused) as refused:
                found(caller)
            assert (refused.value.status, refused.value.reason) == (403, "denied")
            caller.forwards = f"Hash=ab;URI={AGENT}"
            if not trusted:
                with pytest.raises(Refused) as refused:
                    found(caller)
                assert (refused.value.status, world.executions.taken()) == (403, 0)
                return
            assert found(caller) == []
            attempts = [each["data"] for each in records(world) if each["type"].endswith("tool.attempt.v1")]
            assert [(each["peer"], each["forwarded_peer"]) for each in attempts] == [(CALLER, AGENT)]
            caller.forwards = f"URI={AGENT},URI={AGENT}"
            with pytest.raises(Refused) as refused:
                found(caller)
            assert (refused.value.status, refused.value.reason) == (400, "invalid_request")


@pytest.mark.slow
def test_without_an_identity_of_its_own_nobody_gets_in_and_then_everybody_again(secured):
    with secured.running(**REHEARSAL, mutual_tls=True) as (world, server):
        world.workload_api.set_fault(Fault.PERMISSION_DENIED)
        wait_until(lambda: server.readiness()[0] == 503)
        with world.client("orders:read") as caller, pytest.raises(httpx2.TransportError):
            found(caller)
        world.workload_api.set_fault(Fault.NONE)
        wait_until(lambda: server.readiness()[0] == 200)
        with world.client("orders:read") as caller:
            assert found(caller) == []


def test_a_peer_that_shows_too_many_unknown_tokens_waits_and_who_is_known_goes_on(secured):
    secured.edit("config/production.toml", '"spiffe"\npeers', '"spiffe"\nnew_tokens_per_minute = 600\npeers')
    with secured.world(**REHEARSAL, mutual_tls=True) as world, secured.server(world):
        with world.client("orders:read") as known:
            assert found(known) == []
            statuses = shown_junk(world, 640)
            assert set(statuses) == {401, 429}
            assert statuses.count(429) <= 41, "600 are looked at, and one of them was known's"
            assert found(known) == []
        with world.client("orders:read") as late, pytest.raises(Refused) as refused:
            found(late)
        assert (refused.value.status, refused.value.reason) == (429, "limited")
        denied = [each["data"] for each in records(world) if each["type"].endswith("authn.denied.v1")]
        assert "limit.rate" in {each["reason"] for each in denied}


def test_a_proxy_that_speaks_for_everybody_shuts_nobody_out(secured):
    secured.edit("config/production.toml", '"spiffe"\npeers', '"spiffe"\nnew_tokens_per_minute = 600\npeers')
    with secured.world(**REHEARSAL, mutual_tls=True) as world:
        world.file.write_text(world.file.read_text().replace("proxies = []", f'proxies = ["{CALLER}"]'))
        with secured.server(world):
            assert set(shown_junk(world, 640)) == {401}
            with world.client("orders:read") as late:
                assert found(late) == []


def shown_junk(world, times):
    """The statuses of so many calls, each with another token that is none."""
    with Client(world.url, Secret("x.y.z"), tls=world.tls) as stranger:
        statuses = []
        for number in range(times):
            stranger._token = Secret(f"x.{number}.z")
            statuses.append(stranger.send("tools/list", {}).status_code)
        return statuses
