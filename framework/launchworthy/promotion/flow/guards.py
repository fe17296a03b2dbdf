"""After which test is a word no longer anybody's? A comparison with what is allowed, where the rest ends."""

import ast
from typing import Final

_CHECKS: Final = frozenset({"fullmatch", "is_relative_to", "isalnum", "isdigit", "isidentifier", "isdecimal"})
_SAME: Final = (ast.In, ast.Eq)
_OTHER: Final = (ast.NotIn, ast.NotEq)
Checked = tuple[frozenset[str], bool]
"""Names, and whether the test asks for the contrary: that they are not what is allowed."""
_NOTHING: Final[Checked] = (frozenset(), False)


def checked(test: ast.expr) -> Checked:
    """The names that a test compares with what is allowed."""
    match test:
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            names, denied = checked(operand)
            return names, not denied
        case ast.Compare(left=left, ops=[operator]):
            return _compared(left, operator)
        case ast.Call(func=ast.Attribute(value=value, attr=name), args=arguments) if name in _CHECKS:
            return frozenset(map(dotted, (value, *arguments))), False
        case ast.BoolOp(op=operator, values=values):
            denied = isinstance(operator, ast.Or)
            found = [names for names, contrary in map(checked, values) if contrary is denied]
            return frozenset().union(*found), denied
        case _:
            return _NOTHING


def ends(body: list[ast.stmt]) -> bool:
    """Whether nothing after it is reached."""
    return bool(body) and isinstance(body[-1], ast.Raise | ast.Return | ast.Continue | ast.Break)


def dotted(node: ast.expr) -> str:
    """A name or an attribute of one, as it is written; `?` for what has no name."""
    match node:
        case ast.Name(id=name):
            return name
        case ast.Attribute(value=value, attr=attribute):
            return f"{dotted(value)}.{attribute}"
        case _:
            return "?"


def _compared(left: ast.expr, operator: ast.cmpop) -> Checked:
    if isinstance(left, ast.Call) and isinstance(operator, ast.Is | ast.IsNot):
        return checked(left)[0], isinstance(operator, ast.Is)  # fullmatch(…) is None
    if isinstance(operator, (*_SAME, *_OTHER)):
        return frozenset({dotted(left)}), isinstance(operator, _OTHER)
    return _NOTHING
