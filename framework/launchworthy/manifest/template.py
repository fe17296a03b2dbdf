"""What do `order/{order_id}` and `orders://order/{order_id}` name, and can two of them mean the same?

Templates of the simplest kind (RFC 6570 level 1): literal text and `{variable}`. A variable stands for
anything between two slashes, as the SDK matches it.
"""

import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from itertools import groupby

_VARIABLE = re.compile(r"\{([a-z_][a-z0-9_]*)\}")
_LITERAL = re.compile(r"[A-Za-z0-9._~:/@!$'()*;=-]*")
_URI = re.compile(r"[a-z][a-z0-9+.-]*://[^/].*")
_ANYTHING = ""
"""Stands for a variable among the literal characters of a segment."""
MAX_TEMPLATE = 512


def template_mistake(template: str, *, is_uri: bool) -> str | None:
    """Say what is wrong with a template, as the end of a sentence; None where nothing is."""
    literals = _VARIABLE.split(template)[::2]
    names = variables(template)
    if len(template) > MAX_TEMPLATE:
        return f"may have at most {MAX_TEMPLATE} characters"
    if any(_LITERAL.fullmatch(literal) is None for literal in literals):
        return "is made of plain characters and `{variable}`, nothing else"
    if "" in literals[1:-1]:
        return "needs something between two variables"
    if len(set(names)) != len(names):
        return "names a variable twice"
    if is_uri and _URI.fullmatch(template) is None:
        return "has the form `scheme://path`, the scheme in lower case"
    return None


def variables(template: str) -> tuple[str, ...]:
    """The variables of a template, in order."""
    return tuple(_VARIABLE.findall(template))


def expand(template: str, values: Mapping[str, str]) -> str:
    """Put values in the place of variables; a missing one stays visible as `{name}`."""
    return _VARIABLE.sub(lambda found: values.get(found[1], found[0]), template)


def overlapping(templates: Sequence[str]) -> tuple[tuple[str, str], ...]:
    """Find the pairs of URIs or templates that one URI could match both.

    Case is ignored: clients may write the part after the scheme in lower case.
    """
    shapes = sorted(
        ((_segments(template.lower()), template) for template in templates), key=lambda shape: len(shape[0])
    )
    found = []
    for _, group in groupby(shapes, key=lambda shape: len(shape[0])):
        alike = list(group)
        for number, (one, one_template) in enumerate(alike):
            for other, other_template in alike[number + 1 :]:
                if all(_meet(left, right) for left, right in zip(one, other, strict=True)):
                    found.append((one_template, other_template))
    return tuple(found)


def _segments(template: str) -> tuple[tuple[str, ...], ...]:
    """Each part between slashes as characters, a variable as the empty one."""
    return tuple(
        tuple(
            character
            for number, part in enumerate(_VARIABLE.split(segment))
            for character in (part if number % 2 == 0 else (_ANYTHING,))
        )
        for segment in template.split("/")
    )


@lru_cache(maxsize=4096)
def _meet(one: tuple[str, ...], other: tuple[str, ...]) -> bool:
    """Whether some text matches both segments: reachability over pairs of positions."""
    if _ANYTHING not in one and _ANYTHING not in other:
        return one == other
    seen = set()
    waiting = [(0, 0)]
    while waiting:
        here, there = waiting.pop()
        if (here, there) in seen:
            continue
        seen.add((here, there))
        left, right = one[here : here + 1], other[there : there + 1]
        if not left and not right:
            return True
        if left == (_ANYTHING,):
            waiting += [(here + 1, there), *([(here, there + 1)] if right else [])]
        if right == (_ANYTHING,):
            waiting += [(here, there + 1), *([(here + 1, there)] if left else [])]
        if left and left == right:
            waiting.append((here + 1, there + 1))
    return False
