"""Requests whose headers and body disagree, in every revision: one parse decides (MCP 2026-07-28)."""

import base64
from typing import Any

from launchworthy.probe.case import BOTH, GOES_THROUGH, OURS_ONLY, Case, Expected, refused
from launchworthy.probe.changes import both, http_header, message, more_header
from launchworthy.probe.draft import Change, Draft
from launchworthy.probe.probed import LEGACY, MODERN, NAMED_BY, VERSION_KEY, Probed

_SOURCE = "MCP 2026-07-28 streamable HTTP"
_MISMATCH = refused(400, code=-32020, reasons=("protocol.mismatch",))
_REVISION = refused(400, code=-32022, reasons=("protocol.revision",))
_INVALID = refused(400, code=-32602, reasons=("protocol.invalid",))


def _case(  # noqa: PLR0917 - a row of the table
    name: str, title: str, why: str, change: Change, expected: Expected, revisions: tuple[str, ...] = BOTH
) -> Case:
    ours = _ELSEWHERE.get((name, revisions), revisions)
    return Case(
        id=f"protocol.{name}",
        control="AZ-06",
        title=title,
        why=why,
        source=_SOURCE,
        change=change,
        expected=expected,
        revisions=revisions,
        applies=_is_named if name in _OF_NAMES else lambda _: True,
        elsewhere=ours,
    )


_OF_NAMES = frozenset({"name", "name-encoded", "name-twice", "no-name", "encoded", "unknown-target"})
"""What only a target with a name can be asked."""
_ELSEWHERE: dict[tuple[str, tuple[str, ...]], tuple[str, ...]] = {
    **{(name, BOTH): (MODERN,) for name in ("name", "method", "name-encoded", "name-twice")},
    ("version-twice", BOTH): (MODERN,),
    ("no-version", (LEGACY,)): OURS_ONLY,
    ("older-version", (LEGACY,)): OURS_ONLY,
    ("logging", BOTH): OURS_ONLY,
    ("session", BOTH): (MODERN,),
}
"""The older revision has no such headers, assumes a version where none is named, and has sessions."""


def _is_named(probed: Probed) -> bool:
    return probed.target.named


def _meta(version: Any) -> Change:
    def edit(sent: dict[str, Any]) -> None:
        sent["params"].setdefault("_meta", {})[VERSION_KEY] = version

    return message(edit)


def _drop_meta(sent: dict[str, Any]) -> None:
    del sent["params"]["_meta"]


def _named(draft: Draft) -> str:
    return str(draft.target.params[NAMED_BY[draft.target.method]])


def _sentinel(draft: Draft) -> str:
    return f"=?base64?{base64.b64encode(_named(draft).encode()).decode()}?="


def _wrong_sentinel(_: Draft) -> str:
    return f"=?base64?{base64.b64encode(b'another').decode()}?="


def _unknown(draft: Draft) -> None:
    """A name that nothing here has, in the body and in the header alike."""
    key = NAMED_BY[draft.target.method]
    name = "probe://nothing" if key == "uri" else "probe_nothing_of_this_name"
    both(
        message(lambda sent: sent["params"].update({key: name})),
        http_header("mcp-name", name) if draft.revision == MODERN else lambda _: None,
    )(draft)


def _method(name: str) -> Change:
    """Another method, in the body and in the header alike."""

    def change(draft: Draft) -> None:
        draft.message = {**draft.message, "method": name, "params": {
            key: value for key, value in draft.message["params"].items() if key == "_meta"
        }}  # fmt: skip
        draft.header("mcp-name", None)
        if draft.revision == MODERN:
            draft.header("mcp-method", name)

    return change


_OTHER = "what is authorised is not what is run"
_LOOSE = "a revision nobody reviewed is served, with its own rules"

PROTOCOL = (
    _case("name", "a header that names another target", _OTHER, http_header("mcp-name", "probe"), _MISMATCH),
    _case("method", "a header that names another method", _OTHER, http_header("mcp-method", "ping"),
          _MISMATCH),
    _case("name-encoded", "an encoded header that names another target", _OTHER,
          http_header("mcp-name", _wrong_sentinel), _MISMATCH),
    _case("name-twice", "two headers that name the target", _OTHER,
          both(http_header("mcp-name", _named), more_header("mcp-name", _named)), _MISMATCH),
    _case("no-name", "a request that names its target in the body only", _OTHER,
          http_header("mcp-name", None), _MISMATCH, (MODERN,)),
    _case("no-method", "a request that names its method in the body only", _OTHER,
          http_header("mcp-method", None), _MISMATCH, (MODERN,)),
    _case("no-version", "a request without its version header", _LOOSE,
          http_header("mcp-protocol-version", None), _MISMATCH, (MODERN,)),
    _case("no-version", "a request without its version header", _LOOSE,
          http_header("mcp-protocol-version", None), _REVISION, (LEGACY,)),
    _case("downgrade", "a modern body under the older header", _OTHER,
          http_header("mcp-protocol-version", LEGACY), _MISMATCH, (MODERN,)),
    _case("downgrade-body", "an older version in the body under the modern header", _OTHER, _meta(LEGACY),
          _MISMATCH, (MODERN,)),
    _case("no-meta", "a modern request without its envelope", _OTHER, message(_drop_meta), _INVALID,
          (MODERN,)),
    _case("unknown-version", "a version of the next century", _LOOSE,
          both(_meta("2126-07-28"), http_header("mcp-protocol-version", "2126-07-28")), _REVISION,
          (MODERN,)),
    _case("unknown-version", "a version of the next century", _LOOSE,
          http_header("mcp-protocol-version", "2126-07-28"), _REVISION, (LEGACY,)),
    _case("older-version", "a version that is not served any more", _LOOSE,
          http_header("mcp-protocol-version", "2025-06-18"), _REVISION, (LEGACY,)),
    _case("version-twice", "two version headers", _LOOSE,
          more_header("mcp-protocol-version", "2025-06-18"), _MISMATCH),
    _case("unknown-method", "a method that is not served", "a method nobody decided about",
          _method("tasks/cancel"), refused(404, code=-32601, reasons=("protocol.method",))),
    _case("logging", "a method that changes the server's log", "a caller decides what is logged",
          _method("logging/setLevel"), refused(404, code=-32601, reasons=("protocol.method",))),
    _case("unknown-target", "a target that is not declared", "what no manifest declares is served", _unknown,
          refused(400, code=-32602, reasons=("tool.unknown",))),
    _case("session", "somebody else's session", "a session stands in for a token",
          both(more_header("mcp-session-id", "1868a90c"), more_header("last-event-id", "7")), GOES_THROUGH),
    _case("encoded", "a header that names the target in base64", "clients may, and names may need it",
          http_header("mcp-name", _sentinel), GOES_THROUGH, (MODERN,)),
)  # fmt: skip
