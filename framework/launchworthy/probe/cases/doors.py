"""Other ways in than a call: lists and greetings without a token, and sessions of the older revision.

These are for `launchworthy probe` alone; promotion rehearses the same with the manifests at hand.
"""

from typing import Any

from launchworthy.probe.case import NO_TOKEN, Case, refused
from launchworthy.probe.changes import claims, credentials
from launchworthy.probe.draft import Change, Draft, initialize_draft, plain_draft
from launchworthy.probe.probed import LEGACY, MODERN, Probed

_SOURCE = "MCP authorization, RFC 6750 §3.1"
_SESSIONS = "MCP 2025-11-25 streamable HTTP, MCP security best practices"


def _asking(method: str) -> Change:
    def change(draft: Draft) -> None:
        if method == "initialize":
            other = initialize_draft(draft.probed, draft.message["id"])
            draft.session = None
        else:
            other = plain_draft(draft.probed, method, draft.revision, draft.message["id"])
        draft.message, draft.headers = other.message, other.headers

    return change


def _method(name: str, method: str, *revisions: str) -> Case:
    return Case(
        id=f"methods.{name}",
        control="TOK-01",
        title=f"`{method}` without a token",
        why="strangers learn what the server can do, and who asks it",
        source=_SOURCE,
        change=credentials(lambda _: []),
        expected=NO_TOKEN,
        revisions=revisions,
        elsewhere=revisions,
        base=_asking(method),
    )


METHODS = (
    _method("discover", "server/discover", MODERN),
    _method("initialize", "initialize", LEGACY),
    _method("ping", "ping", LEGACY),
    _method("tools", "tools/list", MODERN, LEGACY),
    _method("resources", "resources/list", MODERN, LEGACY),
    _method("templates", "resources/templates/list", MODERN, LEGACY),
    _method("prompts", "prompts/list", MODERN, LEGACY),
)


def _keeps_sessions(probed: Probed) -> bool:
    return probed.sessions


def _session(name: str, title: str, why: str, change: Change) -> Case:
    return Case(
        id=f"sessions.{name}",
        control="AZ-06",
        title=title,
        why=why,
        source=_SESSIONS,
        change=change,
        expected=refused(404),
        revisions=(LEGACY,),
        elsewhere=(LEGACY,),
        applies=_keeps_sessions,
    )


def _unknown(draft: Draft) -> None:
    draft.session = "probe-made-this-up"


def _somebody_else(draft: Draft) -> None:
    changed: dict[str, Any] = {"sub": "probe-somebody-else", draft.probed.client_claim: "probe-somebody-else"}
    claims(**changed)(draft)


SESSIONS = (
    _session("unknown", "a session that the server never made", "whoever guesses or keeps one has it",
             _unknown),
    _session("stolen", "a caller's session with the good token of somebody else",
             "who learns a session's name acts in it", _somebody_else),
)  # fmt: skip
