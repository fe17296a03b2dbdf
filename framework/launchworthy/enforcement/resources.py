"""Which resource has this URI, and how is it spelled? For whoever speaks of a resource without reading it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from launchworthy.enforcement.arguments import spelled
from launchworthy.enforcement.request import Asked, Row, Targets, spell
from launchworthy.enforcement.served_function import ServedFunction
from launchworthy.vocabulary import Refused


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedResource:
    """One resource that a URI names.

    Attributes:
        asked: the manifest and the variables.
        plain: the variables' values, as JSON has them.
        uri: in its one spelling.
    """

    asked: Asked
    plain: Mapping[str, object]
    uri: str


class Resources:
    """Every declared resource."""

    __slots__ = ("_functions", "_targets")

    def __init__(self, functions: Iterable[ServedFunction]) -> None:
        """Look among these."""
        self._functions = {one.key: one for one in functions}
        self._targets = Targets(one.manifest for one in self._functions.values())

    def find(self, uri: str) -> Asked:
        """Look up what a URI names; its variables are not looked at yet.

        Raises:
            Refused: `tool.unknown`.
        """
        return self._targets.find(Row.RESOURCE, {"uri": uri})

    def name(self, asked: Asked) -> NamedResource:
        """Validate its variables.

        Raises:
            Refused: `tool.arguments`.
        """
        plain = self._functions[asked.target.key].arguments.validate(asked.arguments).plain
        texts = {name: spelled(value) for name, value in plain.items()}
        return NamedResource(asked=asked, plain=plain, uri=spell(asked.target.uri or "", texts))

    def canonical(self, uri: str) -> str:
        """Spell a URI that the team's own code speaks of.

        Raises:
            ValueError: no resource of this server has it.
        """
        try:
            return self.name(self.find(uri)).uri
        except Refused as refused:
            raise ValueError(f"no resource of this server has this URI: {refused.reason}") from None
