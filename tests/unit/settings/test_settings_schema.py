"""The schema that editors read says what the loader takes."""

import tomllib
from typing import Annotated, Any

import pytest
from pydantic import Field
from settings_cases import PRODUCTION

from launchworthy.settings import AppSettings, Duration, Identifier, settings_schema


class Inner(AppSettings):
    wait: Duration = 5.0


class Shop(AppSettings):
    region: Identifier
    limit: Annotated[int, Field(ge=1, le=9)] = 3
    inner: Inner = Inner()


def resolved(schema: dict[str, Any], part: dict[str, Any]) -> dict[str, Any]:
    if "$ref" not in part:
        return part
    found: dict[str, Any] = schema["$defs"][part["$ref"].rpartition("/")[2]]
    return found


def test_every_field_of_a_settings_file_is_in_the_schema() -> None:
    schema = settings_schema(None)
    for table, fields in tomllib.loads(PRODUCTION).items():
        described = resolved(schema, schema["properties"][table])
        for name, value in fields.items():
            if table == "issuers":
                (each,) = described["patternProperties"].values()
                assert value.keys() <= resolved(schema, each)["properties"].keys()
            else:
                assert name in described["properties"]


@pytest.mark.parametrize(
    ("field", "local"), [("listen", True), ("health_bind", True), ("resource", False), ("tls", False)]
)
def test_deployment_fields_are_marked(field: str, *, local: bool) -> None:
    schema = settings_schema(None)
    described = resolved(schema, schema["properties"]["server"])["properties"][field]
    assert ("(local)" in described.get("description", "")) is local


def test_no_table_takes_unknown_fields() -> None:
    schema = settings_schema(Shop)
    assert schema["additionalProperties"] is False
    for name, described in schema["$defs"].items():
        if described["type"] == "object":
            assert described["additionalProperties"] is False, name


def test_the_team_s_own_table_is_in_it_when_its_class_is_given() -> None:
    assert "app" not in settings_schema(None)["properties"]
    schema = settings_schema(Shop)
    app = schema["properties"]["app"]
    assert app["properties"].keys() == {"region", "limit", "inner"}
    assert resolved(schema, app["properties"]["inner"])["properties"].keys() == {"wait"}
