"""What may policy see of an argument? Texts, whole numbers, truth values and lists of texts; never more."""

from launchworthy.manifest.target import InputType, PolicyInput
from launchworthy.manifest.tool import TargetTable

MAX_INTEGER = 2**63 - 1
"""Cedar's Long has 64 bits."""


def input_type(value: object) -> InputType | None:
    """The type of an example's value; None for what policy cannot look at: a fraction, a table, a date."""
    if isinstance(value, bool):
        return InputType.BOOLEAN
    if isinstance(value, int):
        return InputType.INTEGER if -MAX_INTEGER - 1 <= value <= MAX_INTEGER else None
    if isinstance(value, str):
        return InputType.STRING
    if isinstance(value, list) and all(isinstance(element, str) for element in value):
        return InputType.STRINGS
    return None


def policy_inputs(table: TargetTable) -> tuple[PolicyInput, ...]:
    """The arguments of a checked table that policy may look at, in the order of the manifest."""
    example = table.example or {}
    found = []
    for written in table.policy_inputs:
        name = written.removesuffix("?")
        if (known := input_type(example.get(name))) is not None:
            found.append(PolicyInput(name=name, type=known, optional=written.endswith("?")))
    return tuple(found)
