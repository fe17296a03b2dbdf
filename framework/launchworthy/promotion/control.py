"""What must hold? The catalogue of controls: one TOML file a family, one table a control.

A control is in the catalogue only together with the check that decides it; what is still to come is listed
by id in `to_come.toml`, so that a report can say so.
"""

import tomllib
from dataclasses import dataclass
from importlib import resources

from launchworthy.promotion.finding import ControlId
from launchworthy.vocabulary import Environment

CATALOGUE_VERSION = "0.1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Control:
    """One thing that production asks of a server.

    Attributes:
        id: `TOK-04`.
        family: the heading under which it is shown: `tokens`.
        title: what holds, as a sentence.
        why: what goes wrong without it.
        holds: what exactly is looked at.
        fix: where to start when it does not hold.
        environments: where it counts.
        waivable: whether a person may take it on trust for a while.
        references: the sources, each as one string.
        cannot_see: what may be wrong all the same, or None.
    """

    id: ControlId
    family: str
    title: str
    why: str
    holds: str
    fix: str
    environments: frozenset[Environment]
    waivable: bool
    references: tuple[str, ...]
    cannot_see: str | None


FAMILIES = (
    "identity",
    "tokens",
    "keys",
    "transport",
    "tools and scopes",
    "secrets",
    "audit",
    "ownership",
    "build and the gate",
)
"""In the order in which they are shown."""

_FILES = {family: family.replace(" ", "_") + ".toml" for family in FAMILIES}


def load_catalogue() -> tuple[Control, ...]:
    """Every control of this release, by family and id."""
    folder = resources.files("launchworthy.promotion") / "catalogue"
    controls: list[Control] = []
    for family, name in _FILES.items():
        tables = tomllib.loads((folder / name).read_text(encoding="utf-8"))
        controls.extend(_control(ControlId(key), family, table) for key, table in sorted(tables.items()))
    return tuple(controls)


def controls_for(environment: Environment) -> tuple[Control, ...]:
    """The controls that count in an environment; a rehearsal has those of `production`."""
    meant = Environment.PRODUCTION if environment is Environment.REHEARSAL else environment
    return tuple(control for control in load_catalogue() if meant in control.environments)


def to_come() -> tuple[ControlId, ...]:
    """The controls that no check of this release decides."""
    text = (resources.files("launchworthy.promotion") / "catalogue" / "to_come.toml").read_text(
        encoding="utf-8"
    )
    return tuple(ControlId(name) for name in tomllib.loads(text)["controls"])


def _control(key: ControlId, family: str, table: dict[str, object]) -> Control:
    known = {
        "title": str(table.pop("title")),
        "why": str(table.pop("why")),
        "holds": str(table.pop("holds")),
        "fix": str(table.pop("fix")),
    }
    environments = _strings(table.pop("environments"))
    control = Control(
        id=key,
        family=family,
        **known,
        environments=frozenset(Environment(name) for name in environments),
        waivable=bool(table.pop("waivable", False)),
        references=_strings(table.pop("references")),
        cannot_see=str(table.pop("cannot_see")) if "cannot_see" in table else None,
    )
    if table:
        raise ValueError(f"{key}: unknown field {min(table)}")
    return control


def _strings(value: object) -> tuple[str, ...]:
    if not isinstance(value, list) or not value:
        raise ValueError("a list of strings is needed")
    return tuple(str(item) for item in value)
