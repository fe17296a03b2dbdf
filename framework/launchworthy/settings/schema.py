"""Which fields may stand in a settings file? The JSON Schema that editors read by `#:schema`."""

from typing import Any

from launchworthy.settings.sources import is_deployment
from launchworthy.settings.strict import AppSettings
from launchworthy.settings.tables import FileTables

_LOCAL = "(local) the deployment may set it by a variable"


def settings_schema(app: type[AppSettings] | None) -> dict[str, Any]:
    """The schema of `config/<environment>.toml`; with the team's own table where its class is given."""
    schema = FileTables.model_json_schema()
    schema["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    schema.pop("required", None)
    for table, properties in _tables(schema):
        for field, described in properties.items():
            if is_deployment((*table, field)):
                described["description"] = _LOCAL
    if app is not None:
        own = app.model_json_schema(ref_template="#/$defs/{model}")
        schema["$defs"].update(own.pop("$defs", {}))
        schema["properties"]["app"] = own
    return schema


def _tables(schema: dict[str, Any]) -> list[tuple[tuple[str, ...], dict[str, Any]]]:
    names = {"server": "ServerSettings", "identity": "IdentitySettings", "audit": "AuditSettings"}
    names["promotion"] = "PromotionSettings"
    return [((table,), schema["$defs"][name]["properties"]) for table, name in names.items()]
