"""What may complete an argument? The functions marked with `@completion`, and one that knows nothing.

A completion's own arguments are the text so far (`typed`) and, where its function asks for it, what the other
arguments were `given`; they are validated by its types, as strictly as a tool's.
"""

from collections.abc import Mapping
from functools import partial
from typing import Final

from mcp_types import Completion

from launchworthy.enforcement.arguments import Fault, UnfitArguments, shown
from launchworthy.manifest import Mark, Served

MAX_VALUES: Final = 100
"""More are cut off, and the answer says so (MCP, completion)."""


def completer_marks(one: Served) -> Mapping[str, Mark]:
    """The function to run for each argument of a target; nothing where it offers no completions."""
    if not one.manifest.completions:
        return {}
    of = partial(Mark, kind=one.mark.kind, name=one.mark.name)
    none = of(function=_no_values, where=one.mark.where)
    marks = {given.name: none for given in one.mark.parameters}
    return marks | {
        each.argument: of(function=each.function, where=each.where) for each in one.mark.completers
    }


def undeclared_argument(name: str) -> UnfitArguments:
    """The refusal of an argument that the completed prompt or resource does not have."""
    return UnfitArguments((Fault(field=shown(name), kind="unexpected_keyword_argument", declared=None),))


def completion_values(result: object) -> Completion:
    """Write what a function proposes.

    Raises:
        TypeError: it is no list of texts.
    """
    if not isinstance(result, list | tuple) or not all(isinstance(value, str) for value in result):
        raise TypeError("a completion returns a list of texts")
    return Completion(values=list(result[:MAX_VALUES]), total=len(result), has_more=len(result) > MAX_VALUES)


async def _no_values(typed: str) -> list[str]:
    """Nothing is known of this argument."""
    del typed
    return []
