"""Whatever a module binds, it binds once; and what it keeps to itself, it uses."""

import ast
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from documents import ROOT, SOURCE, TEMPLATE

MODULES = sorted(SOURCE.rglob("*.py"))
TREES = {path: ast.parse(path.read_text(encoding="utf-8")) for path in MODULES}
NOXFILES = [ROOT / "noxfile.py", TEMPLATE / "noxfile.py"]


def bound(tree: ast.Module) -> Iterator[str]:
    """Every name that a module binds outside of branches, once for each binding."""
    for node in tree.body:
        match node:
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
                yield name
            case ast.Assign(targets=targets):
                stored = (each for target in targets for each in ast.walk(target))
                yield from (
                    each.id
                    for each in stored
                    if isinstance(each, ast.Name) and isinstance(each.ctx, ast.Store)
                )
            case ast.AnnAssign(target=ast.Name(id=name)):
                yield name
            case _:
                continue


def read(tree: ast.Module) -> set[str]:
    """Every name that it reads, also in annotations that are texts."""
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
            found.add(node.id)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            found |= set(node.value.replace("[", " ").replace("]", " ").replace(",", " ").split())
    return found


def unused(tree: ast.Module) -> list[str]:
    """Private names that nothing in the module reads: nobody else may."""
    return sorted(name for name in set(bound(tree)) - read(tree) if name.startswith("_") and name[1:2] != "_")


def twice(tree: ast.Module) -> list[str]:
    """Names of which the first meaning is lost."""
    return sorted(name for name, times in Counter(bound(tree)).items() if times > 1 and name != "_")


def test_no_module_of_the_framework_keeps_to_itself_what_it_does_not_use() -> None:
    assert {
        str(path.relative_to(ROOT)): found for path, tree in TREES.items() if (found := unused(tree))
    } == {}


@pytest.mark.parametrize("paths", [MODULES, NOXFILES], ids=["framework", "noxfiles"])
def test_no_module_binds_a_name_twice(paths: list[Path]) -> None:
    trees = {path: TREES.get(path) or ast.parse(path.read_text(encoding="utf-8")) for path in paths}
    assert {
        str(path.relative_to(ROOT)): found for path, tree in trees.items() if (found := twice(tree))
    } == {}


def test_a_name_that_is_lost_or_never_read_is_found() -> None:
    tree = ast.parse("_LEFT = 1\n_USED = 2\nJUDGES = 3\nJUDGES = _USED\ndef _f(): ...\n")
    assert unused(tree) == ["_LEFT", "_f"]
    assert twice(tree) == ["JUDGES"]
