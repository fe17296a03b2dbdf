"""What does the package's source name? Modules, names and words, from its syntax tree."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass

from launchworthy.promotion.project import Project


@dataclass(frozen=True, slots=True, kw_only=True)
class Mention:
    """Something that a module names.

    Attributes:
        name: dotted for imports and attributes, as it stands for a text.
        where: `src/orders/tools.py:12`.
        imported: whether it is imported.
    """

    name: str
    where: str
    imported: bool


def mentions(project: Project) -> Iterator[Mention]:
    """Everything that the modules of the package import, name or write as a text.

    Raises:
        SyntaxError: a module is no Python; then nothing can be said of it.
    """
    for path, tree in project.modules:
        for node in ast.walk(tree):
            for name, imported in _names(node):
                yield Mention(name=name, where=f"{path}:{getattr(node, 'lineno', 1)}", imported=imported)


def _names(node: ast.AST) -> Iterator[tuple[str, bool]]:
    match node:
        case ast.Import(names=names):
            yield from ((alias.name, True) for alias in names)
        case ast.ImportFrom(module=module, names=names):
            yield from ((f"{module or ''}.{alias.name}", True) for alias in names)
        case ast.Name(id=name) | ast.Attribute(attr=name):
            yield name, False
        case ast.Constant(value=str() as word):
            yield word, False
        case _:
            return
