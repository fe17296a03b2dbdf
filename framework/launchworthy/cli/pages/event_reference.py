"""What stands in the reference of the audit's records? Each type, its fields and an example, in Markdown."""

import json
from collections.abc import Iterator

from launchworthy.audit import EVENT_TYPES, Event
from launchworthy.cli.pages.event import field_rows, meaning_of
from launchworthy.cli.pages.event_examples import event_examples

_HEAD = """\
# The records of the audit

What `data` holds, for each type of record.
Bytes, chain and signatures stand in [the format](audit-format.md).
This page is generated from the models (`nox -s references`), and a test compares.

A field that has nothing to say is left out.
Text from elsewhere is cut and made safe when the record is made; arguments are redacted as the manifest says.
`launchworthy explain TYPE` prints a type's page.
"""


def event_reference() -> str:
    """The whole page."""
    return "\n".join(_page())


def _page() -> Iterator[str]:
    yield _HEAD
    for name, event in EVENT_TYPES.items():
        yield from _section(name, event)


def _section(name: str, event: type[Event]) -> Iterator[str]:
    yield f"## {name}"
    yield ""
    yield meaning_of(event)
    yield ""
    yield "| field | type | |"
    yield "|---|---|---|"
    for field, kind, meaning in field_rows(event):
        yield f"| `{field}` | {_cell(kind)} | {_cell(meaning)} |"
    yield ""
    yield "```json"
    example = event_examples()[name].model_dump(mode="json", exclude_defaults=True)
    yield json.dumps(example, indent=1, sort_keys=True, ensure_ascii=False)
    yield "```"
    yield ""


def _cell(text: str) -> str:
    return text.replace("|", "\\|")
