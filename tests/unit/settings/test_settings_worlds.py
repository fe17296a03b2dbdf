"""Two worlds that never mix: what each refuses of the other."""

import os
from pathlib import Path

import pytest
from settings_cases import (
    OWN_WORLD,
    PRODUCTION,
    WORLD,
    changed,
    in_production,
    in_rehearsal,
    project,
    refused,
    world_file,
)

from launchworthy.settings import AppSettings, DataFile, Settings, Url, inspect_settings, load_settings
from launchworthy.vocabulary import Environment, ProblemError


class Shop(AppSettings):
    upstream: Url
    database: DataFile | None = None


def in_development(directory: Path, text: str = "", world: str = WORLD, **variables: str) -> Settings:
    world = changed(world, ("key_fresh = 1", 'key_fresh = 1\nalgorithms = ["ES256"]'))
    environ = {"LAUNCHWORTHY_ENVIRONMENT": "development", "LAUNCHWORTHY_WORLD": world_file(directory, world)}
    return load_settings({**environ, **variables}, project(development=text), None)


def test_a_rehearsal_runs_the_promoted_settings_in_a_simulated_world(tmp_path: Path) -> None:
    loaded = in_rehearsal(tmp_path)
    assert loaded.environment is Environment.REHEARSAL
    assert loaded.rehearsed is Environment.PRODUCTION
    assert loaded.server.resource == "http://127.0.0.1:8443/mcp"
    assert loaded.server.tls == "ingress"
    assert loaded.issuers["acme"].algorithms == ("ES256", "RS256")
    assert loaded.issuers["acme"].key_fresh == 1
    assert loaded.audit.directory == tmp_path / "audit"
    assert loaded.world is not None
    assert loaded.world.execution_pipe == tmp_path / "pipe"


def test_a_rehearsal_is_of_what_production_has(tmp_path: Path) -> None:
    assert in_rehearsal(tmp_path).digest == in_production().digest


def test_a_rehearsal_is_of_what_its_file_says(tmp_path: Path) -> None:
    assert (
        inspect_settings(project(production=PRODUCTION), Environment.PRODUCTION).digest
        == in_production().digest
    )
    other = changed(PRODUCTION, ('max_lifetime = "1h"', 'max_lifetime = "2h"'))
    assert in_rehearsal(tmp_path, other).digest != in_rehearsal(tmp_path).digest


def test_another_environment_can_be_rehearsed(tmp_path: Path) -> None:
    staging = changed(PRODUCTION, ('max_lifetime = "1h"', 'max_lifetime = "2h"'))
    world = changed(WORLD, ("[world]", '[world]\nsettings = "staging"'))
    environ = {"LAUNCHWORTHY_ENVIRONMENT": "rehearsal", "LAUNCHWORTHY_WORLD": world_file(tmp_path, world)}
    loaded = load_settings(environ, project(production=PRODUCTION, staging=staging), None)
    assert loaded.rehearsed is Environment.STAGING
    assert loaded.issuers["acme"].max_lifetime == 7200


def test_every_promoted_field_that_the_world_replaced_is_listed_with_both_values(tmp_path: Path) -> None:
    replaced = {each.field: (each.promoted, each.rehearsed) for each in in_rehearsal(tmp_path).replaced}
    assert replaced["server.resource"] == ('"https://orders.acme.example/mcp"', '"http://127.0.0.1:8443/mcp"')
    assert "issuers.acme.algorithms" not in replaced
    assert in_production().replaced == ()


def test_a_default_that_the_world_replaced_is_listed_too(tmp_path: Path) -> None:
    replaced = {each.field: (each.promoted, each.rehearsed) for each in in_rehearsal(tmp_path).replaced}
    assert replaced["issuers.acme.key_fresh"] == ("300", "1")
    assert replaced["issuers.acme.jwks_uri"][0] == "null"


def test_every_deployment_field_that_the_world_replaced_is_listed_too(tmp_path: Path) -> None:
    fields = {each.field for each in in_rehearsal(tmp_path).replaced}
    assert {"server.listen", "server.health_bind", "identity.endpoint", "audit.directory"} <= fields


@pytest.mark.parametrize(
    ("after", "line"),
    [
        ("[server]", 'tls = "loopback"'),
        ("[server]", "max_body = 2048"),
        ("[server]", 'revisions = ["2025-11-25"]'),
        ("[identity]", 'call_timeout = "1s"'),
        ("[issuers.acme]", 'algorithms = ["ES256"]'),
        ("[issuers.acme]", 'leeway = "60s"'),
        ("[issuers.acme]", 'scope_claim = "scp"'),
        ("[audit]", 'anchor = "none"'),
        ("[world]", "trusts = true"),
        ("[world]", 'settings = "development"'),
        ("[world]", "[app]\nupstream = 'https://x.example'\n[worlds]"),
    ],
)
def test_a_world_replaces_nothing_else(tmp_path: Path, after: str, line: str) -> None:
    with pytest.raises(ProblemError) as error:
        in_rehearsal(tmp_path, world=changed(WORLD, (after, f"{after}\n{line}")))
    assert refused(error).reason in ("not-replaceable", "unknown-field", "bad-value")


def test_a_world_brings_no_issuer_of_its_own_to_a_rehearsal(tmp_path: Path) -> None:
    world = f'{WORLD}\n[issuers.mine]\nissuer = "http://127.0.0.1:9001"\n'
    with pytest.raises(ProblemError):
        in_rehearsal(tmp_path, world=world)


@pytest.mark.parametrize(
    ("old", "new", "field"),
    [
        ('"http://127.0.0.1:8443/mcp"', '"https://orders.acme.example/mcp"', "server.resource"),
        ('listen = "127.0.0.1:8443"', 'listen = "0.0.0.0:8443"', "server.listen"),
        ('health_bind = "127.0.0.1:8081"', 'health_bind = "10.0.0.5:8081"', "server.health_bind"),
        ('issuer = "http://127.0.0.1:9000"', 'issuer = "https://login.acme.example"', "issuers.acme.issuer"),
        ('"http://127.0.0.1:9000/keys"', '"https://login.acme.example/keys"', "issuers.acme.jwks_uri"),
        ("spiffe://dev.invalid/", "spiffe://acme.example/", "identity.expected_id"),
        ("spiffe://dev.invalid/", "spiffe://dev.invalid.acme.example/", "identity.expected_id"),
        ('["dev.invalid"]', '["dev.invalid", "acme.example"]', "identity.trust_domains"),
    ],
)
def test_one_real_thing_refuses_the_simulated_world(tmp_path: Path, old: str, new: str, field: str) -> None:
    for start in (in_rehearsal, in_development):
        with pytest.raises(ProblemError) as error:
            start(tmp_path, world=changed(WORLD, (old, new)))
        assert (refused(error).reason, refused(error).field) == ("wrong-world", field)
        start(tmp_path)


def test_an_issuer_that_the_world_does_not_replace_is_a_real_thing(tmp_path: Path) -> None:
    second = '\n[issuers.partner]\nissuer = "https://login.partner.example"\nalgorithms = ["ES256"]\n'
    with pytest.raises(ProblemError) as error:
        in_rehearsal(tmp_path, PRODUCTION + second)
    assert (refused(error).reason, refused(error).field) == ("wrong-world", "issuers.partner.issuer")


def test_a_socket_that_others_can_reach_is_a_real_thing(tmp_path: Path) -> None:
    shared = tmp_path / "shared"
    shared.mkdir()
    shared.chmod(0o777)
    with pytest.raises(ProblemError) as error:
        in_rehearsal(tmp_path, world=changed(WORLD, ("{directory}/agent.sock", f"{shared}/agent.sock")))
    assert refused(error).field == "identity.endpoint"


def test_the_agent_of_the_node_is_a_real_thing(tmp_path: Path) -> None:
    with pytest.raises(ProblemError) as error:
        in_rehearsal(
            tmp_path, world=changed(WORLD, ("{directory}/agent.sock", "/run/spire/agent/public/api.sock"))
        )
    assert refused(error).field == "identity.endpoint"


@pytest.mark.parametrize(
    ("old", "new", "reason", "field"),
    [
        ("https://orders.acme.example/mcp", "https://127.0.0.1/mcp", "wrong-world", "server.resource"),
        ("https://orders.acme.example/mcp", "https://localhost/mcp", "wrong-world", "server.resource"),
        ("https://orders.acme.example/mcp", "http://127.0.0.1:8443/mcp", "wrong-world", "server.resource"),
        ("https://orders.acme.example/mcp", "http://orders.acme.example/mcp", "bad-value", "server.resource"),
        ("https://login.acme.example", "http://127.0.0.1:9000", "wrong-world", "issuers.acme.issuer"),
        ("https://login.acme.example", "http://login.acme.example", "bad-value", "issuers.acme.issuer"),
        ("spiffe://acme.example/", "spiffe://dev.invalid/", "wrong-world", "identity.expected_id"),
        ('["acme.example"]', '["acme.example", "dev.invalid"]', "wrong-world", "identity.expected_id"),
        (
            "https://orders.acme.example/mcp",
            "https://orders.invalid/mcp",
            "placeholder-left",
            "server.resource",
        ),
        ("https://login.acme.example", "https://login.invalid", "placeholder-left", "issuers.acme.issuer"),
        ("spiffe://acme.example/", "spiffe://acme.invalid/", "placeholder-left", "identity.expected_id"),
        ('["acme.example"]', '["acme.invalid"]', "placeholder-left", "identity.trust_domains"),
        ('tls = "ingress"', 'tls = "loopback"', "wrong-world", "server.tls"),
        ('tls = "ingress"', "", "wrong-world", "server.tls"),
        (
            "https://login.acme.example",
            "https://login.localhost",
            "wrong-world",
            "issuers.acme.issuer",
        ),
        (
            'tls = "ingress"',
            'tls = "ingress"\nallowed_origins = ["https://app.invalid"]',
            "placeholder-left",
            "server.allowed_origins",
        ),
    ],
)
def test_the_real_world_refuses_what_is_simulated_or_left_for_later(
    old: str, new: str, reason: str, field: str
) -> None:
    with pytest.raises(ProblemError) as error:
        in_production(changed(PRODUCTION, (old, new)))
    assert (reason, field) in {(problem.reason, problem.field) for problem in error.value.problems}


def test_a_value_of_the_team_that_was_left_for_later_is_refused_in_production() -> None:
    with pytest.raises(ProblemError) as error:
        in_production(f'{PRODUCTION}\n[app]\nupstream = "https://shop.invalid"\n', Shop)
    assert refused(error).reason == "placeholder-left"


def test_a_value_that_was_left_for_later_runs_in_development(tmp_path: Path) -> None:
    environ = {
        "LAUNCHWORTHY_ENVIRONMENT": "development",
        "LAUNCHWORTHY_WORLD": world_file(tmp_path, OWN_WORLD),
    }
    text = '[server]\nresource = "https://orders.invalid/mcp"\n\n[app]\nupstream = "https://shop.invalid"\n'
    loaded = load_settings(environ, project(development=text), Shop)
    assert loaded.server.resource == "http://127.0.0.1:8443/mcp"


def test_development_needs_no_file_of_its_own(tmp_path: Path) -> None:
    environ = {
        "LAUNCHWORTHY_ENVIRONMENT": "development",
        "LAUNCHWORTHY_WORLD": world_file(tmp_path, OWN_WORLD),
    }
    loaded = load_settings(environ, project(), None)
    assert loaded.data_directory == tmp_path / "data"


def test_a_data_file_is_absolute_and_in_the_world_s_directory(tmp_path: Path) -> None:
    text = f'{PRODUCTION}\n[app]\nupstream = "https://shop.acme.example"\ndatabase = "orders.sqlite"\n'
    rehearsed, real = in_rehearsal(tmp_path, text, app=Shop), in_production(text, Shop)
    assert isinstance(rehearsed.app, Shop)
    assert isinstance(real.app, Shop)
    assert rehearsed.app.database == tmp_path / "data" / "orders.sqlite"
    assert real.app.database == Path("/var/lib/orders/orders.sqlite")


def test_a_rehearsal_without_a_world_is_refused() -> None:
    with pytest.raises(ProblemError) as error:
        load_settings({"LAUNCHWORTHY_ENVIRONMENT": "rehearsal"}, project(production=PRODUCTION), None)
    assert refused(error).reason == "no-world"


@pytest.mark.parametrize("name", ["missing.toml", ".", "closed.toml"])
def test_a_world_that_cannot_be_read_is_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / "closed.toml").write_text("", encoding="utf-8")
    (tmp_path / "closed.toml").chmod(0)
    if name == "closed.toml" and os.access(tmp_path / "closed.toml", os.R_OK):
        pytest.skip("this user reads everything")
    environ = {"LAUNCHWORTHY_ENVIRONMENT": "development", "LAUNCHWORTHY_WORLD": str(tmp_path / name)}
    with pytest.raises(ProblemError) as error:
        load_settings(environ, project(), None)
    assert refused(error).reason == "no-world"


def test_promoted_fields_leave_the_deployment_s_out() -> None:
    promoted = in_production().promoted
    assert promoted["server.resource"] == "https://orders.acme.example/mcp"
    assert (
        not {"server.listen", "server.health_bind", "identity.endpoint", "audit.directory"} & promoted.keys()
    )
    assert in_production(LAUNCHWORTHY_SERVER__LISTEN="127.0.0.1:1").digest == in_production().digest


def test_the_digest_is_of_the_values_and_not_of_how_they_are_written() -> None:
    spaced = changed(
        PRODUCTION, ("resource = ", "resource     = "), ('max_lifetime = "1h"', 'max_lifetime = "60m"')
    )
    assert in_production(f"# another comment\n{spaced}").digest == in_production().digest
    other = changed(PRODUCTION, ('["ES256", "RS256"]', '["ES256"]'))
    assert in_production(other).digest != in_production().digest


def test_what_is_required_in_a_rehearsal_comes_from_the_file_and_not_from_the_world(tmp_path: Path) -> None:
    with pytest.raises(ProblemError) as error:
        in_rehearsal(tmp_path, changed(PRODUCTION, ("expected_id = ", "# ")))
    assert (refused(error).reason, refused(error).where) == ("missing-field", "config/production.toml:9")
    listens_by_variable = changed(PRODUCTION, ('listen = "0.0.0.0:8443"', ""))
    assert in_rehearsal(tmp_path, listens_by_variable).digest == in_production().digest
    loaded = in_production(listens_by_variable, LAUNCHWORTHY_SERVER__LISTEN="127.0.0.1:1")
    assert loaded.digest == in_production().digest


def test_in_development_only_what_is_required_comes_from_the_world(tmp_path: Path) -> None:
    environ = {
        "LAUNCHWORTHY_ENVIRONMENT": "development",
        "LAUNCHWORTHY_WORLD": world_file(tmp_path, OWN_WORLD),
    }
    loaded = load_settings(environ, project(), None)
    assert loaded.promoted["server.resource"] == "http://127.0.0.1:8443/mcp"
    assert loaded.promoted["issuers.acme.jwks_uri"] is None
    assert loaded.promoted["identity.start_deadline"] == 30.0


def test_a_socket_whose_folder_is_missing_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ProblemError) as error:
        in_rehearsal(
            tmp_path, world=changed(WORLD, ("{directory}/agent.sock", "{directory}/none/agent.sock"))
        )
    assert (refused(error).reason, refused(error).field) == ("wrong-world", "identity.endpoint")
    (tmp_path / "none").mkdir(mode=0o755)
    in_rehearsal(tmp_path, world=changed(WORLD, ("{directory}/agent.sock", "{directory}/none/agent.sock")))


def test_a_key_for_the_list_in_the_store_goes_with_a_store() -> None:
    keyed = (('file = "/etc/launchworthy/control.toml"\n',
              'file = "/etc/launchworthy/control.toml"\nkey = "file:/run/secrets/control"\n'),)  # fmt: skip
    with pytest.raises(ProblemError) as error:
        in_production(changed(PRODUCTION, *keyed))
    assert (refused(error).reason, refused(error).field) == ("bad-value", "control.key")
    store = ("[control]\n", '[state]\nkind = "valkey"\nurl = "rediss://store.acme.example:6379"\n[control]\n')
    found = in_production(changed(PRODUCTION, *keyed, store))
    assert str(found.control.key) == "file:/run/secrets/control"


def test_how_many_replicas_there_are_is_the_deployments_to_say() -> None:
    assert in_production(PRODUCTION).server.replicas == 1
    said = in_production(PRODUCTION, LAUNCHWORTHY_SERVER__REPLICAS="3")
    assert said.server.replicas == 3
    assert said.digest == in_production(PRODUCTION).digest


def test_the_real_world_must_name_a_control_list() -> None:
    without = changed(PRODUCTION, ('[control]\nfile = "/etc/launchworthy/control.toml"\n', ""))
    with pytest.raises(ProblemError) as error:
        in_production(without)
    assert refused(error).reason == "no-control-file"
    assert in_production(PRODUCTION).control.file == Path("/etc/launchworthy/control.toml")


SIGN_IN = """
[credentials.payments]
broker = "developer"
issuer = "https://login.acme.example"
url = "https://sandbox.acme.example"
client = "developers"
"""


@pytest.mark.parametrize("environment", ["staging", "production", "rehearsal"])
def test_a_developers_own_sign_in_is_refused_by_name_outside_development(
    tmp_path: Path, environment: str
) -> None:
    text = PRODUCTION + SIGN_IN
    environ = {"LAUNCHWORTHY_ENVIRONMENT": environment}
    if environment == "rehearsal":
        environ["LAUNCHWORTHY_WORLD"] = world_file(tmp_path, WORLD)
    with pytest.raises(ProblemError) as error:
        load_settings(environ, project(production=text, staging=text), None)
    found = error.value.problems
    [problem] = [one for one in found if one.field == "credentials.payments.broker"]
    assert problem.reason == "wrong-world"
    assert "is a developer's own sign-in" in problem.what
    assert f"`{environment}`" in problem.what


def test_in_development_it_may_be_a_real_one(tmp_path: Path) -> None:
    loaded = in_development(tmp_path, SIGN_IN)
    assert loaded.credentials["payments"].broker == "developer"
    assert loaded.credentials["payments"].issuer == "https://login.acme.example"


def test_what_the_world_lends_by_another_broker_has_nothing_of_the_sign_in(tmp_path: Path) -> None:
    lent = """
[credentials.payments]
broker = "file"
reference = "file:/run/secrets/payments"
url = "http://127.0.0.1:9999"
"""
    loaded = in_development(tmp_path, SIGN_IN, WORLD + lent)
    assert loaded.credentials["payments"].broker == "file"
    assert loaded.credentials["payments"].client is None
