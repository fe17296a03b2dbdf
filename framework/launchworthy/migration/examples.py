"""Which value would a type take? A guess to be replaced, that is at least of the type."""

import ast
from typing import Final

PLACEHOLDER: Final = "left-for-later"
_VALUES: Final[dict[str, object]] = {
    "str": PLACEHOLDER,
    "int": 1,
    "float": 1.5,
    "Decimal": "1.5",
    "bool": False,
    "date": "2026-11-20",
    "datetime": "2026-11-20T12:00:00Z",
    "time": "12:00:00",
    "UUID": "00000000-0000-4000-8000-000000000000",
    "EmailStr": "somebody@left-for-later.invalid",
    "AnyUrl": "https://left-for-later.invalid",
    "HttpUrl": "https://left-for-later.invalid",
}
_LISTS: Final = frozenset(
    {"list", "List", "tuple", "Tuple", "set", "Set", "frozenset", "Sequence", "Iterable"}
)
_WRAPPERS: Final = frozenset({"Annotated", "Optional", "Required", "NotRequired", "Final"})
_LEAST: Final = {"ge": 0, "gt": 1}
_MOST: Final = {"le": 0, "lt": -1}


def example_of(annotation: str | None) -> object:
    """A value of a type as the source has it (`Annotated[int, Field(ge=10)]`); else a text."""
    if annotation is None:
        return PLACEHOLDER
    try:
        return _of(ast.parse(annotation, mode="eval").body)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return PLACEHOLDER


def _of(node: ast.expr) -> object:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):  # a type in quotes
        return _of(ast.parse(node.value, mode="eval").body)
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.BitOr):  # `int | None`, `None | int`
        return _of(node.right if _is_none(node.left) else node.left)
    if isinstance(node, ast.Subscript):
        return _of_subscript(_name(node.value), _parts(node.slice))
    return _VALUES.get(_name(node), PLACEHOLDER)


def _of_subscript(name: str, parts: list[ast.expr]) -> object:
    if name == "Literal":
        known = (each.value for each in parts if isinstance(each, ast.Constant) and each.value is not None)
        return next(known, PLACEHOLDER)
    if name in _LISTS:
        return [_of(parts[0])] if parts else [PLACEHOLDER]
    if name in {"dict", "Dict", "Mapping"}:
        return {}
    if name == "Union":
        return _of(next((each for each in parts if not _is_none(each)), ast.Constant(value=None)))
    if name in _WRAPPERS and parts:
        return _within(_of(parts[0]), parts[1:])
    return PLACEHOLDER


def _within(value: object, metadata: list[ast.expr]) -> object:
    """The value, where `Field(ge=10)` or `Gt(9)` allow another one only, moved to where they do."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return value
    for each in metadata:
        for bound, number in _bounds(each):
            if bound in _LEAST and value < number + _LEAST[bound]:
                value = number + _LEAST[bound]
            if bound in _MOST and value > number + _MOST[bound]:
                value = number + _MOST[bound]
    return value


def _bounds(node: ast.expr) -> list[tuple[str, int | float]]:
    if not isinstance(node, ast.Call):
        return []
    given = [(word.arg, word.value) for word in node.keywords]
    given += [(_name(node.func).lower(), each) for each in node.args[:1]]
    return [
        (name, value.value)
        for name, value in given
        if name is not None and isinstance(value, ast.Constant) and isinstance(value.value, int | float)
    ]


def _parts(node: ast.expr) -> list[ast.expr]:
    return list(node.elts) if isinstance(node, ast.Tuple) else [node]


def _name(node: ast.expr) -> str:
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""


def _is_none(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value is None
