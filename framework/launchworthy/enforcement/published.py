"""What do clients see of each target? For whoever pins it in a lock or shows it in docs."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

from launchworthy.enforcement.dispatch import prompt_of, resource_of, tool_of
from launchworthy.enforcement.exchange import Exchange
from launchworthy.enforcement.served_function import ServedFunction, serve_functions
from launchworthy.manifest import Served, TargetKey, TargetKind


def published(exchange: Exchange) -> Mapping[TargetKey, Mapping[str, Any]]:
    """Name, description, schemas and annotations of each target, as the protocol writes them."""
    return _published(tuple(exchange.functions.values()))


def published_of(served: Sequence[Served]) -> Mapping[TargetKey, Mapping[str, Any]]:
    """The same without a server: nothing is opened, so what `call.app` is stays unchecked.

    Raises:
        ProblemError: a function that cannot be served; all of them.
    """
    return _published(serve_functions(served))


def _published(functions: Sequence[ServedFunction]) -> Mapping[TargetKey, Mapping[str, Any]]:
    writers = {TargetKind.TOOL: tool_of, TargetKind.PROMPT: prompt_of, TargetKind.RESOURCE: resource_of}
    return MappingProxyType(
        {
            one.key: writers[one.key[0]](one).model_dump(mode="json", by_alias=True, exclude_none=True)
            for one in functions
        }
    )
