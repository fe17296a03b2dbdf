"""Calls that the token or the schema does not allow: scopes, and arguments nobody declared."""

from typing import Any

from launchworthy.probe.case import Case, Expected, no_scope
from launchworthy.probe.changes import message, with_scopes
from launchworthy.probe.draft import Change, Draft
from launchworthy.probe.probed import Probed

_SCOPE_SOURCE = "MCP authorization, RFC 6750 §3.1, RFC 6749 §3.3"
_UNFIT = Expected(statuses=frozenset({200}), tool_error=True, reasons=frozenset({"tool.arguments"}))


def _scope(name: str, title: str, change: Change) -> Case:
    return Case(
        id=f"scopes.{name}",
        control="AZ-02",
        title=title,
        why="whoever may do something may do everything",
        source=_SCOPE_SOURCE,
        change=change,
        expected=no_scope(),
        applies=_says_scopes if name == "none" else _needs_scopes,
    )


def _says_scopes(probed: Probed) -> bool:
    """Whether there is a call, and a good token says what it is good for, so that another can say less."""
    return probed.target.named and bool(probed.target.scopes or probed.target.granted)


def _needs_scopes(probed: Probed) -> bool:
    """Whether it is known what the target needs."""
    return bool(probed.target.scopes)


def _first(draft: Draft) -> str:
    return draft.target.scopes[0]


SCOPES = (
    _scope("none", "a token that is good for nothing", with_scopes(lambda _: ())),
    _scope("capitals", "a token whose scope is in capitals",
           with_scopes(lambda draft: (_first(draft).upper(),))),
    _scope("longer", "a token whose scope begins like the right one",
           with_scopes(lambda draft: (f"{_first(draft)}.all",))),
    _scope("shorter", "a token whose scope is the beginning of the right one",
           with_scopes(lambda draft: (_first(draft)[:-1],))),
    _scope("star", "a token that is good for everything, it says",
           with_scopes(lambda draft: ("*", f"{_first(draft).partition(':')[0]}:*"))),
)  # fmt: skip


def _tool(probed: Probed) -> bool:
    return probed.target.method == "tools/call"


def _arguments(edit: Any) -> Change:
    return message(lambda sent: edit(sent["params"].setdefault("arguments", {})))


def _has(kind: type) -> Any:
    """Whether some argument of the example is of this type."""
    return lambda probed: (
        _tool(probed)
        and any(type(value) is kind for value in probed.target.params.get("arguments", {}).values())
    )


def _replace(kind: type, value: Any) -> Change:
    """Give the first argument of this type another value, of another type."""

    def edit(arguments: dict[str, Any]) -> None:
        name = next(name for name, each in arguments.items() if type(each) is kind)
        arguments[name] = value(arguments[name])

    return _arguments(edit)


def _argument(name: str, title: str, why: str, change: Change, applies: Any = _tool) -> Case:
    return Case(
        id=f"arguments.{name}",
        control="TL-01",
        title=title,
        why=why,
        source="MCP tools, JSON Schema 2020-12",
        change=change,
        expected=_UNFIT,
        applies=applies,
    )


_COERCED = "what is decided about is not what the tool is given"

ARGUMENTS = (
    _argument("unknown", "an argument that nobody declared", "a model smuggles what a reviewer never saw",
              _arguments(lambda arguments: arguments.update(probe_undeclared=True))),
    _argument("text-list", "a list where a text belongs", _COERCED, _replace(str, lambda each: [each]),
              _has(str)),
    _argument("text-number", "a number where a text belongs", _COERCED, _replace(str, lambda _: 17),
              _has(str)),
    _argument("text-null", "null where a text belongs", _COERCED, _replace(str, lambda _: None), _has(str)),
    _argument("number-text", "a text where a number belongs", _COERCED, _replace(int, str), _has(int)),
    _argument("number-true", "`true` where a number belongs", _COERCED, _replace(int, lambda _: True),
              _has(int)),
)  # fmt: skip
