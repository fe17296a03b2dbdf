"""What stands in the modules of a package? Functions, what they take, and what imported names mean."""

import ast
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

_MARKS: Final = frozenset({"tool", "resource", "prompt"})
_NO_TEXT: Final = frozenset(
    {
        "int",
        "float",
        "bool",
        "complex",
        "Decimal",
        "UUID",
        "date",
        "datetime",
        "time",
        "timedelta",
        "Literal",
        "None",
    }
)
_NARROW = re.compile(r"\^(?:[A-Za-z0-9_-]|\\d|\\w|[(){}?*+,|]|\[(?!\^)[A-Za-z0-9_-]+\])*\$")
"""A pattern that no separator, quote, space or dot can pass."""

_DEEPEST: Final = 8
"""Aliases may name each other."""

Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True, slots=True, kw_only=True)
class Defined:
    """A function or a method.

    Attributes:
        node: its syntax.
        module: where it is.
        method: whether its first parameter is the object itself.
    """

    node: Function
    module: "Module"
    method: bool

    @property
    def parameters(self) -> tuple[str, ...]:
        """Those that a call fills by position, then the others; the object itself left out."""
        arguments = self.node.args
        named = [each.arg for each in (*arguments.posonlyargs, *arguments.args)]
        return (*(named[1:] if self.method else named), *(each.arg for each in arguments.kwonlyargs))


@dataclass(slots=True)
class Module:
    """One module.

    Attributes:
        path: below the project.
        imported: what a name means: `httpx`, `subprocess.run`.
        aliases: types that it names: `OrderId = Annotated[int, …]`.
        functions: all of its functions and methods.
    """

    path: str
    imported: Mapping[str, str]
    aliases: Mapping[str, ast.expr]
    functions: tuple[Defined, ...] = ()

    def meaning(self, node: ast.expr) -> str:
        """The dotted name of something, with what was imported spelt out; empty where it has none."""
        match node:
            case ast.Name(id=name):
                return self.imported.get(name, name)
            case ast.Attribute(value=value, attr=attribute):
                before = self.meaning(value)
                return f"{before}.{attribute}" if before else ""
            case _:
                return ""


def read_modules(trees: Iterable[tuple[str, ast.Module]]) -> tuple[Module, ...]:
    """Read modules.

    Args:
        trees: paths and what was parsed.
    """
    return tuple(_module(path, tree) for path, tree in trees)


def callers_words(function: Defined, aliases: Mapping[str, ast.expr]) -> frozenset[str]:
    """The parameters of a marked function that a caller fills with text; none where it is not marked."""
    marks = {_last_name(each) for each in function.node.decorator_list}
    if not marks & _MARKS:
        return frozenset()
    arguments = function.node.args
    every = (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs)
    return frozenset(each.arg for each in every if not _is_harmless(each.annotation, aliases))


def _module(path: str, tree: ast.Module) -> Module:
    module = Module(path=path, imported=dict(_imports(tree)), aliases=dict(_aliases(tree)))
    module.functions = tuple(_functions(tree, module, inside_class=False))
    return module


def _imports(tree: ast.Module) -> Iterator[tuple[str, str]]:
    for node in ast.walk(tree):
        match node:
            case ast.Import(names=names):
                for each in names:
                    yield (
                        each.asname or each.name.partition(".")[0],
                        each.name if each.asname else (each.name.partition(".")[0]),
                    )
            case ast.ImportFrom(module=module, names=names):
                yield from ((each.asname or each.name, f"{module or ''}.{each.name}") for each in names)
            case _:
                continue


def _aliases(tree: ast.Module) -> Iterator[tuple[str, ast.expr]]:
    for node in tree.body:
        match node:
            case ast.Assign(targets=[ast.Name(id=name)], value=value):
                yield name, value
            case ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as value):
                yield name, value
            case _:
                continue


def _functions(node: ast.AST, module: Module, *, inside_class: bool) -> Iterator[Defined]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, Function):
            static = any(_last_name(each) == "staticmethod" for each in child.decorator_list)
            yield Defined(node=child, module=module, method=inside_class and not static)
        yield from _functions(child, module, inside_class=isinstance(child, ast.ClassDef))


def _last_name(node: ast.expr) -> str:
    match node:
        case ast.Call(func=function):
            return _last_name(function)
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name
        case _:
            return ""


def _is_harmless(annotation: ast.expr | None, aliases: Mapping[str, ast.expr], depth: int = 0) -> bool:
    """Whether nothing of this type is another word than it looks: a number, a choice, a narrow pattern."""
    match annotation:
        case ast.Name(id=name) if name in aliases and depth < _DEEPEST:
            return _is_harmless(aliases[name], aliases, depth + 1)
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name in _NO_TEXT
        case ast.BinOp(left=left, op=ast.BitOr(), right=right):
            return _is_harmless(left, aliases, depth) and _is_harmless(right, aliases, depth)
        case ast.Subscript(value=outer, slice=slice_):
            return _is_harmless_generic(_last_name(outer), slice_, aliases, depth)
        case _:
            return isinstance(annotation, ast.Constant) and annotation.value is None


def _is_harmless_generic(outer: str, slice_: ast.expr, aliases: Mapping[str, ast.expr], depth: int) -> bool:
    inside = slice_.elts if isinstance(slice_, ast.Tuple) else [slice_]
    match outer:
        case "Call" | "Literal":
            return True
        case "Annotated":
            return _is_harmless(inside[0], aliases, depth) or any(map(_is_narrow, inside[1:]))
        case "list" | "tuple" | "set" | "frozenset" | "Optional" | "Sequence":
            kept = [each for each in inside if not isinstance(each, ast.Constant)]
            return all(_is_harmless(each, aliases, depth) for each in kept)
        case _:
            return False


def _is_narrow(constraint: ast.expr) -> bool:
    """Whether a pattern lets only letters, digits, `_` and `-` pass."""
    if not isinstance(constraint, ast.Call):
        return False
    for keyword in constraint.keywords:
        if keyword.arg == "pattern" and isinstance(keyword.value, ast.Constant):
            return _NARROW.fullmatch(str(keyword.value.value)) is not None
    return False
