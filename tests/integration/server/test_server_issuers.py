"""What the settings say of issuers reaches the verifier: opaque tokens, and exceptions with their end."""

from datetime import UTC, datetime, timedelta

import pytest
from server_orders import REHEARSAL, records

from launchworthy.testing.client import Client
from launchworthy.testing.issuer import Fault
from launchworthy.vocabulary import Secret

pytestmark = pytest.mark.servers

PRODUCTION = "config/production.toml"
TERMS = """
owner  = "@acme/orders"
reason = "the provider cannot do this before its next release in spring"
"""


def table(rule: str, value: str, days: int) -> str:
    until = (datetime.now(UTC) + timedelta(days=days)).date()
    return f'[issuers.callers.exceptions.{rule}]\nvalue = "{value}"\nuntil = {until}{TERMS}\n[audit]'


def test_an_opaque_token_is_asked_about_by_the_servers_own_identity(orders):
    orders.edit(PRODUCTION, 'max_lifetime = "1h"', 'max_lifetime = "1h"\nintrospection = true')
    with orders.running(**REHEARSAL) as (world, _):
        issuer = world.issuer
        good = issuer.mint_opaque(issuer.grant(scopes=("orders:read",)))
        with Client(world.url, Secret(good)) as caller:
            assert caller.call("find_orders", customer="c-17") == []
        find = {"name": "find_orders", "arguments": {"customer": "c-17"}}
        with Client(world.url, Secret("unknown")) as stranger:
            assert stranger.send("tools/call", find).status_code == 401
        issuer.faults.introspection = Fault.STATUS_500
        with Client(world.url, Secret("another")) as stranger:
            answer = stranger.send("tools/call", find)
            assert (answer.status_code, "retry-after" in answer.headers) == (503, True)
        with world.client("orders:read") as caller:
            assert caller.call("find_orders", customer="c-17") == []
        assert issuer.opaque.asked[:2] == [good, "unknown"]
        assert issuer.counts["introspect"] == 3
    refused = [each for each in records(world) if each["type"] == "launchworthy.authn.denied.v1"]
    assert [each["data"]["reason"] for each in refused] == ["token.inactive", "keys.unavailable"]


def test_exceptions_are_applied_and_stand_in_the_first_record(orders):
    orders.edit(PRODUCTION, "[audit]", table("typ", "JWT", 30))
    with orders.running(**REHEARSAL) as (world, _):
        typed = world.issuer.mint(world.issuer.grant(scopes=("orders:read",)), header={"typ": "JWT"})
        with Client(world.url, Secret(typed)) as caller:
            assert caller.call("find_orders", customer="c-17") == []
    [starting] = [each for each in records(world) if each["type"] == "launchworthy.server.starting.v1"]
    [line] = starting["data"]["exceptions"]
    assert line.startswith("callers: typ=JWT until ")


def test_an_exception_that_is_over_stops_the_start(orders):
    orders.edit(PRODUCTION, "[audit]", table("typ", "JWT", -2))
    with orders.world(**REHEARSAL) as world:
        code, said = orders.refusal(world)
    assert (code, said["reason"], said["stage"]) == (78, "exception-over", "issuer")
    assert said["where"].startswith("config/production.toml:")
