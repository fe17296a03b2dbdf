"""A secret by every source stops the start: the field is named, the value in no output."""

import traceback
from pathlib import Path
from typing import Annotated

import pytest
from pydantic import Field, TypeAdapter, ValidationError
from settings_cases import (
    PRODUCTION,
    WORLD,
    changed,
    everything_said,
    in_production,
    in_rehearsal,
    project,
    refused,
    world_file,
)

from launchworthy.settings import AppSettings, DataFile, Duration, Hostname, Identifier, Url, load_settings
from launchworthy.vocabulary import ProblemError

HEX = "4f1c9e07ab62d835f0c47e19b6a2d853"
TOKEN = "gh" + "p_" + "zQWBuTSOoRi4A9spHcVY5ncnsDkxkJ" + "0mLq17"
LOWER_TOKEN = "da" + "pi" + HEX
"""A token that has the form of an identifier."""
PASSWORD = "Lantern" + "88orchid"
CHOSEN = "hunter" + "2"


class Shop(AppSettings):
    """Where the shop keeps its orders."""

    database: DataFile | None = None
    upstream: Url = "https://shop.acme.example"
    region: Identifier = "eu-west"
    peer: Hostname | None = None
    wait: Duration = 5.0
    limit: Annotated[int, Field(ge=1, le=100)] = 10


class Nested(AppSettings):
    """A table in a table."""

    shop: Shop = Shop()


SOURCES_IN_THE_FILE = {
    "under a sensitive name": (
        f'[credentials.payments]\ntoken = "{TOKEN}"\n',
        "credentials.payments.token",
        TOKEN,
    ),
    "chosen by a person": (f'[app]\npassword = "{PASSWORD}"\n', "app.password", PASSWORD),
    "under a harmless name": (f'[app]\nregion = "{TOKEN}"\n', "app.region", TOKEN),
    "in the form that the field wants": (f'[app]\nregion = "{LOWER_TOKEN}"\n', "app.region", LOWER_TOKEN),
    "in a URL's user": (
        f'[app]\nupstream = "https://u:{PASSWORD}@shop.acme.example"\n',
        "app.upstream",
        PASSWORD,
    ),
    "in a URL's query": (
        f'[app]\nupstream = "https://shop.acme.example/?api_key={HEX}"\n',
        "app.upstream",
        HEX,
    ),
    "in a list": (f'[app]\nregions = ["eu", "{TOKEN}"]\n', "app.regions.1", TOKEN),
    "in a path": (f'[app]\ndatabase = "x/{TOKEN}"\n', "app.database", TOKEN),
    "in a nested table": (f'[app.shop]\nregion = "{TOKEN}"\n', "app.shop.region", TOKEN),
    "as file reference": (f'[app]\npassword = "{CHOSEN}"\n', "app.password", CHOSEN),
    "in a table of tables": (f'[[app.shops]]\nname = "{TOKEN}"\n', "app.shops.0.name", TOKEN),
}


@pytest.mark.parametrize(("text", "field", "value"), SOURCES_IN_THE_FILE.values(), ids=SOURCES_IN_THE_FILE)
@pytest.mark.parametrize("app", [None, Shop, Nested])
def test_a_secret_in_the_settings_file(
    text: str, field: str, value: str, app: type[AppSettings] | None
) -> None:
    with pytest.raises(ProblemError) as error:
        in_production(f"{PRODUCTION}\n{text}", app)
    problem = refused(error)
    line = len(PRODUCTION.splitlines()) + 3
    assert (problem.reason, problem.field) == ("secret-by-value", field)
    assert problem.where in (f"config/production.toml:{line}", f"config/production.toml:{line - 1}")
    assert value not in everything_said(error.value)


def test_the_message_of_a_secret_is_the_one_that_people_know() -> None:
    with pytest.raises(ProblemError) as error:
        in_production(f'{PRODUCTION}\n[credentials.payments]\ntoken = "{TOKEN}"\n')
    problem = refused(error)
    where = f"config/production.toml:{len(PRODUCTION.splitlines()) + 3}"
    assert problem.lines()[0] == f"{where} holds a secret in `credentials.payments.token`"


def test_the_secret_is_named_first_when_two_things_are_wrong() -> None:
    text = changed(PRODUCTION, ("resource =", "resorce ="), ('tls = "ingress"', 'tls = "spiffe"'))
    with pytest.raises(ProblemError) as error:
        in_production(f'{text}\n[app]\nregion = "{TOKEN}"\n', Shop)
    assert refused(error).reason == "secret-by-value"
    with pytest.raises(ProblemError) as error:
        in_production(text, None)
    assert refused(error).reason != "secret-by-value"


def test_a_file_without_a_secret_loads() -> None:
    text = f'{PRODUCTION}\n[app]\nregion = "eu-north"\nupstream = "https://api.acme.example/v1"\n'
    loaded = in_production(text, Shop)
    assert isinstance(loaded.app, Shop)
    assert loaded.app.region == "eu-north"


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("LAUNCHWORTHY_SERVER__LISTEN", TOKEN),
        ("LAUNCHWORTHY_IDENTITY__ENDPOINT", f"https://u:{PASSWORD}@agent.acme.example"),
        ("LAUNCHWORTHY_CREDENTIALS__PAYMENTS__TOKEN", TOKEN),
        ("LAUNCHWORTHY_API_KEY", HEX),
        ("LAUNCHWORTHY_ISSUERS", f'{{"acme": {{"token": "{TOKEN}"}}}}'),
        ("DATABASE_URL", f"postgres://orders:{PASSWORD}@db/orders"),
        ("SHOP_PASSWORD", PASSWORD),
        ("GITHUB_TOKEN", TOKEN),
        ("AWS_SECRET_ACCESS_KEY", "a" + HEX),
        ("NOTE", TOKEN),
        ("https_proxy", f"http://proxy:{PASSWORD}@proxy.acme.example:3128"),
        ("SETTINGS_JSON", f'{{"token": "{TOKEN}"}}'),
    ],
    ids=lambda text: text[:13],  # no report of tests shall look like a secret
)
def test_a_secret_in_the_environment_of_the_real_world(variable: str, value: str) -> None:
    with pytest.raises(ProblemError) as error:
        in_production(**{variable: value})
    problem = refused(error)
    assert problem.reason == "secret-by-value"
    assert variable in (problem.where, problem.field) or variable in problem.what
    said = everything_said(error.value)
    assert value not in said
    assert not any(secret in said for secret in (TOKEN, PASSWORD, HEX))


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("PATH", "/usr/bin:/bin"),
        ("PWD", "/srv/orders"),
        ("OLDPWD", "/"),
        ("GPG_KEY", "E3FF2839C048B25C084DEBE9B26995E310250568"),
        ("PYTHON_SHA256", HEX * 2),
        ("AWS_WEB_IDENTITY_TOKEN_FILE", "/var/run/secrets/eks.amazonaws.com/serviceaccount/token"),
        ("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", "/var/run/secrets/pods.eks.amazonaws.com/token"),
        ("AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://169.254.170.23/v1/credentials"),
        ("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "/v2/credentials/f47ac10b-58cc-4372-a567-0e02b2c3d479"),
        ("AZURE_FEDERATED_TOKEN_FILE", "/var/run/secrets/azure/tokens/azure-identity-token"),
        ("CREDENTIALS_DIRECTORY", "/run/credentials/orders.service"),
        ("SPIFFE_ENDPOINT_SOCKET", "unix:///spiffe-workload-api/spire-agent.sock"),
        ("KUBERNETES_SERVICE_HOST", "10.0.0.1"),
        ("KUBERNETES_PORT", "tcp://10.0.0.1:443"),
        ("TOKEN_BROKER_SERVICE_HOST", "10.0.0.7"),
        ("TOKEN_BROKER_PORT_443_TCP", "tcp://10.0.0.7:443"),
        ("SECRETS_SERVICE_PORT_HTTPS", "443"),
        ("SSH_AUTH_SOCK", "/run/user/1000/ssh-agent"),
        ("HOSTNAME", "orders-7d4-k2x"),
        ("INVOCATION_ID", HEX),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://collector:4318"),
    ],
)
def test_what_platforms_inject_is_no_secret(variable: str, value: str) -> None:
    assert in_production(**{variable: value}).environment == "production"


def test_the_path_of_google_s_credentials_is_no_secret() -> None:
    in_production(GOOGLE_APPLICATION_CREDENTIALS="/var/run/secrets/gcp/credentials.json")


def test_a_secret_in_the_world_file(tmp_path: Path) -> None:
    world = changed(WORLD, ('"http://127.0.0.1:9000"', f'"http://u:{PASSWORD}@127.0.0.1:9000"'))
    with pytest.raises(ProblemError) as error:
        in_rehearsal(tmp_path, world=world)
    problem = refused(error)
    assert (problem.reason, problem.field) == ("secret-by-value", "issuers.acme.issuer")
    assert problem.where == f"{tmp_path}/world.toml:16"
    assert PASSWORD not in everything_said(error.value)
    assert in_rehearsal(tmp_path).server.resource == "http://127.0.0.1:8443/mcp"


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("LAUNCHWORTHY_SERVER__LISTEN", TOKEN),
        ("LAUNCHWORTHY_AUDIT__DIRECTORY", f"/x/{TOKEN}"),
    ],
)
def test_a_secret_in_a_variable_of_ours_in_the_simulated_world(
    tmp_path: Path, variable: str, value: str
) -> None:
    with pytest.raises(ProblemError) as error:
        in_rehearsal(tmp_path, **{variable: value})
    problem = refused(error)
    assert (problem.reason, problem.where) == ("secret-by-value", variable)
    assert TOKEN not in everything_said(error.value)


def test_a_secret_in_an_unknown_variable_of_ours_is_named_first(tmp_path: Path) -> None:
    with pytest.raises(ProblemError) as error:
        in_rehearsal(tmp_path, LAUNCHWORTHY_API_KEY=TOKEN)
    assert TOKEN not in everything_said(error.value)
    assert refused(error).reason == "secret-by-value"


def test_a_secret_beside_broken_toml_is_named_first() -> None:
    with pytest.raises(ProblemError) as error:
        in_production(f'{PRODUCTION}\n[app]\nregion = "{TOKEN}"\nlimit = = 3\n', Shop)
    assert TOKEN not in everything_said(error.value)
    assert refused(error).reason == "secret-by-value"


def test_a_secret_in_a_comment_is_one_too() -> None:
    with pytest.raises(ProblemError) as error:
        in_production(f'{PRODUCTION}\n# token = "{TOKEN}"\n')
    assert refused(error).reason == "secret-by-value"


def test_a_secret_used_as_a_name_is_not_said() -> None:
    with pytest.raises(ProblemError) as error:
        in_production(f"{PRODUCTION}\n[app]\n{TOKEN} = true\n", Shop)
    assert TOKEN not in everything_said(error.value)


def test_a_variable_named_by_a_secret_is_not_said(tmp_path: Path) -> None:
    with pytest.raises(ProblemError) as error:
        in_rehearsal(tmp_path, **{f"LAUNCHWORTHY_{TOKEN}": "x"})
    assert TOKEN not in everything_said(error.value)


def test_a_world_named_by_a_secret_is_not_said() -> None:
    environ = {"LAUNCHWORTHY_ENVIRONMENT": "development", "LAUNCHWORTHY_WORLD": TOKEN}
    with pytest.raises(ProblemError) as error:
        load_settings(environ, project(), None)
    assert TOKEN not in everything_said(error.value)


def test_an_environment_named_by_a_secret_is_not_said() -> None:
    with pytest.raises(ProblemError) as error:
        load_settings({"LAUNCHWORTHY_ENVIRONMENT": TOKEN}, project(), None)
    assert refused(error).reason == "environment-unknown"
    assert TOKEN not in everything_said(error.value)


CANARY = "Canary words 77 that no detector knows"
FIELDS = [
    'server.resource = "{0}"',
    'server.listen = "{0}"',
    'server.tls = "{0}"',
    'server.data_directory = "{0}"',
    'server.allowed_origins = ["{0}"]',
    'server.revisions = ["{0}"]',
    'server.max_body = "{0}"',
    'server.grace = "{0}"',
    'identity.kind = "{0}"',
    'identity.expected_id = "{0}"',
    'identity.trust_domains = ["{0}"]',
    'identity.endpoint = "{0}"',
    'identity.socket_owner_uids = ["{0}"]',
    'issuers.acme.issuer = "{0}"',
    'issuers.acme.algorithms = ["{0}"]',
    'issuers.acme.max_lifetime = "{0}"',
    'issuers.acme.scope_claim = "{0}"',
    'audit.directory = "{0}"',
    'audit.anchor = "{0}"',
    'promotion.records = "{0}"',
    'app.region = "{0}"',
    'app.upstream = "https://shop.acme.example/{0}"',
    'app.peer = "{0}"',
    'app.limit = "{0}"',
    'app.unknown = "{0}"',
    'unknown = "{0}"',
    'state.url = "{0}"',
]


def _with_canary(field: str) -> tuple[str, str]:
    """The production settings with one bad value, and the name of its field."""
    key, value = field.format(CANARY).split(" = ", 1)
    *tables, name = key.split(".")
    lines = [line for line in PRODUCTION.splitlines() if line.partition(" = ")[0] != name]
    head = f"[{'.'.join(tables)}]"
    if not tables:
        lines.insert(0, f"{name} = {value}")
    elif head in lines:
        lines.insert(lines.index(head) + 1, f"{name} = {value}")
    else:
        lines += [head, f"{name} = {value}"]
    return "\n".join(lines) + "\n", name


@pytest.mark.parametrize("field", FIELDS)
def test_a_bad_value_is_told_without_the_value(field: str) -> None:
    text, name = _with_canary(field)
    with pytest.raises(ProblemError) as error:
        in_production(text, Shop)
    printed = "\n".join(line for problem in error.value.problems for line in problem.lines())
    assert name in printed or "state" in printed
    assert CANARY not in printed
    assert CANARY not in "".join(traceback.format_exception(error.value))


@pytest.mark.parametrize("field", FIELDS)
def test_a_bad_value_is_nowhere_behind_the_error(field: str) -> None:
    text, _ = _with_canary(field)
    with pytest.raises(ProblemError) as error:
        in_production(text, Shop)
    assert CANARY not in everything_said(error.value)


def test_init_arguments_hold_no_secret() -> None:
    with pytest.raises(Exception) as error:  # noqa: PT011 - whichever it is, it says nothing
        Shop(region=TOKEN)
    assert "region" in str(error.value)
    assert TOKEN not in everything_said(error.value)


def test_a_secret_in_the_form_that_a_field_wants_is_refused_without_a_file_too() -> None:
    with pytest.raises(Exception) as error:  # noqa: PT011
        Shop(region=LOWER_TOKEN)
    assert LOWER_TOKEN not in everything_said(error.value)


def test_json_that_is_validated_by_hand_says_no_value() -> None:
    with pytest.raises(Exception) as error:  # noqa: PT011
        Shop.model_validate_json(f'{{"region": "{TOKEN}"}}')
    assert TOKEN not in everything_said(error.value)


def test_a_type_adapter_is_no_way_in() -> None:
    with pytest.raises(ValidationError):
        TypeAdapter(Shop).validate_python({"region": TOKEN})
    assert TypeAdapter(Shop).validate_python({"region": "eu-north"}).region == "eu-north"


def test_model_construct_and_updating_copies_are_refused() -> None:
    with pytest.raises(TypeError) as error:
        Shop.model_construct(region=TOKEN)
    assert TOKEN not in everything_said(error.value)
    with pytest.raises(TypeError) as error:
        Shop().model_copy(update={"region": TOKEN})
    assert TOKEN not in everything_said(error.value)
    assert Shop().model_copy() == Shop()


def test_settings_cannot_be_changed_after_they_were_made() -> None:
    shop = Shop()
    with pytest.raises(TypeError) as error:
        shop.region = TOKEN  # type: ignore[misc]
    assert TOKEN not in everything_said(error.value)
    assert shop.region == "eu-west"


def test_a_world_file_is_read_in_the_simulated_world_only(tmp_path: Path) -> None:
    with pytest.raises(ProblemError) as error:
        in_production(LAUNCHWORTHY_WORLD=world_file(tmp_path))
    assert refused(error).reason == "wrong-world"


@pytest.mark.parametrize(
    "text",
    [
        f'[app]\n{TOKEN} = "{TOKEN}"\n',
        f'[app.{TOKEN}]\nx = "hello"\n',
        f'["{TOKEN}"]\nx = "hello"\n',
        f"# see {TOKEN}\n",
        f'[app]\nregion = "eu" # was {TOKEN}\n',
    ],
)
def test_a_secret_anywhere_in_the_file_is_told_with_its_line_only(text: str) -> None:
    with pytest.raises(ProblemError) as error:
        in_production(f"{PRODUCTION}\n{text}", Shop)
    assert {problem.reason for problem in error.value.problems} == {"secret-by-value"}
    assert (refused(error).where or "").startswith("config/production.toml:")
    assert TOKEN not in everything_said(error.value)


def test_a_secret_is_told_once() -> None:
    with pytest.raises(ProblemError) as error:
        in_production(f'{PRODUCTION}\n[credentials.payments]\ntoken = "{TOKEN}"\n')
    assert len(error.value.problems) == 1
    assert refused(error).lines()[1:] == (
        "→ take it out and rotate it: whoever can read the repository or the image has it by now",
    )


@pytest.mark.parametrize("value", [f"/{TOKEN}", "hunter2", "/a b"])
def test_only_a_path_is_a_place(value: str) -> None:
    with pytest.raises(ProblemError) as error:
        in_production(GOOGLE_APPLICATION_CREDENTIALS=value)
    assert refused(error).reason == "secret-by-value"
