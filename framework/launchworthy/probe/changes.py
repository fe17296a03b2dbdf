"""How is one property of a good request changed? The few kinds of change that cases are made of."""

import json
from collections.abc import Callable
from typing import Any

from launchworthy.probe.draft import Change, Draft


def claims(**values: Any) -> Change:
    """Replace claims of the token; a function is asked for the value, `ABSENT` leaves the claim out."""

    def change(draft: Draft) -> None:
        draft.claims.update({name: _value(value, draft) for name, value in values.items()})

    return change


def token_header(**values: Any) -> Change:
    """Replace members of the token's header, which is signed as it then is."""

    def change(draft: Draft) -> None:
        draft.token_header.update({name: _value(value, draft) for name, value in values.items()})

    return change


def minting(**values: Any) -> Change:
    """Change how the token is signed or written: the arguments of `SimulatedIssuer.mint`."""

    def change(draft: Draft) -> None:
        draft.minting.update({name: _value(value, draft) for name, value in values.items()})

    return change


def edited_token(edit: Callable[[str], str]) -> Change:
    """Change the finished token."""

    def change(draft: Draft) -> None:
        draft.edit_token = edit

    return change


def credentials(make: Callable[[str], list[str]]) -> Change:
    """Send these Authorization values for the good token."""

    def change(draft: Draft) -> None:
        draft.credentials = make

    return change


def http_header(name: str, value: Any) -> Change:
    """Replace a header; None leaves it out."""

    def change(draft: Draft) -> None:
        draft.header(name, _value(value, draft))

    return change


def more_header(name: str, value: Any) -> Change:
    """Send a header besides those that are there, one of the same name too."""

    def change(draft: Draft) -> None:
        draft.headers.append((name, _value(value, draft)))

    return change


def message(edit: Callable[[dict[str, Any]], None]) -> Change:
    """Change the JSON-RPC message."""

    def change(draft: Draft) -> None:
        draft.message = json.loads(json.dumps(draft.message))
        edit(draft.message)

    return change


def body(make: Callable[[bytes], bytes]) -> Change:
    """Send other bytes than those of the message."""

    def change(draft: Draft) -> None:
        draft.body = make(json.dumps(draft.message).encode())

    return change


def with_scopes(choose: Callable[[Draft], tuple[str, ...]]) -> Change:
    """Show a token that is good for other scopes."""

    def change(draft: Draft) -> None:
        draft.scopes = choose(draft)

    return change


def request_line(method: str | None = None, path: Callable[[str], str] | None = None) -> Change:
    """Change the method, or the path with its query."""

    def change(draft: Draft) -> None:
        draft.http_method = method or draft.http_method
        draft.path = draft.path if path is None else path(draft.path)

    return change


def both(*changes: Change) -> Change:
    """Several changes that are one property only together."""

    def change(draft: Draft) -> None:
        for each in changes:
            each(draft)

    return change


def _value(value: Any, draft: Draft) -> Any:
    return value(draft) if callable(value) else value
