"""What does a server that was written for the plain SDK, or for fastmcp, offer? Its source, read as source.

Functions under `@anything.tool`, `@anything.resource("uri")` or `@anything.prompt`, called or not, and those
that are given to `add_tool`. Nothing is imported: a stranger's module does what it likes when it is.
"""

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from launchworthy.audit.sanitiser import sanitise
from launchworthy.manifest import Effect, TargetKind

MAX_SOURCE: Final = 2 * 1024 * 1024
_KINDS: Final = {kind.value: kind for kind in TargetKind}


def _words_of(text: str) -> frozenset[str]:
    return frozenset(text.split())


_LEFT_OUT: Final = _words_of(".venv venv .git .nox .tox node_modules __pycache__ dist build")
_CONTEXTS: Final = _words_of("Context RequestContext ServerRequestContext")
_NO_SCHEMA: Final = _words_of("dict Any object list tuple")
_READS: Final = _words_of(
    "get list find search read show fetch lookup query count describe check view load history status"
)
_DESTROYS: Final = _words_of(
    "delete remove drop cancel refund purge revoke terminate kill wipe clear destroy transfer pay send"
)
_WORD: Final = re.compile(r"[a-z]+|[A-Z][a-z]*")


@dataclass(frozen=True, slots=True, kw_only=True)
class ForeignArgument:
    """One argument that a caller gives.

    Attributes:
        name: its name.
        annotation: its type as the source has it; None where there is none.
        required: whether it has no default.
    """

    name: str
    annotation: str | None
    required: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ForeignTarget:
    """One tool, resource or prompt of somebody else's server.

    Attributes:
        kind: which of the three.
        name: as its callers know it.
        function: the name of the function.
        where: `server.py:17`.
        arguments: what callers give; the context is none.
        returns: the type as the source has it; None where there is none.
        uri: of a resource.
        described: whether it says what it does.
        context: the argument that takes the SDK's context, or None.
        guess: what it probably does to the world, by its name and its own hints; a person decides.
    """

    kind: TargetKind
    name: str
    function: str
    where: str
    arguments: tuple[ForeignArgument, ...]
    returns: str | None
    uri: str | None
    described: bool
    context: str | None
    guess: Effect

    @property
    def has_schema(self) -> bool:
        """Whether its result says what it is made of."""
        return self.returns is not None and self.returns.partition("[")[0] not in _NO_SCHEMA


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """One file, parsed.

    Attributes:
        path: relative to what was read, with slashes.
        tree: its syntax.
    """

    path: str
    tree: ast.Module


@dataclass(frozen=True, slots=True, kw_only=True)
class Sources:
    """What was read.

    Attributes:
        parsed: every file that could be.
        unreadable: the paths of those that could not.
    """

    parsed: tuple[Source, ...]
    unreadable: tuple[str, ...]


def read_sources(root: Path) -> Sources:
    """Parse every Python file of a folder, or one file."""
    parsed: list[Source] = []
    unreadable: list[str] = []
    for file in sorted(root.rglob("*.py")) if root.is_dir() else [root]:
        path = sanitise(file.relative_to(root).as_posix() if root.is_dir() else file.name)
        if not _LEFT_OUT.isdisjoint(Path(path).parts) or not file.is_file():
            continue
        try:
            with file.open("rb") as stream:
                parsed.append(Source(path=path, tree=ast.parse(stream.read(MAX_SOURCE))))
        except (OSError, SyntaxError, ValueError, RecursionError, MemoryError):
            unreadable.append(path)
    return Sources(parsed=tuple(parsed), unreadable=tuple(unreadable))


def foreign_targets(sources: Sources) -> tuple[ForeignTarget, ...]:
    """Every target, in the order of the files; a name that is there twice is told twice."""
    return tuple(target for source in sources.parsed for target in _of_file(source))


def _of_file(source: Source) -> Iterator[ForeignTarget]:
    functions = [
        node for node in ast.walk(source.tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    ]
    added = dict(_added(source.tree))
    for function in functions:
        for decorator in function.decorator_list:
            called = decorator.func if isinstance(decorator, ast.Call) else decorator
            kind = _KINDS.get(called.attr) if isinstance(called, ast.Attribute) else None
            if kind is not None:
                given = decorator if isinstance(decorator, ast.Call) else None
                yield _target(source, function, kind, given)
        if function.name in added:
            yield _target(source, function, TargetKind.TOOL, added[function.name])


def _added(tree: ast.Module) -> Iterator[tuple[str, ast.Call]]:
    """`server.add_tool(function)`."""
    for node in ast.walk(tree):
        if (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Attribute)
            and node.func.attr == "add_tool"
            and node.args
            and isinstance(node.args[0], ast.Name)
        ):
            yield node.args[0].id, node


def _target(
    source: Source,
    function: ast.FunctionDef | ast.AsyncFunctionDef,
    kind: TargetKind,
    given: ast.Call | None,
) -> ForeignTarget:
    words = _words(given)
    context, arguments = _arguments(function)
    name = words.get("name") or function.name
    return ForeignTarget(
        kind=kind,
        name=name,
        function=function.name,
        where=f"{source.path}:{function.lineno}",
        arguments=arguments,
        returns=_written(function.returns),
        uri=(words.get("uri") or _first_text(given)) if kind is TargetKind.RESOURCE else None,
        described=bool(ast.get_docstring(function) or words.get("description")),
        context=context,
        guess=_guess(kind, name, given),
    )


def _words(given: ast.Call | None) -> dict[str, str]:
    keywords = given.keywords if given is not None else ()
    return {
        word.arg: word.value.value
        for word in keywords
        if word.arg is not None and isinstance(word.value, ast.Constant) and isinstance(word.value.value, str)
    }


def _first_text(given: ast.Call | None) -> str | None:
    first = given.args[0] if given is not None and given.args else None
    return first.value if isinstance(first, ast.Constant) and isinstance(first.value, str) else None


def _arguments(
    function: ast.FunctionDef | ast.AsyncFunctionDef,
) -> tuple[str | None, tuple[ForeignArgument, ...]]:
    positional = [*function.args.posonlyargs, *function.args.args]
    required = len(positional) - len(function.args.defaults)
    all_of_them = [
        *((each, place < required) for place, each in enumerate(positional)),
        *(
            (each, default is None)
            for each, default in zip(function.args.kwonlyargs, function.args.kw_defaults, strict=True)
        ),
    ]
    context: str | None = None
    arguments: list[ForeignArgument] = []
    for place, (each, is_required) in enumerate(all_of_them):
        annotation = _written(each.annotation)
        if annotation is not None and _is_context(annotation):
            context = each.arg
        elif not (place == 0 and each.arg in {"self", "cls"}):
            arguments.append(ForeignArgument(name=each.arg, annotation=annotation, required=is_required))
    return context, tuple(arguments)


def _written(annotation: ast.expr | None) -> str | None:
    """The text of a type; one that is nested deeper than anybody reads says nothing."""
    try:
        return ast.unparse(annotation) if annotation is not None else None
    except RecursionError:
        return "object"


def _is_context(annotation: str) -> bool:
    """`Context`, `Context[…]`, `fastmcp.Context | None`."""
    return annotation.partition("[")[0].partition("|")[0].strip().rpartition(".")[2] in _CONTEXTS


def _guess(kind: TargetKind, name: str, given: ast.Call | None) -> Effect:
    if kind is not TargetKind.TOOL:
        return Effect.READ
    hints = _hints(given)
    words = {word.lower() for word in _WORD.findall(name)}
    if hints.get("destructiveHint") is True or not words.isdisjoint(_DESTROYS):
        return Effect.DESTRUCTIVE
    if hints.get("readOnlyHint") is True or not words.isdisjoint(_READS):
        return Effect.READ
    return Effect.WRITE


def _hints(given: ast.Call | None) -> dict[str, object]:
    """`annotations=ToolAnnotations(readOnlyHint=True)`, or the same as a table."""
    found: dict[str, object] = {}
    for word in given.keywords if given is not None else ():
        if word.arg == "annotations" and isinstance(word.value, ast.Call):
            found |= {
                each.arg: each.value.value
                for each in word.value.keywords
                if each.arg is not None and isinstance(each.value, ast.Constant)
            }
        elif word.arg == "annotations" and isinstance(word.value, ast.Dict):
            for key, value in zip(word.value.keys, word.value.values, strict=True):
                if isinstance(key, ast.Constant) and isinstance(value, ast.Constant):
                    found[str(key.value)] = value.value
    return found
