"""Which function says what an argument of a prompt or a resource could be?

    @completion(order, "order_id")
    def recent_orders(call: Call[OrderStore], typed: str) -> list[str]:

It gets the text that was `typed` so far and, where it asks for it, what the other arguments were `given`.
Whether it is served at all, and to whom, the manifest of the prompt or the resource says.
"""

import inspect
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from types import FunctionType
from typing import Any, TypeVar

from launchworthy.manifest.code import parameters_of, where_of
from launchworthy.vocabulary import Problem

F = TypeVar("F", bound=Callable[..., Any])
_COMPLETER = "__launchworthy_completer__"
TYPED, GIVEN = "typed", "given"


@dataclass(frozen=True, slots=True, kw_only=True)
class Completer:
    """A function that completes one argument.

    Attributes:
        completed: the marked function whose argument it is.
        argument: the argument's name.
        function: as the team wrote it.
        where: `src/orders/tools.py:61`.
    """

    completed: Callable[..., Any]
    argument: str
    function: Callable[..., Any]
    where: str


def completion(completed: Callable[..., Any], argument: str) -> Callable[[F], F]:
    """Mark a function as the one that says what an argument could be.

    Args:
        completed: the prompt or the resource, marked.
        argument: the name of its argument.
    """

    def mark(function: F) -> F:
        if not isinstance(function, FunctionType) or function.__name__ == "<lambda>":
            raise TypeError("@completion marks a plain function, written with def")
        if completer_of(function) is not None:
            raise TypeError(f"`{function.__name__}` is marked twice; it completes one argument")
        completer = Completer(
            completed=completed, argument=argument, function=function, where=where_of(function)
        )
        setattr(function, _COMPLETER, completer)
        return function

    return mark


def completer_of(value: object) -> Completer | None:
    """What a function completes, or None where it completes nothing."""
    completer = getattr(value, _COMPLETER, None) if inspect.isroutine(value) else None
    return completer if isinstance(completer, Completer) else None


def completer_problems(
    name: str, arguments: Sequence[str], completers: Sequence[Completer]
) -> Iterator[Problem]:
    """Check the completers of one prompt or resource against its arguments.

    Args:
        name: of the prompt or resource.
        arguments: the names of what its callers give.
        completers: what is marked for it.
    """
    first: dict[str, Completer] = {}
    for one in completers:
        if one.argument not in arguments:
            yield Problem(
                reason="unknown-argument",
                where=one.where,
                what=f"completes the argument `{one.argument}` of `{name}`, which it does not have",
                fix=("correct it, or take the function out",),
            )
        if (before := first.setdefault(one.argument, one)) is not one:
            yield Problem(
                reason="duplicate-name",
                where=one.where,
                what=f"completes `{one.argument}` of `{name}`, and so does {before.where}",
                fix=("keep one of them",),
            )
        parameters = [given.name for given in parameters_of(one.function)]
        if TYPED not in parameters or not set(parameters) <= {TYPED, GIVEN}:
            yield Problem(
                reason="completion-arguments",
                where=one.where,
                what=f"takes {', '.join(f'`{each}`' for each in parameters) or 'nothing'}",
                fix=(
                    "take `typed: str`, the text so far",
                    "where it is needed, take a Call and `given: dict[str, str]`, the other arguments, too",
                ),
            )
