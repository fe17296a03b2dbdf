"""What does each record look like? One example of each, read by its own model."""

import json
import tomllib
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from types import MappingProxyType

from launchworthy.audit import EVENT_TYPES, Event


@cache
def event_examples() -> Mapping[str, Event]:
    """An event of each type, from `events.toml`.

    Raises:
        pydantic.ValidationError: an example is not what its model would write.
    """
    said = tomllib.loads(files(__package__).joinpath("events.toml").read_text(encoding="utf-8"))
    return MappingProxyType(
        {name: EVENT_TYPES[name].model_validate_json(json.dumps(data)) for name, data in said.items()}
    )
