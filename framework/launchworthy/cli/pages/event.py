"""What does a record of the audit hold? The page of each event, from its model."""

import inspect
import json
import re
from collections.abc import Iterator
from functools import cache

from launchworthy.audit import EVENT_TYPES, Event
from launchworthy.cli.pages.event_examples import event_examples
from launchworthy.cli.pages.field_types import type_of
from launchworthy.cli.pages.layout import fields, wrapped

_ATTRIBUTE = re.compile(r"^    (\w+): (.+)$", re.MULTILINE)
_LONG = re.compile(r"([^\s\"]{48})[^\s\"]{9,}")
_CONTINUED = re.compile(r"\n {8,}")


@cache
def event_pages() -> dict[str, str]:
    """A page for each record type."""
    return {name: "\n".join(_page(name, event)).rstrip() for name, event in EVENT_TYPES.items()}


def _page(name: str, event: type[Event]) -> Iterator[str]:
    yield f" {name}"
    yield ""
    yield from wrapped(meaning_of(event), " ", " ")
    yield ""
    yield from fields(field_rows(event), indent="   ")
    yield ""
    yield " `data` of one:"
    yield ""
    for field, value in event_examples()[name].model_dump(mode="json", exclude_defaults=True).items():
        yield from wrapped(_shown(value), f"   {field} = ", "     ")
    yield ""
    yield " find such records: launchworthy audit show --format json DIRECTORY"


def meaning_of(event: type[Event]) -> str:
    """What a record says, in its model's own words."""
    return inspect.cleandoc(event.__doc__ or "").split("\n\n")[0].replace("\n", " ")


def field_rows(event: type[Event]) -> tuple[tuple[str, str, str], ...]:
    """Name, type and meaning of each field."""
    said_of = _attributes(event)
    return tuple(
        (name, type_of(info.annotation), said_of.get(name, "").rstrip("."))
        for name, info in event.model_fields.items()
    )


def _shown(value: object) -> str:
    """A value of an example, its long words shortened."""
    return _LONG.sub(r"\1…", json.dumps(value, ensure_ascii=False))


def _attributes(event: type[Event]) -> dict[str, str]:
    """What the docstrings of an event and of what it extends say of each field."""
    said: dict[str, str] = {}
    for kind in reversed(event.__mro__):
        _, _, attributes = inspect.cleandoc(kind.__doc__ or "").partition("Attributes:\n")
        said.update(_ATTRIBUTE.findall(_CONTINUED.sub(" ", attributes)))
    return said
