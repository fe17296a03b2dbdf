"""Is the gate still the one that its files define? No function of it was replaced before it is asked.

A tool module is imported before the server starts, and a `.pth` before that; either could put a function of
its own in the place of one that verifies. So every function and method of the framework that is loaded is
compared with what its file defines, code with code.
Whoever wants to can hide from this, as from anything in the same process. It finds what was done in haste,
for a test, or by a library that patches what it finds; malice is for review, and for admission outside.
"""

import inspect
import sys
from collections.abc import Iterable, Iterator, Mapping
from importlib.abc import InspectLoader
from types import CodeType, FunctionType, ModuleType
from typing import Final

from launchworthy.vocabulary import Problem, ProblemError

_FRAMEWORK: Final = "launchworthy"
_DECORATORS: Final = 8


def require_untouched(modules: Iterable[ModuleType] | None = None) -> None:
    """See that what the framework's files define is what is there.

    Args:
        modules: to look at; those that are loaded, if nothing is said.

    Raises:
        ProblemError: `framework-patched`, and the name.
    """
    loaded = tuple(sys.modules.values()) if modules is None else tuple(modules)
    for module in loaded:
        name = getattr(module, "__name__", "")
        if name == _FRAMEWORK or name.startswith(f"{_FRAMEWORK}."):
            for touched in _touched(module):
                what = f"`{name}.{touched}` is not what the framework's file defines"
                fix = ("take out what replaces parts of the framework; nothing of it is to be patched",)
                raise ProblemError(Problem(reason="framework-patched", what=what, fix=fix))


def _touched(module: ModuleType) -> Iterator[str]:
    loader = getattr(module.__spec__, "loader", None)
    defined = loader.get_code(module.__name__) if isinstance(loader, InspectLoader) else None
    if defined is not None:
        yield from _differences(defined, vars(module), "")


def _differences(defined: CodeType, there: Mapping[str, object], prefix: str) -> Iterator[str]:
    bodies: dict[str, list[CodeType]] = {}
    for constant in defined.co_consts:
        if isinstance(constant, CodeType) and constant.co_name.isidentifier():
            bodies.setdefault(constant.co_name, []).append(constant)
    for name, codes in bodies.items():
        found = there.get(name)
        functions = [code for code in codes if code.co_flags & inspect.CO_OPTIMIZED]
        classes = [code for code in codes if not code.co_flags & inspect.CO_OPTIMIZED]
        if classes and isinstance(found, type):
            yield from _differences(classes[-1], vars(found), f"{prefix}{name}.")
        elif classes or (functions and not _is_one_of(found, functions)):
            yield f"{prefix}{name}"


def _is_one_of(found: object, codes: list[CodeType]) -> bool:
    """Whether this is a function with one of these codes, or what a decorator made of such a function."""
    for _ in range(_DECORATORS):
        if isinstance(found, FunctionType) and found.__code__ in codes:
            return True
        inner = [getattr(found, each, None) for each in ("__wrapped__", "__func__", "fget", "func")]
        found = next((each for each in inner if each is not None), None)
    return False
