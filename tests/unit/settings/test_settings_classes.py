"""Which settings classes can be defined: those in which no field can hold a secret."""

import enum
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, ClassVar, Final, Literal
from uuid import UUID

import pytest
from pydantic import (
    AliasChoices,
    AliasPath,
    AnyUrl,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    HttpUrl,
    Json,
    PlainValidator,
    Secret,
    SecretBytes,
    SecretStr,
    StringConstraints,
    ValidationError,
    create_model,
)
from settings_cases import PRODUCTION, in_production, project

from launchworthy.settings import (
    AbsolutePath,
    AppSettings,
    DataFile,
    Duration,
    Hostname,
    Identifier,
    Origin,
    Reference,
    StrictSettings,
    Url,
    check_settings_class,
    load_settings,
)
from launchworthy.vocabulary import ProblemError, SecretRef, SecretScheme

TOKEN: Final = "gh" + "p_" + "zQWBuTSOoRi4A9spHcVY5ncnsDkxkJ" + "0mLq17"
LOWER_TOKEN = "da" + "pi" + "4f1c9e07ab62d835f0c47e19b6a2d853"


class Free(BaseModel):
    anything: str


class Colour(enum.StrEnum):
    RED = "red"


class Number(enum.IntEnum):
    ONE = 1


OPEN_TYPES = [
    str,
    str | None,
    bytes,
    Any,
    object,
    dict,
    dict[str, str],
    dict[str, Any],
    Mapping[str, Identifier],
    list,
    list[Identifier],
    set[Identifier],
    tuple,
    tuple[str, ...],
    SecretStr,
    SecretStr | None,
    SecretBytes,
    Secret[str],
    Json,
    Json[dict[str, str]],
    int,
    float,
    complex,
    Annotated[int, Field(ge=1)],
    Annotated[float, Field(le=1)],
    Annotated[str, Field(pattern="^a+$")],
    Annotated[str, Field(max_length=8)],
    Annotated[str, StringConstraints(max_length=8)],
    AnyUrl,
    HttpUrl,
    Path,
    UUID,
    datetime,
    Number,
    Free,
    type,
    Identifier | str,
    Url | bytes,
    tuple[Identifier | str, ...],
    SecretRef,
    SecretRef | None,
    SecretRef | Identifier,
    Reference | Identifier,
    Annotated[SecretRef, PlainValidator(lambda value: value)],
    Annotated[int, Field(ge=1, le=5), PlainValidator(lambda value: value)],
    Annotated[bool, PlainValidator(lambda value: value)],
    Annotated[Colour, BeforeValidator(lambda value: value)],
    Annotated[tuple[Identifier, ...], PlainValidator(lambda value: value)],
    SecretRef | str,
    Literal["red", TOKEN],
]


@pytest.mark.parametrize("kind", OPEN_TYPES, ids=range(len(OPEN_TYPES)))
def test_a_field_that_could_hold_anything_is_refused_when_the_class_is_defined(kind: Any) -> None:
    with pytest.raises(TypeError, match=r"Shop\.thing") as error:
        create_model("Shop", __base__=AppSettings, thing=(kind, ...))
    assert TOKEN not in str(error.value)


CLOSED_TYPES = [
    bool,
    Url,
    Url | None,
    Origin,
    Hostname,
    Identifier,
    Identifier | Hostname,
    Duration,
    DataFile,
    AbsolutePath,
    Colour,
    Literal["red", "green"],
    tuple[Identifier, ...],
    Annotated[int, Field(ge=1, le=5)],
    Annotated[float, Field(gt=0, lt=1)],
    Reference,
    Reference | None,
]


@pytest.mark.parametrize("kind", CLOSED_TYPES, ids=range(len(CLOSED_TYPES)))
def test_a_field_of_a_closed_type_is_allowed(kind: Any) -> None:
    made = create_model("Shop", __base__=AppSettings, thing=(kind, ...))
    assert list(check_settings_class(made)) == []


@pytest.mark.parametrize(
    "name", ["password", "token", "api_key", "client_secret", "db_pass", "signing_key", "jwt"]
)
def test_a_name_that_promises_a_secret_is_refused(name: str) -> None:
    with pytest.raises(TypeError, match=f"Shop.{name}"):
        create_model("Shop", __base__=AppSettings, **{name: (Identifier, ...)})  # type: ignore[call-overload]
    create_model("Shop", __base__=AppSettings, **{f"{name}_ttl": (Duration, 5.0)})  # type: ignore[call-overload]


@pytest.mark.parametrize(
    "field",
    [
        Field(alias="API_KEY"),
        Field(validation_alias="apiKey"),
        Field(serialization_alias="token"),
        Field(validation_alias=AliasChoices("region", "client_secret")),
        Field(validation_alias=AliasPath("credentials", "password")),
        Field(validation_alias=AliasChoices("region", AliasPath("x", "api_key"))),
    ],
)
def test_an_alias_that_promises_a_secret_is_refused(field: Any) -> None:
    with pytest.raises(TypeError, match="promises a secret"):
        create_model("Shop", __base__=AppSettings, region=(Identifier, field))
    create_model("Shop", __base__=AppSettings, region=(Identifier, Field(alias="place")))


@pytest.mark.parametrize(
    "config",
    [
        {"extra": "allow"},
        {"extra": "ignore"},
        {"frozen": False},
        {"strict": False},
        {"hide_input_in_errors": False},
        {"validate_default": False},
        {"revalidate_instances": "never"},
    ],
)
def test_a_subclass_cannot_weaken_the_configuration(config: Any) -> None:
    with pytest.raises(TypeError, match=next(iter(config))):
        type("Weak", (AppSettings,), {"model_config": ConfigDict(**config), "__module__": __name__})
    type("Strong", (AppSettings,), {"model_config": ConfigDict(title="Shop"), "__module__": __name__})


def test_a_subclass_cannot_open_a_field_of_its_parent() -> None:
    class Parent(AppSettings):
        region: Identifier

    with pytest.raises(TypeError, match=r"Child\.region"):

        class Child(Parent):
            region: str  # type: ignore[assignment]

    class Other(Parent):
        region: Hostname

    assert list(check_settings_class(Other)) == []


def test_a_nested_table_is_looked_into() -> None:
    class Inner(AppSettings):
        region: Identifier

    create_model("Outer", __base__=AppSettings, inner=(Inner, ...))
    with pytest.raises(TypeError, match=r"Outer\.inner"):
        create_model("Outer", __base__=AppSettings, inner=(Free, ...))


def test_a_table_that_only_says_that_it_was_checked_is_looked_into() -> None:
    class Liar(BaseModel):
        __launchworthy_checked__: ClassVar[bool] = True
        anything: str

    with pytest.raises(TypeError, match=r"Outer\.inner"):
        create_model("Outer", __base__=AppSettings, inner=(Liar, ...))


def test_a_default_in_the_code_that_is_a_secret_is_refused() -> None:
    with pytest.raises(TypeError, match="secret as its default") as error:
        create_model("Shop", __base__=AppSettings, region=(Identifier, LOWER_TOKEN))
    assert LOWER_TOKEN not in str(error.value)
    create_model("Shop", __base__=AppSettings, region=(Identifier, "eu-west"))


@pytest.mark.parametrize(
    ("kind", "default"),
    [
        (tuple[Identifier, ...], ("eu-west", LOWER_TOKEN)),
        (DataFile, Path(TOKEN)),
        (AbsolutePath, Path(f"/x/{TOKEN}")),
    ],
)
def test_a_secret_inside_a_default_is_refused(kind: Any, default: object) -> None:
    with pytest.raises(TypeError, match="secret as its default"):
        create_model("Shop", __base__=AppSettings, thing=(kind, default))


def test_a_secret_as_a_member_of_an_enumeration_is_refused() -> None:
    kind = enum.StrEnum("Kind", {"A": TOKEN})
    with pytest.raises(TypeError, match=r"Shop\.kind"):
        create_model("Shop", __base__=AppSettings, kind=(kind, ...))


def test_a_reference_in_a_table_follows_its_grammar() -> None:
    made = create_model("Shop", __base__=AppSettings, payments_token=(Reference, ...))
    for value in ('{"scheme": "file", "locator": "hunter2"}', '"hunter2"', '"file:hunter2"'):
        with pytest.raises(ValidationError, match="payments_token"):
            made.model_validate_json(f'{{"payments_token": {value}}}')
    loaded = in_production(f'{PRODUCTION}\n[app]\npayments_token = "file:/run/secrets/x"\n', made)
    assert loaded.app is not None
    assert str(loaded.app.payments_token) == "file:/run/secrets/x"  # type: ignore[attr-defined]
    with pytest.raises(ValidationError, match="payments_token"):
        made(payments_token=SecretRef(scheme=SecretScheme.FILE, locator="hunter2"))


def test_a_table_of_defaults_may_be_left_out() -> None:
    made = create_model("Shop", __base__=AppSettings, region=(Identifier, "eu-west"))
    assert in_production(PRODUCTION, made).app == made()


def test_a_data_file_may_have_a_path_as_its_default() -> None:
    made = create_model("Shop", __base__=AppSettings, database=(DataFile, Path("orders.sqlite")))
    loaded = in_production(f"{PRODUCTION}\n[app]\n", made)
    assert loaded.app is not None


def test_the_class_of_the_framework_s_own_tables_passes_its_own_check() -> None:
    loaded = in_production()
    for table in (loaded.server, loaded.identity, loaded.audit, loaded.promotion, *loaded.issuers.values()):
        assert isinstance(table, StrictSettings)
        assert list(check_settings_class(type(table))) == []


def test_a_server_without_a_class_takes_no_app_table() -> None:
    with pytest.raises(ProblemError, match="no settings class"):
        load_settings(
            {"LAUNCHWORTHY_ENVIRONMENT": "production"},
            project(production=f'{PRODUCTION}\n[app]\nregion = "eu"\n'),
            None,
        )
