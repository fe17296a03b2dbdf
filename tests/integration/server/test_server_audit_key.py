"""The key of the audit's digests comes by reference: replicas agree, and a bad one stops a start."""

import base64
import json

import pytest
from server_orders import REHEARSAL, records
from typer.testing import CliRunner

from launchworthy.cli.main import app
from launchworthy.testing.world import wait_until

pytestmark = pytest.mark.servers

NAMED = 'anchor    = "stdout"\nhmac_key  = "file:/run/secrets/audit-hmac"\n'


def name_a_key(orders):
    orders.edit("config/production.toml", 'anchor    = "stdout"\n', NAMED)
    orders.edit(
        "manifests/tools.toml",
        'arguments = { customer = "clear", limit = "clear" }',
        'arguments = { limit = "clear" }',
    )
    orders.edit(
        "manifests/tools.toml",
        'acts_on   = "customer/{customer}"\narguments = { limit',
        "arguments = { limit",
    )


def digests(world):
    return [
        record["data"]["arguments"]["customer"]["hmac"]
        for record in records(world)
        if record["type"] == "launchworthy.tool.attempt.v1"
    ]


def call(world):
    with world.client("orders:read") as caller:
        caller.call("find_orders", customer="c-17")


def test_digests_are_made_with_the_key_by_reference_and_with_a_newer_one_as_soon_as_it_is_there(
    orders, tmp_path
):
    name_a_key(orders)
    with orders.world(**REHEARSAL, audit_key=True) as world, orders.server(world) as server:
        call(world)
        [before] = digests(world)
        old = world.audit_key_file.read_bytes()
        world.audit_key_file.write_bytes(b"garbage")
        wait_until(lambda: "cannot be used" in server.stderr, what="a word about the key")
        call(world)
        assert digests(world)[-1] == before
        world.audit_key_file.write_bytes(base64.b64encode(bytes(48)) + b"\n" + old)
        wait_until(lambda: "key has changed" in server.stderr, what="the new key")
        call(world)
        after = digests(world)[-1]
        asked = ["audit", "hash", "find_orders", str(world.audit_directory), "--argument", "customer"]
        told = ["--key-file", str(world.audit_key_file), "--environment", "rehearsal", "--why", "INC-1"]
        found = CliRunner().invoke(app, [*asked, *told, "--log", str(tmp_path / "uses")], input="c-17")
    assert after.split(":")[0] != before.split(":")[0]
    assert found.exit_code == 0
    assert found.stdout.splitlines()[:2] == [after, before]
    assert len(found.stdout.splitlines()) == 2 + 3
    assert "garbage" not in server.stderr


def test_a_key_that_cannot_be_used_stops_the_start(orders):
    name_a_key(orders)
    with orders.world(**REHEARSAL, audit_key=True) as world:
        world.audit_key_file.chmod(0o644)
        code, said = orders.refusal(world)
    assert (code, said["stage"], said["reason"]) == (78, "keys", "bad-framework-key")
    assert records(world)[-3]["type"] == "launchworthy.server.refused.v1"
    assert world.audit_key_file.read_text().strip() not in json.dumps(records(world))
