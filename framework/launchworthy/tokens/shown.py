"""How does a stranger's value look inside a sentence of ours?

Details of refusals go to the audit and to a developer's terminal. A claim or a header may hold anything,
so it is cut, its control characters and backticks are taken out, and only its kind is told where its
content says nothing.
"""

_LONGEST = 96
_KINDS = {type(None): "nothing", bool: "a boolean", int: "a number", float: "a number", list: "a list"}


def shown(value: object) -> str:
    """A value in backticks, safe to print; or the kind of what is not a string."""
    if isinstance(value, str):
        return f"`{_plain(value)}`"
    if isinstance(value, list) and value and all(isinstance(item, str) for item in value):
        return _listed(value)
    return _KINDS.get(type(value), "an object")


def _listed(values: list[str]) -> str:
    more = len(values) - 3
    names = ", ".join(f"`{_plain(value)}`" for value in values[:3])
    return f"{names} and {more} more" if more > 0 else names


def _plain(text: str) -> str:
    cut = text if len(text) <= _LONGEST else text[:_LONGEST] + "…"
    return "".join(letter if letter.isprintable() and letter != "`" else "?" for letter in cut)
