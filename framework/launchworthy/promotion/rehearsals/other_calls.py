"""How is a call changed into another one of the same kind?"""

from collections.abc import Mapping
from typing import Any

from launchworthy.probe.probed import Target


def with_arguments(asked: Target, arguments: Mapping[str, Any]) -> Target:
    """The same, with other arguments."""
    params = {**asked.params, "arguments": arguments}
    return Target(name=asked.name, method=asked.method, params=params, scopes=asked.scopes)


def with_other_character(text: str, place: int) -> str:
    """The same text, with another letter at one place."""
    other = "b" if text[place] == "a" else "a"
    return f"{text[:place]}{other}{text[place + 1 :]}"


def another_value(value: object) -> object:
    """A value of the same kind that is not this one."""
    match value:
        case bool():
            return not value
        case int() | float():
            return value + 1
        case str():
            return f"{value}x"
        case list():
            return [*value, *value[:1]] if value else [None]
        case _:
            return None
