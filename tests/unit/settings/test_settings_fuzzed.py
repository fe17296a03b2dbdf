"""Secrets by every notation and source, as a seeded generator mixes them: refused, and no piece is said."""

import base64
import json
import random
from collections.abc import Callable

import pytest
from pydantic import Field, computed_field, model_validator
from settings_cases import PRODUCTION, everything_said, project

from launchworthy.settings import AppSettings, Identifier, Url, load_settings
from launchworthy.vocabulary import ProblemError

ALNUM = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
SENSITIVE = ("password", "token", "api_key", "client_secret", "dbPassword")
TABLES = ("server", "identity", "issuers.acme", "credentials.payments", "app", "app.shop", "state", "unknown")
VARIABLES = ("SHOP_PASSWORD", "x_token", "LAUNCHWORTHY_APP__TOKEN", "launchworthy_password", "API_KEY")
PIECE = 9
"""So many characters in a row of a secret are too many to say."""


class Shop(AppSettings):
    region: Identifier = "eu"


class Nested(AppSettings):
    shop: Shop = Shop()
    upstream: Url = "https://shop.acme.example"


def made(source: random.Random) -> str:
    """A secret: a token of a provider, a generated value, a JWT, or a private key over several lines."""

    def text(alphabet: str, size: int) -> str:
        return "".join(source.choices(alphabet, k=size))

    def part(value: object) -> str:
        return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")

    def lines() -> str:
        body = base64.b64encode(source.randbytes(300)).decode()
        label = "PRIVATE" + " KEY"
        return "\n".join((f"-----BEGIN {label}-----", body[:64], body[64:128], f"-----END {label}-----"))

    kinds: tuple[Callable[[], str], ...] = (
        lambda: "gh" + "p_" + text(ALNUM, 36),
        lambda: "da" + "pi" + text("0123456789abcdef", 32),
        lambda: "sk" + "_live_" + text(ALNUM, 24),
        lambda: part({"alg": "ES256"}) + "." + part({"sub": text(ALNUM, 9)}) + "." + text(ALNUM, 64),
        lambda: base64.b64encode(lines().encode()).decode(),
        lines,
    )
    return source.choice(kinds)()


def escaped(text: str) -> str:
    """As TOML lets anybody write it."""
    return "".join(f"\\U{ord(character):08x}" for character in text)


def notation(source: random.Random, secret: str) -> str:
    """A TOML value that is, or holds, this text."""
    quoted = secret.replace("\n", "\\n")
    half = len(secret) // 2
    kinds = [
        f'"{quoted}"', f'"""\n{secret}"""', f'"{escaped(secret)}"', f'["a", "{quoted}"]',
        f'{{ inner = "{quoted}" }}', f'[{{ token = "{quoted}" }}]', f"'''{secret}'''",
    ]  # fmt: skip
    if "\n" not in secret:
        kinds += [f"'{secret}'", f'"""{secret[:half]}\\\n    {secret[half:]}"""']
    return source.choice(kinds)


def in_a_variable(source: random.Random, secret: str) -> dict[str, str]:
    """An environment with this text in a value, in JSON in a value, or in a name."""
    kinds = [
        {source.choice(VARIABLES): secret},
        {"JSON": json.dumps({"a": [{source.choice(SENSITIVE): secret}]})},
    ]
    if "\n" not in secret:
        kinds.append({f"LAUNCHWORTHY_{secret}": "1"})
    return source.choice(kinds)


def arranged(seed: int) -> tuple[str, str, dict[str, str]]:
    """A secret, the settings file and the environment that it stands in."""
    source = random.Random(seed)  # noqa: S311 - repeatable, not secret
    secret, table = made(source), source.choice(TABLES)
    name = source.choice((*SENSITIVE, "region", "note", "upstream"))
    line = f"\n[{table}.z]\n{name} = {notation(source, secret)}\n"
    match source.choice(("value", "name", "broken", "comment", "variable", "variable")):
        case "value":
            return secret, PRODUCTION + line, {}
        case "name":
            return secret, f'{PRODUCTION}\n[{table}.z]\n"{escaped(secret)}" = 1\n', {}
        case "broken":
            return secret, f'{PRODUCTION}\n{name} = "{secret}"\nlimit = = 3\n', {}
        case "comment":
            commented = "\n".join(f"# {each}" for each in secret.splitlines())
            return secret, f"{PRODUCTION}\n{commented}\n", {}
    return secret, PRODUCTION, in_a_variable(source, secret)


@pytest.mark.parametrize("tens", range(12))
def test_a_secret_in_any_dress_is_refused_and_no_piece_of_it_is_said(tens: int) -> None:
    for seed in range(tens * 10, tens * 10 + 10):
        secret, text, variables = arranged(seed)
        environ = {"LAUNCHWORTHY_ENVIRONMENT": "production", **variables}
        with pytest.raises(ProblemError) as error:
            load_settings(environ, project(production=text), (None, Shop, Nested)[seed % 3])
        assert {problem.reason for problem in error.value.problems} == {"secret-by-value"}, seed
        said = everything_said(error.value)
        body = secret.splitlines()[1] if "\n" in secret else secret
        pieces = {body[at : at + PIECE] for at in range(len(body) - PIECE + 1)}
        assert [piece for piece in pieces if piece in said] == [], seed


def test_without_the_secret_the_same_file_loads() -> None:
    for app in (None, Shop, Nested):
        environ = {"LAUNCHWORTHY_ENVIRONMENT": "production", "SETTINGS": '{"a": [{"region": "eu"}]}'}
        load_settings(environ, project(production=f"{PRODUCTION}\n# region: eu\n"), app)


GENERATED = "b3390cc0a8aff6dcf0f3" + "29df5d0f4810098dd6d3"


@pytest.mark.parametrize("variable", [f"LAUNCHWORTHY_{GENERATED}", f"launchworthy_app__{GENERATED}"])
def test_a_variable_of_ours_with_a_generated_name_is_not_said(variable: str) -> None:
    environ = {"LAUNCHWORTHY_ENVIRONMENT": "production", variable: "x"}
    with pytest.raises(ProblemError) as error:
        load_settings(environ, project(production=PRODUCTION), None)
    assert GENERATED not in everything_said(error.value)


def test_a_field_with_a_generated_name_is_not_said() -> None:
    with pytest.raises(ProblemError) as error:
        load_settings(
            {"LAUNCHWORTHY_ENVIRONMENT": "production"},
            project(production=f"{PRODUCTION}\n[app]\n{GENERATED} = 1\n"),
            Shop,
        )
    assert GENERATED not in everything_said(error.value)


def test_a_variable_of_others_with_a_generated_name_is_left_alone() -> None:
    environ = {"LAUNCHWORTHY_ENVIRONMENT": "production", f"POD_{GENERATED}": "x"}
    load_settings(environ, project(production=PRODUCTION), None)


TOKEN = "gh" + "p_" + "zQWBuTSOoRi4A9spHcVY5ncnsDkxkJ" + "0mLq17"


@pytest.mark.parametrize(
    "said",
    [{"title": TOKEN}, {"description": f"such as {TOKEN}"}, {"examples": [TOKEN]},
     {"json_schema_extra": {"x-note": [TOKEN]}}, {"json_schema_extra": {"password": "Kestrel" + "904x"}}],
)  # fmt: skip
def test_a_secret_in_what_the_schema_says_of_a_field_is_refused(said: dict[str, object]) -> None:
    with pytest.raises(TypeError, match="region") as error:

        class Told(AppSettings):
            region: Identifier = Field(default="eu", **said)  # type: ignore[arg-type, pydantic-field]

    assert TOKEN not in everything_said(error.value)


def test_what_a_schema_says_without_a_secret_is_fine() -> None:
    class Told(AppSettings):
        region: Identifier = Field(
            default="eu", title="Region", description="token exchange", examples=["eu"]
        )

    assert Told().region == "eu"


def test_a_computed_field_is_refused() -> None:
    with pytest.raises(TypeError, match="computed"):

        class Computed(AppSettings):
            region: Identifier = "eu"

            @computed_field  # type: ignore[prop-decorator]
            @property
            def token(self) -> str:
                return TOKEN


class Sly(AppSettings):
    """Its own validator comes after ours."""

    region: Identifier = "eu"

    @model_validator(mode="after")
    def put(self) -> "Sly":
        self.__dict__["region"] = TOKEN
        return self


def test_a_secret_that_a_validator_of_the_team_s_puts_there_is_found_from_outside() -> None:
    with pytest.raises(ProblemError) as error:
        load_settings({"LAUNCHWORTHY_ENVIRONMENT": "production"}, project(production=PRODUCTION), Sly)
    assert error.value.problems[0].reason == "secret-by-value"
    assert TOKEN not in everything_said(error.value)
