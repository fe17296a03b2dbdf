"""A start is all or nothing, in one order, and says why not."""

import socket

import pytest
from server_orders import REHEARSAL, records, types

from launchworthy.testing.client import Client
from launchworthy.testing.client import Refused as Turned
from launchworthy.testing.issuer_minting import ABSENT
from launchworthy.testing.workload_api import Fault

pytestmark = pytest.mark.servers


def test_a_server_starts_binds_its_audit_to_its_identity_serves_and_drains(orders):
    with orders.running(**REHEARSAL) as (world, server):
        assert server.readiness() == (200, {"status": "ready", "reasons": []})
        with world.client("orders:read", "orders:write") as caller:
            placed = caller.call("place_order", customer="c-17", item="teapot", quantity=2)
            assert caller.call("find_orders", customer="c-17") == [placed]
        assert world.executions.taken() == 2
        server.terminate()
        assert server.wait() == 0
    seen = types(world)
    order = [
        "stream.open",
        "server.starting",
        "config.loaded",
        "identity.acquired",
        "stream.bound",
        "server.ready",
    ]
    assert [each for each in seen if each in order] == order
    assert seen[-3:-1] == ["server.stopping", "stream.checkpoint"] or "stream.close" in seen[-2:]
    assert records(world)[-1]["source"] == world.subject
    assert server.stderr == ""


@pytest.mark.parametrize("environment", ["", "prod", "Production"])
def test_an_environment_is_never_assumed(orders, environment):
    with orders.world() as world:
        code, said = orders.refusal(world, LAUNCHWORTHY_ENVIRONMENT=environment)
    assert code == 78
    assert said["reason"] == ("environment-not-set" if environment == "" else "environment-unknown")
    assert types(world) == []


def test_production_runs_no_source_tree(orders):
    with orders.world() as world:
        environ = {
            "LAUNCHWORTHY_ENVIRONMENT": "production",
            "LAUNCHWORTHY_AUDIT__DIRECTORY": str(orders.scratch / "a"),
        }
        code, said = orders.refusal(_without_world(world), **environ)
    assert (code, said["reason"], said["stage"]) == (78, "no-record", "record")


@pytest.mark.parametrize("environment", ["staging", "production"])
def test_the_real_world_takes_no_world_file(orders, environment):
    with orders.world() as world:
        code, said = orders.refusal(world, LAUNCHWORTHY_ENVIRONMENT=environment)
    assert (code, said["reason"], said["field"]) == (78, "wrong-world", "LAUNCHWORTHY_WORLD")


def test_staging_names_every_value_that_was_left_for_later(orders):
    with orders.world() as world:
        code, said = orders.refusal(_without_world(world), LAUNCHWORTHY_ENVIRONMENT="staging")
    assert (code, said["reason"]) == (78, "placeholder-left")
    assert said["where"].startswith("config/staging.toml:")


def test_development_refuses_a_real_issuer(orders):
    with orders.world() as world:
        issuer = world.issuer
        text = world.file.read_text()
        world.file.write_text(
            text.replace(f'issuer = "{issuer.issuer}"', 'issuer = "https://login.acme.example"')
        )
        code, said = orders.refusal(world)
    assert (code, said["reason"], said["field"]) == (78, "wrong-world", "issuers.callers.issuer")


def test_a_world_file_replaces_nothing_but_its_closed_list(orders):
    with orders.world(**REHEARSAL) as world:
        world.file.write_text(world.file.read_text().replace("[server]", "[server]\nmax_body = 4096"))
        code, said = orders.refusal(world)
    assert (code, said["reason"]) == (78, "not-replaceable")
    assert "server.max_body" in said["what"]


def test_a_rehearsal_without_a_world_is_refused(orders):
    with orders.world() as world:
        code, said = orders.refusal(_without_world(world), LAUNCHWORTHY_ENVIRONMENT="rehearsal")
    assert (code, said["reason"]) == (78, "no-world")


@pytest.mark.parametrize(
    ("variable", "reason"),
    [
        ("LAUNCHWORTHY_SERVER__RESOURCE", "promoted-field-by-variable"),
        ("LAUNCHWORTHY_ISSUERS__CALLERS__ISSUER", "promoted-field-by-variable"),
        ("LAUNCHWORTHY_SERVER__NOTHING", "unknown-variable"),
        ("LAUNCHWORTHY_DEBUG", "unknown-variable"),
        ("LAUNCHWORTHY_BUILD", "unknown-variable"),
        ("launchworthy_server__listen", "unknown-variable"),
    ],
)
def test_a_variable_sets_a_deployment_field_or_stops_the_start(orders, variable, reason):
    with orders.world(**REHEARSAL) as world:
        code, said = orders.refusal(world, **{variable: "127.0.0.1:1"})
    assert (code, said["reason"]) == (78, reason)


SECRET = "sk_live_" + "4f7a1c9e2b8d6053" * 2


@pytest.mark.parametrize(
    ("path", "text", "field"),
    [
        (
            "config/production.toml",
            f'\n[credentials.ledger]\ntoken = "{SECRET}"\n',
            "credentials.ledger.token",
        ),
        ("config/production.toml", f'\n[other]\nnote = "{SECRET}"\n', "other.note"),
    ],
)
def test_a_secret_by_value_stops_the_start_and_is_shown_nowhere(orders, path, text, field):
    orders.append(path, text)
    with orders.world(**REHEARSAL) as world:
        server = orders.server(world)
        server.start()
        assert server.wait() == 78
        code, said = orders.refusal(world)
    assert (code, said["reason"], said["field"]) == (78, "secret-by-value", field)
    everything = (
        server.stdout
        + server.stderr
        + "".join(each.read_text(errors="replace") for each in world.directory.rglob("*") if each.is_file())
    )
    assert SECRET not in everything
    assert said["where"].startswith("config/production.toml:")


def test_a_secret_in_the_environment_stops_a_start_in_the_real_world(orders):
    with orders.world() as world:
        environ = {"LAUNCHWORTHY_ENVIRONMENT": "production", "PAYMENTS_API_KEY": SECRET}
        code, said = orders.refusal(_without_world(world), **environ)
    assert (code, said["reason"], said["field"]) == (78, "secret-by-value", "PAYMENTS_API_KEY")


def test_a_tool_that_no_manifest_declares_stops_the_start(orders):
    orders.append(
        "src/orders/tools.py",
        '\n\n@tool\ndef wipe_orders(call: Call[OrderStore]) -> bool:\n    """Forget."""\n    return True\n',
    )
    with orders.world() as world:
        code, said = orders.refusal(world)
    assert (code, said["reason"]) == (78, "tool-without-manifest")
    assert "wipe_orders" in said["what"]
    assert "[tools.wipe_orders]" in said["fix"]
    assert "server.refused" in types(world)


def test_a_manifest_that_no_code_implements_stops_the_start(orders):
    orders.append(
        "manifests/tools.toml",
        '\n[tools.wipe_orders]\neffect = "read"\nscopes = ["orders:read"]\nexample = {}\n',
    )
    with orders.world() as world:
        code, said = orders.refusal(world)
    assert (code, said["reason"]) == (78, "manifest-without-tool")


def test_a_server_for_several_tenants_needs_an_issuer_that_says_whose_a_caller_is(orders):
    orders.edit(
        "manifests/server.toml",
        'tenancy         = "single"',
        'tenancy         = "multi"',
    )
    with orders.world(tenant=None) as world:
        code, said = orders.refusal(world)
    assert (code, said["reason"]) == (78, "tenant-claim")


def test_each_call_of_such_a_server_is_some_tenants_and_its_code_and_audit_know_whose(orders):
    orders.edit("manifests/server.toml", 'tenancy         = "single"', 'tenancy         = "multi"')
    with orders.running() as (world, server):
        server.wait_ready()
        for tenant in ("tenant-a", "zenith"):
            with Client(world.url, world.token("orders:read", claims={"tenant": tenant})) as caller:
                assert caller.call("find_orders", customer="c-17") == []
        for nobodys in (ABSENT, "", 7):
            with Client(world.url, world.token("orders:read", claims={"tenant": nobodys})) as caller:
                with pytest.raises(Turned) as refused:
                    caller.call("find_orders", customer="c-17")
                assert refused.value.status == 401
        assert world.executions.taken() == 2
    told = [each["data"].get("tenant") for each in records(world) if "tool.attempt" in each["type"]]
    assert told == ["tenant-a", "zenith"]
    denied = [each["data"]["reason"] for each in records(world) if "authn.denied" in each["type"]]
    assert denied == ["token.claims"] * 3


def test_without_an_agent_there_is_no_start_and_a_restart_may_help(orders):
    with orders.world(start_deadline="1s") as world:
        world.workload_api.set_fault(Fault.UNAVAILABLE)
        code, said = orders.refusal(world)
    assert (code, said["reason"], said["stage"]) == (75, "no-identity", "identity")
    assert "server.ready" not in types(world)


def test_another_identity_than_the_expected_one_is_no_identity(orders):
    with orders.world(start_deadline="1s") as world:
        world.workload_api.set_identities("somebody-else")
        code, said = orders.refusal(world)
    assert code in (75, 78)
    assert said["stage"] == "identity"
    assert "server.ready" not in types(world)


def test_without_an_issuer_there_is_no_start(orders):
    with orders.world(start_deadline="1s") as world:
        world.issuer.stop()
        code, said = orders.refusal(world)
    assert (code, said["reason"]) == (75, "no-keys")
    assert "check that it answers" in said["fix"]


def test_an_issuer_without_a_key_for_what_is_accepted_is_told_from_one_that_is_away(orders):
    """Keycloak makes its key for an algorithm when it first signs with it: before, its set has none."""
    with orders.world(start_deadline="1s") as world:
        encrypting = {"kty": "RSA", "kid": "e", "use": "enc", "n": "AQ", "e": "AQAB"}
        signing = {"kty": "RSA", "kid": "s", "use": "sig", "n": "AQ", "e": "AQAB"}
        world.issuer.faults.key_document = {"keys": [encrypting, signing]}
        code, said = orders.refusal(world)
    assert (code, said["reason"]) == (75, "no-keys")
    assert "no allowed algorithm uses a key of `RSA`)" in said["what"]
    assert "compare `algorithms`" in said["fix"]


def test_an_address_in_use_is_refused_and_a_restart_may_help(orders):
    with orders.world() as world:
        port = int(world.url.split(":")[2].split("/")[0])
        with socket.create_server(("127.0.0.1", port)):
            code, said = orders.refusal(world)
    assert (code, said["reason"], said["field"]) == (75, "address-in-use", "server.listen")


def test_an_audit_that_cannot_be_written_is_no_start(orders):
    with orders.world() as world:
        world.audit_directory.write_text("a file is no directory")
        code, said = orders.refusal(world)
    assert (code, said["reason"]) == (75, "audit-unwritable")


def test_an_app_that_does_not_open_is_refused(orders):
    orders.edit(
        "src/orders/server.py",
        "    yield OrderStore",
        '    raise RuntimeError("no database")\n    yield OrderStore',
    )
    with orders.world() as world:
        code, said = orders.refusal(world)
    assert (code, said["reason"]) == (78, "app-not-opened")
    assert "RuntimeError" in said["what"]


def test_a_rule_that_permits_is_refused(orders):
    orders.append(
        "policy/rules.cedar", '\n@id("team:all")\n@says("all")\npermit (principal, action, resource);\n'
    )
    with orders.world() as world:
        code, said = orders.refusal(world)
    assert (code, said["reason"]) == (78, "policy-permits")


def _without_world(world):
    """The same surroundings, without the variables that name them."""

    class Bare:
        directory = world.directory
        audit_directory = world.audit_directory
        readiness_url = world.readiness_url

        @staticmethod
        def server(package, **environ):
            server = world.server(package, **environ)
            server._environment.pop("LAUNCHWORTHY_WORLD")
            return server

    return Bare
