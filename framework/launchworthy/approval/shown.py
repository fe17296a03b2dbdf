"""What does a person see before they say yes? The whole call, and every character of it.

What cannot be shown whole cannot be approved: so nothing is cut, and what does not fit is refused. One line
for each argument, its value as JSON; characters that do not show, or that turn the order of others, are
written as their escapes, so that a value can neither hide nor draw a second question.
"""

import json
import unicodedata

from launchworthy.approval.asked_call import AskedCall
from launchworthy.approval.refusals import NotAnswered
from launchworthy.manifest import find_hidden

MAX_SHOWN = 8192
"""Characters; more than a person reads, and clients cut long messages."""
_SEPARATORS = frozenset({"Zs", "Zl", "Zp"})


def shown_call(call: AskedCall, *, title: str, effect: str, seconds: int) -> str:
    """Write the question.

    Args:
        call: what is asked about.
        title: of the server, for people.
        effect: what the manifest says that the tool does.
        seconds: for which the answer counts.

    Raises:
        NotAnswered: it is more than a person can be shown.
    """
    principal = call.principal
    arguments = [f"  {name} = {value}" for name, value in shown_arguments(call)]
    tenant = [] if principal.tenant is None else [f"tenant     {visible(principal.tenant)}"]
    through = [f"through    {visible(actor)}" for actor in principal.actors]
    text = "\n".join(
        (
            f"{title} asks: may this call be made?",
            "",
            f"tool       {call.tool} ({effect})",
            f"server     {call.resource}",
            f"client     {visible(principal.client)}",
            f"for        {visible(principal.subject)} of {visible(principal.issuer)}",
            *tenant,
            *through,
            "arguments" if arguments else "arguments  none",
            *arguments,
            "",
            f"A yes is for exactly this call, once, within {seconds} seconds.",
        )
    )
    if len(text) > MAX_SHOWN:
        raise NotAnswered(f"the call cannot be shown whole: {len(text)} characters, and {MAX_SHOWN} can")
    return text


def shown_arguments(call: AskedCall) -> tuple[tuple[str, str], ...]:
    """Every argument, whole: its name, and its value on one line."""
    return tuple((_name(name), visible(value)) for name, value in sorted(call.arguments.items()))


def _name(name: str) -> str:
    """An argument's name; one that is more than letters, digits and `_` is written as a value is."""
    return name if name.isascii() and name.isidentifier() else visible(name)


def visible(value: object) -> str:
    """A JSON value on one line, with an escape for each character that does not show."""
    text = json.dumps(value, sort_keys=True, ensure_ascii=False, allow_nan=False)
    return "".join(map(_seen, text))


def _seen(character: str) -> str:
    if character == " " or (character.isascii() and character.isprintable()):
        return character
    category = unicodedata.category(character)
    if (
        category in _SEPARATORS
        or category.startswith("M")
        or find_hidden(character)
        or not character.isprintable()
    ):
        return json.dumps(character, ensure_ascii=True)[1:-1]
    return character
