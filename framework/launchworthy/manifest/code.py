"""Where does a function stand, and what does a caller give it? Read from the code, which is not run."""

import inspect
from collections.abc import Callable
from pathlib import PurePath
from types import FunctionType
from typing import Any


def parameters_of(function: Callable[..., Any]) -> tuple[inspect.Parameter, ...]:
    """What a caller gives: every parameter but the one that is annotated with `Call`."""
    namespace = getattr(inspect.unwrap(function), "__globals__", {})
    parameters = inspect.signature(function).parameters.values()
    return tuple(parameter for parameter in parameters if not _is_call(parameter.annotation, namespace))


def where_of(function: FunctionType) -> str:
    """The place as people name it: the path's part that belongs to the module, and `src` before it."""
    code = inspect.unwrap(function).__code__
    path = PurePath(code.co_filename)
    depth = function.__module__.count(".") + (2 if path.stem == "__init__" else 1)
    parts = path.parts[-depth:]
    if len(path.parts) > depth and path.parts[-depth - 1] == "src":
        parts = ("src", *parts)
    return f"{PurePath(*parts).as_posix()}:{code.co_firstlineno}"


def _is_call(annotation: object, namespace: dict[str, object]) -> bool:
    """Whether an annotation is our `Call` (which lives above this package), as an object or as its text."""
    if isinstance(annotation, str):
        name, *attributes = annotation.partition("[")[0].strip().split(".")
        annotation = namespace.get(name)
        for attribute in attributes:
            annotation = getattr(annotation, attribute, None)
    origin = getattr(annotation, "__origin__", annotation)
    module = getattr(origin, "__module__", None)
    return getattr(origin, "__name__", None) == "Call" and str(module).partition(".")[0] == "launchworthy"
