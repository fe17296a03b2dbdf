"""What did a team mark as a tool, a resource or a prompt, and what does it serve?

A mark changes nothing and does nothing at import: it remembers what the function is meant as. Who may call
it, where and at what risk stands in the manifest.
"""

import inspect
from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager, AbstractContextManager
from dataclasses import dataclass, replace
from types import FrameType, FunctionType, ModuleType
from typing import Any, Generic, TypeVar, overload

from launchworthy.manifest.code import parameters_of, where_of
from launchworthy.manifest.completers import Completer, completer_of
from launchworthy.manifest.target import TargetKind
from launchworthy.vocabulary import Problem, ProblemError

F = TypeVar("F", bound=Callable[..., Any])
S = TypeVar("S")
A = TypeVar("A")
Opened = AbstractContextManager[A] | AbstractAsyncContextManager[A]
AppFactory = Callable[[S], Opened[A]] | Callable[[S, Any], Opened[A]]
"""From settings, and from this workload where a second parameter asks for it (a `launchworthy.Workload`)."""
_MARK = "__launchworthy_mark__"


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """A function, and what it is meant as.

    Attributes:
        kind: tool, resource or prompt.
        name: the function's.
        function: as the team wrote it.
        where: `src/orders/tools.py:44`.
        completers: the functions that say what its arguments could be.
    """

    kind: TargetKind
    name: str
    function: Callable[..., Any]
    where: str
    completers: tuple[Completer, ...] = ()

    @property
    def parameters(self) -> tuple[inspect.Parameter, ...]:
        """What a caller gives: every parameter but the one that is annotated with `Call`."""
        return parameters_of(self.function)


def tool(function: F) -> F:
    """Mark a function as a tool; the model sees its name, docstring and types."""
    return _marked(TargetKind.TOOL, function)


def resource(function: F) -> F:
    """Mark a function as a resource; its manifest says which URI names it."""
    return _marked(TargetKind.RESOURCE, function)


def prompt(function: F) -> F:
    """Mark a function as a prompt."""
    return _marked(TargetKind.PROMPT, function)


class Server(Generic[S, A]):
    """What a project serves: its marked functions, its settings, and what calls share.

    Nothing is opened here; `launchworthy.server.run` does that, and the gate looks without opening anything.

    Attributes:
        modules: where the marked functions are.
        settings: the class of the `[app]` table, or None where the project has no settings.
        app: from settings to a context manager of what calls see as `call.app`, or None.
        package: the top-level package of the module that made this: `orders`.
    """

    modules: tuple[ModuleType, ...]
    settings: type[S] | None
    app: AppFactory[S, A] | None
    package: str

    @overload
    def __init__(self: "Server[None, None]", tools: ModuleType | Sequence[ModuleType]) -> None: ...
    @overload
    def __init__(
        self: "Server[S, None]", tools: ModuleType | Sequence[ModuleType], *, settings: type[S]
    ) -> None: ...
    @overload
    def __init__(
        self: "Server[None, A]", tools: ModuleType | Sequence[ModuleType], *, app: AppFactory[None, A]
    ) -> None: ...
    @overload
    def __init__(
        self, tools: ModuleType | Sequence[ModuleType], *, settings: type[S], app: AppFactory[S, A]
    ) -> None: ...
    def __init__(
        self,
        tools: ModuleType | Sequence[ModuleType],
        *,
        settings: type[Any] | None = None,
        app: AppFactory[Any, Any] | None = None,
    ) -> None:
        """Remember what to serve.

        Args:
            tools: the module, or modules, with the marked functions.
            settings: the class of the `[app]` table.
            app: a (sync or async) context manager from settings to what calls share; with a second parameter
                it gets this workload (`launchworthy.Workload`), to connect as it.
        """
        self.modules = (tools,) if isinstance(tools, ModuleType) else tuple(tools)
        self.settings = settings
        self.app = app
        self.package = _calling_package(inspect.currentframe()) or self.modules[0].__name__.partition(".")[0]

    def marks(self) -> tuple[Mark, ...]:
        """Every marked function of the modules, in the order of their text.

        Raises:
            ProblemError: `duplicate-name`: two functions would be one tool; `mark-not-on-top`: a decorator
                above the mark would be lost; `completion-of-nothing`: what is completed is not served.
        """
        found: dict[tuple[TargetKind, str], Mark] = {}
        problems = []
        for value in (value for module in self.modules for value in vars(module).values()):
            mark = mark_of(value)
            if mark is None:
                continue
            before = found.setdefault((mark.kind, mark.name), mark)
            if before.function is not mark.function:
                what = f"defines the {mark.kind} `{mark.name}`, and so does {before.where}"
                fix = ("rename one of them: one name is one function",)
                problems.append(Problem(reason="duplicate-name", where=mark.where, what=what, fix=fix))
            if value is not mark.function:
                what = (
                    f"wraps the {mark.kind} `{mark.name}` after it was marked, and the wrapper would not run"
                )
                fix = (f"put @{mark.kind} on top of the other decorators",)
                problems.append(Problem(reason="mark-not-on-top", where=mark.where, what=what, fix=fix))
        completers = self._completers()
        marked = {mark.function for mark in found.values()}
        for one in completers:
            if one.completed not in marked:
                what = "completes a function that is no prompt or resource of this server"
                fix = ("name one that is marked, in a module that is served",)
                problems.append(Problem(reason="completion-of-nothing", where=one.where, what=what, fix=fix))
        if problems:
            raise ProblemError(*problems)
        return tuple(
            replace(mark, completers=tuple(one for one in completers if one.completed is mark.function))
            for mark in found.values()
        )

    def _completers(self) -> tuple[Completer, ...]:
        values = (value for module in self.modules for value in vars(module).values())
        found = {one.function: one for one in map(completer_of, values) if one is not None}
        return tuple(found.values())


def mark_of(value: object) -> Mark | None:
    """The mark of a function, or None where it bears none."""
    mark = getattr(value, _MARK, None) if inspect.isroutine(value) else None
    return mark if isinstance(mark, Mark) else None


def _marked(kind: TargetKind, function: F) -> F:
    if not isinstance(function, FunctionType) or function.__name__ == "<lambda>":
        raise TypeError(f"@{kind} marks a plain function, written with def")
    if mark_of(function) is not None:
        raise TypeError(f"`{function.__name__}` is marked twice; a function is one thing")
    mark = Mark(kind=kind, name=function.__name__, function=function, where=where_of(function))
    setattr(function, _MARK, mark)
    return function


def _calling_package(frame: FrameType | None) -> str | None:
    """The top-level package of the first caller that is neither this module nor `typing`."""
    while frame is not None and frame.f_globals.get("__name__") in (__name__, "typing"):
        frame = frame.f_back
    package = frame.f_globals.get("__package__") if frame is not None else None
    return package.partition(".")[0] if isinstance(package, str) and package else None
