"""What does a record of the audit hold? The page of each event, from its model."""

import inspect
import re
from collections.abc import Iterator

from launchworthy.audit import EVENT_TYPES, Event
from launchworthy.cli.pages.field_types import type_of
from launchworthy.cli.pages.layout import fields, wrapped

_ATTRIBUTE = re.compile(r"^    (\w+): (.+)$", re.MULTILINE)
_CONTINUED = re.compile(r"\n {8,}")


def event_pages() -> dict[str, str]:
    """A page for each record type."""
    return {name: "\n".join(_page(name, event)).rstrip() for name, event in EVENT_TYPES.items()}


def _page(name: str, event: type[Event]) -> Iterator[str]:
    yield f" {name}"
    yield ""
    said = inspect.cleandoc(event.__doc__ or "").split("\n\n")[0].replace("\n", " ")
    yield from wrapped(said, " ", " ")
    yield ""
    said_of = _attributes(event)
    rows = [
        (name, type_of(info.annotation), said_of.get(name, "").rstrip("."))
        for name, info in event.model_fields.items()
    ]
    yield from fields(rows, indent="   ")
    yield ""
    yield " find such records: launchworthy audit show --format json DIRECTORY"


def _attributes(event: type[Event]) -> dict[str, str]:
    """What the docstrings of an event and of what it extends say of each field."""
    said: dict[str, str] = {}
    for kind in reversed(event.__mro__):
        _, _, attributes = inspect.cleandoc(kind.__doc__ or "").partition("Attributes:\n")
        said.update(_ATTRIBUTE.findall(_CONTINUED.sub(" ", attributes)))
    return said
