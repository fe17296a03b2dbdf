"""Which source sets which field, and what a source may not do."""

import time
from pathlib import Path

import pytest
from pydantic import ValidationError
from settings_cases import (
    OWN_WORLD,
    PRODUCTION,
    changed,
    in_production,
    in_rehearsal,
    project,
    refused,
    world_file,
)

from launchworthy.settings import AppSettings, Identifier, load_settings
from launchworthy.vocabulary import Environment, ProblemError


class Shop(AppSettings):
    region: Identifier


@pytest.mark.parametrize("environ", [{}, {"LAUNCHWORTHY_ENVIRONMENT": ""}])
def test_the_environment_has_no_default(environ: dict[str, str]) -> None:
    with pytest.raises(ProblemError) as error:
        load_settings(environ, project(production=PRODUCTION, development=""), None)
    problem = refused(error)
    assert problem.reason == "environment-not-set"
    assert problem.lines() == (
        "`LAUNCHWORTHY_ENVIRONMENT` is not set, and nothing is assumed",
        "→ on your machine: launchworthy dev   ·   elsewhere: development, staging or production",
    )


@pytest.mark.parametrize("name", ["prod", "Production", "PRODUCTION", " production", "production\n"])
def test_an_environment_that_is_none_is_refused(name: str) -> None:
    with pytest.raises(ProblemError) as error:
        load_settings({"LAUNCHWORTHY_ENVIRONMENT": name}, project(production=PRODUCTION), None)
    assert refused(error).reason == "environment-unknown"
    assert in_production().environment is Environment.PRODUCTION


def test_an_environment_without_a_file_is_refused() -> None:
    with pytest.raises(ProblemError) as error:
        load_settings({"LAUNCHWORTHY_ENVIRONMENT": "staging"}, project(production=PRODUCTION), None)
    assert (refused(error).reason, refused(error).where) == ("no-settings", "config/staging.toml")


def test_every_field_of_a_file_arrives_and_says_where_it_came_from() -> None:
    loaded = in_production()
    assert loaded.server.resource == "https://orders.acme.example/mcp"
    assert loaded.server.listen == ("0.0.0.0", 8443)  # noqa: S104
    assert loaded.identity.trust_domains == ("acme.example",)
    assert loaded.issuers["acme"].max_lifetime == 3600
    assert loaded.audit.directory == Path("/var/log/launchworthy")
    assert loaded.promotion.records == Path("/etc/launchworthy/records")
    assert loaded.data_directory == Path("/var/lib/orders")
    assert loaded.sources["server.resource"] == "config/production.toml:4"
    assert loaded.sources["issuers.acme.algorithms"] == "config/production.toml:17"


@pytest.mark.parametrize(
    ("variable", "value", "field"),
    [
        ("LAUNCHWORTHY_SERVER__LISTEN", "10.1.2.3:9443", "server.listen"),
        ("LAUNCHWORTHY_SERVER__HEALTH_BIND", "0.0.0.0:9081", "server.health_bind"),
        ("LAUNCHWORTHY_SERVER__DATA_DIRECTORY", "/data", "server.data_directory"),
        ("LAUNCHWORTHY_IDENTITY__ENDPOINT", "unix:///run/spire/agent.sock", "identity.endpoint"),
        ("LAUNCHWORTHY_AUDIT__DIRECTORY", "/audit", "audit.directory"),
        ("LAUNCHWORTHY_CONTROL__FILE", "/control.toml", "control.file"),
        ("LAUNCHWORTHY_PROMOTION__RECORDS", "/records", "promotion.records"),
    ],
)
def test_a_variable_sets_a_deployment_field(variable: str, value: str, field: str) -> None:
    loaded, plain = in_production(**{variable: value}), in_production()
    assert loaded.sources[field] == variable
    assert loaded.digest == plain.digest
    table, name = field.split(".")
    assert getattr(getattr(loaded, table), name) != getattr(getattr(plain, table), name)


@pytest.mark.parametrize(
    "variable",
    [
        "LAUNCHWORTHY_SERVER__RESOURCE",
        "LAUNCHWORTHY_SERVER__TLS",
        "LAUNCHWORTHY_SERVER__MAX_BODY",
        "LAUNCHWORTHY_IDENTITY__EXPECTED_ID",
        "LAUNCHWORTHY_IDENTITY__SOCKET_OWNER_UIDS",
        "LAUNCHWORTHY_ISSUERS__ACME__ISSUER",
        "LAUNCHWORTHY_ISSUERS__ACME__LEEWAY",
        "LAUNCHWORTHY_AUDIT__ANCHOR",
    ],
)
@pytest.mark.parametrize("rehearsed", [True, False])
def test_a_variable_sets_no_promoted_field(tmp_path: Path, variable: str, *, rehearsed: bool) -> None:
    with pytest.raises(ProblemError) as error:
        in_rehearsal(tmp_path, **{variable: "none"}) if rehearsed else in_production(**{variable: "none"})
    problem = refused(error)
    assert problem.reason == "promoted-field-by-variable"
    assert variable in problem.what
    assert "promote" in "\n".join(problem.fix)


def test_in_development_a_variable_sets_any_scalar(tmp_path: Path) -> None:
    environ = {
        "LAUNCHWORTHY_ENVIRONMENT": "development",
        "LAUNCHWORTHY_WORLD": world_file(tmp_path, OWN_WORLD),
        "LAUNCHWORTHY_SERVER__MAX_BODY": "2048",
        "LAUNCHWORTHY_ISSUERS__ACME__LEEWAY": "5s",
    }
    loaded = load_settings(environ, project(), None)
    assert loaded.server.max_body == 2048
    assert loaded.issuers["acme"].leeway == 5.0


@pytest.mark.parametrize("value", ["many", "1 2", '"1024"', "[1]", "1024\nx = 2", ""])
def test_a_number_in_a_variable_is_one_toml_scalar(tmp_path: Path, value: str) -> None:
    environ = {
        "LAUNCHWORTHY_ENVIRONMENT": "development",
        "LAUNCHWORTHY_WORLD": world_file(tmp_path, OWN_WORLD),
        "LAUNCHWORTHY_SERVER__MAX_BODY": value,
    }
    with pytest.raises(ProblemError) as error:
        load_settings(environ, project(), None)
    assert refused(error).reason == "bad-value"


@pytest.mark.parametrize(
    "variable",
    [
        "LAUNCHWORTHY_",
        "LAUNCHWORTHY_SERVER",
        "LAUNCHWORTHY_LISTEN",
        "LAUNCHWORTHY_SERVER_LISTEN",
        "LAUNCHWORTHY_SERVER__LISTENING",
        "LAUNCHWORTHY_SERVER__LISTEN__0",
        "LAUNCHWORTHY_STORE__URL",
        "LAUNCHWORTHY_BUILD",
        "LAUNCHWORTHY_TRUST",
        "LAUNCHWORTHY_WORLD__TRUST",
        "launchworthy_server__listen",
        "Launchworthy_Environment",
    ],
)
def test_a_variable_of_ours_that_names_no_field_is_refused(variable: str) -> None:
    with pytest.raises(ProblemError) as error:
        in_production(**{variable: "x"})
    problem = refused(error)
    assert problem.reason in ("unknown-variable", "promoted-field-by-variable")
    assert variable in problem.what


def test_a_variable_of_others_is_left_alone() -> None:
    assert in_production(LAUNCH="x", LAUNCHWORTHINESS="y").environment is Environment.PRODUCTION


def test_a_misspelt_variable_is_asked_about() -> None:
    with pytest.raises(ProblemError) as error:
        in_production(LAUNCHWORTHY_SERVER__LISTN="127.0.0.1:1")
    assert "did you mean `LAUNCHWORTHY_SERVER__LISTEN`?" in refused(error).what


def test_in_development_a_variable_sets_a_field_of_the_team(tmp_path: Path) -> None:
    environ = {
        "LAUNCHWORTHY_ENVIRONMENT": "development",
        "LAUNCHWORTHY_WORLD": world_file(tmp_path, OWN_WORLD),
        "LAUNCHWORTHY_APP__REGION": "eu-north",
    }
    loaded = load_settings(environ, project(), Shop)
    assert isinstance(loaded.app, Shop)
    assert loaded.app.region == "eu-north"


def test_all_variables_that_are_wrong_are_told_at_once() -> None:
    with pytest.raises(ProblemError) as error:
        in_production(LAUNCHWORTHY_X="1", LAUNCHWORTHY_Y="2", LAUNCHWORTHY_SERVER__TLS="loopback")
    assert len(error.value.problems) == 3


@pytest.mark.parametrize(
    ("old", "new", "reason", "line", "says"),
    [
        (
            "resource =",
            "resorce =",
            "unknown-field",
            4,
            "has no field `resorce` in [server]; did you mean `resource`?",
        ),
        ('anchor = "stdout"', 'anchor = "files"', "bad-value", 22, "`anchor` in [audit]"),
        ("[audit]", "[audits]", "unknown-field", 20, "has no field `audits`; did you mean `audit`?"),
        ('tls = "ingress"', 'tls = "spiffe"', "bad-value", 3, "`peers`"),
        ('tls = "ingress"', 'tls = "spiffe"\npeers = ["acme.example"]', "bad-value", 8, "SPIFFE ID"),
        ('tls = "ingress"', 'peers = ["spiffe://acme.example/edge"]', "bad-value", 3, "spiffe"),
        (
            'tls = "ingress"',
            'tls = "spiffe"\npeers = ["spiffe://acme.example"]\nproxies = ["spiffe://acme.example"]',
            "bad-value",
            3,
            "single workloads",
        ),
        ('tls = "ingress"', "replicas = 0", "bad-value", 7, "`replicas`"),
        ('kind = "spiffe"', 'kind = "github"', "bad-value", 9, "github://actions"),
        ('kind = "spiffe"', 'kind = "gcp"', "bad-value", 10, "`kind`"),
        (
            'kind = "spiffe"',
            'kind = "spiffe"\nrevocation_grace = "31s"',
            "bad-value",
            11,
            "`revocation_grace`",
        ),
        ('max_lifetime = "1h"', 'max_lifetime = "25h"', "bad-value", 15, "24h"),
        ('algorithms = ["ES256", "RS256"]', "algorithms = []", "bad-value", 17, "`algorithms`"),
        ('algorithms = ["ES256", "RS256"]', 'algorithms = ["none"]', "bad-value", 17, "`algorithms`"),
        ('algorithms = ["ES256", "RS256"]', 'algorithms = ["HS256"]', "bad-value", 17, "`algorithms`"),
        ('trust_domains = ["acme.example"]', "trust_domains = []", "bad-value", 12, "`trust_domains`"),
        ('listen = "0.0.0.0:8443"', "", "missing-field", 3, "has no `listen` in [server]"),
    ],
)
def test_a_mistake_is_told_with_its_line(old: str, new: str, reason: str, line: int, says: str) -> None:
    with pytest.raises(ProblemError) as error:
        in_production(changed(PRODUCTION, (old, new)))
    problems = [problem for problem in error.value.problems if problem.reason == reason]
    assert problems, error.value.problems
    assert problems[0].where == f"config/production.toml:{line}"
    assert says in problems[0].what
    assert problems[0].fix


def test_second_judges_are_required_by_a_settings_file_only() -> None:
    assert not in_production(PRODUCTION).promotion.judges
    assert in_production(changed(PRODUCTION, ("[promotion]", "[promotion]\njudges = true"))).promotion.judges
    with pytest.raises(ProblemError):
        in_production(changed(PRODUCTION, ("[promotion]", '[promotion]\njudges = "yes"')))


VALKEY = '[state]\nkind = "valkey"\nurl = "rediss://valkey.orders.svc:6379"\n'


def test_a_shared_store_is_named_with_its_user_by_reference() -> None:
    more = 'user = "orders"\npassword = "file:/run/secrets/store"\nca = "/etc/ssl/store.pem"\n'
    state = in_production(f"{PRODUCTION}\n{VALKEY}{more}").state
    assert (state.kind, state.url, state.user) == ("valkey", "rediss://valkey.orders.svc:6379", "orders")
    assert in_production(PRODUCTION).state.kind == "memory"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("rediss://", "redis://"),
        ("rediss://", "https://"),
        ("valkey.orders.svc", "orders:hunter2-5f2b@valkey.orders.svc"),
        (":6379", ""),
        (":6379", ":6379/0"),
        (":6379", ":99999"),
        ('url = "rediss://valkey.orders.svc:6379"\n', ""),
        ('"valkey"', '"memory"'),
        ("url", 'user = "orders"\nurl'),
        ("url", 'password = "file:/run/secrets/store"\nurl'),
        ("url", 'user = "orders"\npassword = "hunter2' + '-5f2b"\nurl'),
        ("url", 'user = "orders"\npassword = "openbao:store/creds#word"\nurl'),
    ],
)
def test_a_store_that_would_not_hold_is_refused(before: str, after: str) -> None:
    with pytest.raises(ProblemError) as error:
        in_production(f"{PRODUCTION}\n{changed(VALKEY, (before, after))}")
    assert "hunter2-5f2b" not in str(error.value)


def test_a_file_that_is_no_toml_is_told_with_its_line() -> None:
    with pytest.raises(ProblemError) as error:
        in_production(changed(PRODUCTION, ('tls = "ingress"', "tls = ")))
    assert (refused(error).reason, refused(error).where) == ("not-toml", "config/production.toml:7")


@pytest.mark.parametrize(
    "content", [b"\xff\xfe", b"a = 1\n\x80", "# \u202e\n".encode(), b"x" * (1024 * 1024 + 1)]
)
def test_a_file_that_nobody_can_read_is_refused(content: bytes) -> None:
    files = project(production=PRODUCTION)
    hidden = type(files)(
        root=files.root, installed=False, package="orders", files={"config/production.toml": content}
    )
    with pytest.raises(ProblemError) as error:
        load_settings({"LAUNCHWORTHY_ENVIRONMENT": "production"}, hidden, None)
    assert refused(error).reason in ("not-utf8", "not-toml", "hidden-character")


@pytest.mark.speed
def test_settings_are_loaded_in_no_time() -> None:
    in_production()
    started = time.process_time()
    for _ in range(5):
        in_production()
    assert (time.process_time() - started) / 5 < 0.05


def test_two_variables_cannot_make_a_value_and_a_table_of_one_field(tmp_path: Path) -> None:
    environ = {
        "LAUNCHWORTHY_ENVIRONMENT": "development",
        "LAUNCHWORTHY_WORLD": world_file(tmp_path, OWN_WORLD),
        "LAUNCHWORTHY_APP__REGION": "eu-north",
        "LAUNCHWORTHY_APP__REGION__NAME": "x",
    }
    with pytest.raises(ProblemError) as error:
        load_settings(environ, project(), Shop)
    assert refused(error).reason == "unknown-variable"


def test_a_variable_of_the_team_s_is_told_by_its_name(tmp_path: Path) -> None:
    environ = {
        "LAUNCHWORTHY_ENVIRONMENT": "development",
        "LAUNCHWORTHY_WORLD": world_file(tmp_path, OWN_WORLD),
        "LAUNCHWORTHY_APP__REGION": "No Region",
    }
    with pytest.raises(ProblemError) as error:
        load_settings(environ, project(), Shop)
    assert (refused(error).reason, refused(error).where) == ("bad-value", "LAUNCHWORTHY_APP__REGION")
    with pytest.raises(ProblemError) as error:
        in_production(LAUNCHWORTHY_APP__REGION="eu-north")
    assert refused(error).reason == "promoted-field-by-variable"


@pytest.mark.parametrize("value", ["1", "true", "0", ""])
def test_a_variable_that_weakens_a_library_stops_the_start(value: str, tmp_path: Path) -> None:
    in_production()
    with pytest.raises(ProblemError) as error:
        in_production(AUTHLIB_INSECURE_TRANSPORT=value)
    assert [problem.reason for problem in error.value.problems] == ["weakening-variable"]
    with pytest.raises(ProblemError, match="AUTHLIB_INSECURE_TRANSPORT"):
        in_rehearsal(tmp_path, AUTHLIB_INSECURE_TRANSPORT=value)


def test_no_other_source_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Neither a `.env` beside the process, nor a directory of secrets, nor the command line."""
    canary = "ghp_" + "k3Yq" * 9
    (tmp_path / ".env").write_text(
        f"LAUNCHWORTHY_SERVER__RESOURCE=https://other.acme.example/{canary}\nserver={canary}\n"
    )
    (tmp_path / "server").write_text(canary)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.argv", ["orders", f"--server.resource={canary}", f"--password={canary}"])
    found = in_production(PRODUCTION)
    assert found.server.resource == "https://orders.acme.example/mcp"
    assert canary not in repr(found) + "".join(capsys.readouterr())
    for source in ({"env_file": ".env"}, {"secrets_dir": str(tmp_path)}, {"cli_parse_args": True}):
        fields = {"__annotations__": {"server": Identifier}, "__module__": __name__}
        weak = type("Weak", (AppSettings,), {"model_config": source, **fields})
        assert weak.model_validate({"server": "one"})
        with pytest.raises(ValidationError) as missing:  # nothing has filled it in
            weak.model_validate({})
        assert canary not in str(missing.value)
