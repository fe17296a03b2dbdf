"""What holds for every environment, file and value: refusals are problems that never say the value."""

from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from launchworthy.settings import AppSettings, Identifier, ProjectFiles, load_settings, parse_secret_ref
from launchworthy.settings.closed import Url
from launchworthy.vocabulary import Problem, ProblemError

PRODUCTION = """\
[server]
resource = "https://orders.acme.example/mcp"
listen = "0.0.0.0:8443"
health_bind = "0.0.0.0:8081"
tls = "ingress"
[identity]
kind = "spiffe"
expected_id = "spiffe://acme.example/ns/orders/sa/orders"
trust_domains = ["acme.example"]
endpoint = "unix:///spiffe-workload-api/spire-agent.sock"
[issuers.acme]
issuer = "https://login.acme.example"
algorithms = ["ES256"]
[audit]
directory = "/var/log/launchworthy"
[control]
file = "/etc/launchworthy/control.toml"

[app]
region = "eu"
"""
CANARY = "q7Zr canary"
VARIABLES = st.one_of(
    st.text(st.characters(codec="utf-8", exclude_characters="=\0"), min_size=1, max_size=30),
    st.from_regex(r"LAUNCHWORTHY_[A-Z_]{1,20}", fullmatch=True),
    st.sampled_from(
        ["LAUNCHWORTHY_SERVER__LISTEN", "LAUNCHWORTHY_AUDIT__DIRECTORY", "LAUNCHWORTHY_SERVER__RESOURCE"]
    ),
)


class Shop(AppSettings):
    region: Identifier = "eu"


def problems_of(environ: dict[str, str], text: str) -> tuple[Problem, ...]:
    """Why a production server does not start; nothing where it does."""
    files = {"config/production.toml": text.encode("utf-8", "surrogatepass")}
    project = ProjectFiles(root=Path("/srv"), installed=False, package="orders", files=files)
    try:
        load_settings({**environ, "LAUNCHWORTHY_ENVIRONMENT": "production"}, project, Shop)
    except ProblemError as error:
        return error.problems
    return ()


def test_the_file_that_the_others_vary_loads() -> None:
    assert problems_of({}, PRODUCTION) == ()


@settings(max_examples=50)
@given(environ=st.dictionaries(VARIABLES, st.text(max_size=30).map(f"{CANARY} {{}}".format), max_size=4))
def test_no_variable_does_more_than_be_refused(environ: dict[str, str]) -> None:
    for problem in problems_of(environ, PRODUCTION):
        assert CANARY not in repr(problem)
        assert problem.fix
        assert problem.what


@settings(max_examples=50)
@given(text=st.one_of(st.text(max_size=300), st.text(max_size=80).map(f"{PRODUCTION}\n{{}}".format)))
def test_no_file_does_more_than_be_refused(text: str) -> None:
    assert all(problem.reason and problem.where for problem in problems_of({}, text))


@settings(max_examples=50)
@given(value=st.text(st.characters(exclude_categories=["Cs"]), max_size=60))
def test_no_value_of_a_field_is_said(value: str) -> None:
    written = "".join(f"\\U{ord(character):08x}" for character in f"{CANARY}{value}")
    found = problems_of({}, PRODUCTION.replace('"https://login.acme.example"', f'"{written}"'))
    assert found
    assert CANARY not in repr(found)


@given(text=st.text(max_size=80))
def test_a_url_holds_no_userinfo_query_or_fragment(text: str) -> None:
    try:
        url = TypeAdapter(Url).validate_python(f"https://{text}")
    except ValidationError:
        return
    assert not set(url.removeprefix("https://").partition("/")[0]) & set("@?# \\")
    assert "?" not in url
    assert "#" not in url


@given(text=st.text(max_size=80), scheme=st.sampled_from(["file:/run/secrets/", "openbao:"]))
def test_a_reference_is_read_as_it_is_written_or_not_at_all(text: str, scheme: str) -> None:
    try:
        reference = parse_secret_ref(f"{scheme}{text}")
    except ValueError:
        return
    assert str(reference) == f"{scheme}{text}"
