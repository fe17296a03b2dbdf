"""What do editors need to know of our files? The JSON Schemas that `#:schema` comments name."""

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel

from launchworthy.manifest.server_manifest import ServerManifest
from launchworthy.manifest.tool import TargetsFile

_FILES: Mapping[str, tuple[str, type[BaseModel]]] = {
    "tools.schema.json": ("Tools, resources and prompts", TargetsFile),
    "server.schema.json": ("manifests/server.toml", ServerManifest),
}


def json_schemas() -> Mapping[str, dict[str, Any]]:
    """The published schemas by file name; a field that nothing enforces yet is in none of them."""
    return {name: {**model.model_json_schema(), "title": title} for name, (title, model) in _FILES.items()}
