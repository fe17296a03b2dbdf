"""Which reasons can a `Problem` of ours carry? Read from the source, so that none is forgotten.

A reason is a literal at `Problem(reason=…)`, a literal that a caller gives to a function which passes it on
to there, or an entry of one of the tables that are named here.
"""

import ast
import re
from collections import defaultdict
from collections.abc import Iterator
from functools import cache
from pathlib import Path

KEBAB = re.compile(r"^[a-z]+(-[a-z]+)+$|^[a-z]+$")
TABLES = {"REASONS", "REASON"}
FIELDS = {"problem"}  # of the traits of an identity's failures


@cache
def reasons_of(source: Path) -> dict[str, set[str]]:
    """Every reason with the files that name it."""
    trees = {path: ast.parse(path.read_text(encoding="utf-8")) for path in sorted(source.rglob("*.py"))}
    calls = {path: tuple(_calls(tree)) for path, tree in trees.items()}
    found: dict[str, set[str]] = defaultdict(set)
    passing: dict[tuple[Path | None, str], str] = {(None, "Problem"): "reason"}
    signatures: dict[tuple[Path | None, str], list[str]] = {(None, "Problem"): []}
    while True:
        before = len(passing)
        for path, made in calls.items():
            for function, call in made:
                key = _callee(path, call, passing)
                if key is None:
                    continue
                for given in _given(call, passing[key], signatures[key]):
                    if isinstance(given, ast.Constant) and isinstance(given.value, str):
                        found[given.value].add(path.name)
                    elif isinstance(given, ast.Name) and function is not None:
                        names = [each.arg for each in (*function.args.args, *function.args.kwonlyargs)]
                        if given.id in names:
                            own = path if function.name.startswith("_") else None
                            passing[own, function.name] = given.id
                            positional = [each.arg for each in function.args.args]
                            signatures[own, function.name] = [
                                n for n in positional if n not in ("self", "cls")
                            ]
        if len(passing) == before:
            break
    for path, tree in trees.items():
        for name in _tabled(tree):
            found[name].add(path.name)
    return dict(found)


def _calls(
    tree: ast.AST, function: ast.FunctionDef | None = None
) -> Iterator[tuple[ast.FunctionDef | None, ast.Call]]:
    for node in ast.iter_child_nodes(tree):
        inner = node if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) else function
        if isinstance(node, ast.Call):
            yield function, node
        yield from _calls(node, inner)


def _callee(path, call, passing):
    name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", None)
    for key in ((path, name), (None, name)):
        if key in passing:
            return key
    return None


def _given(call, parameter, positional):
    for keyword in call.keywords:
        if keyword.arg == parameter:
            yield from _branches(keyword.value)
    if parameter in positional and positional.index(parameter) < len(call.args):
        yield from _branches(call.args[positional.index(parameter)])


def _branches(value):
    if isinstance(value, ast.IfExp):
        yield from _branches(value.body)
        yield from _branches(value.orelse)
    else:
        yield value


def _tabled(tree):
    for node in ast.walk(tree):
        target = node.targets[0] if isinstance(node, ast.Assign) else getattr(node, "target", None)
        if isinstance(node, ast.Assign | ast.AnnAssign) and getattr(target, "id", "") in TABLES:
            value = node.value
            constants = value.keys if isinstance(value, ast.Dict) else [value]
            yield from (each.value for each in constants if isinstance(each, ast.Constant))
        if isinstance(node, ast.Dict):
            for key, value in zip(node.keys, node.values, strict=True):
                if (
                    isinstance(key, ast.Constant)
                    and key.value == "reason"
                    and isinstance(value, ast.Constant)
                ):
                    yield value.value
        if isinstance(node, ast.Call):
            for keyword in node.keywords:
                if keyword.arg in FIELDS and isinstance(keyword.value, ast.Constant):
                    yield keyword.value.value
