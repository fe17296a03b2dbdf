"""Tokens for somebody else: the one audience, byte for byte (RFC 8707 §2, RFC 9068 §4)."""

from typing import Any
from urllib.parse import urlsplit

from launchworthy.probe.case import BOTH, GOES_THROUGH, OURS_ONLY, Case, bad_token
from launchworthy.probe.changes import claims
from launchworthy.probe.draft import Draft
from launchworthy.testing.issuer import ABSENT

SOMEBODY_ELSE = "https://probe.invalid/mcp"
"""Nobody: a good token for a server that exists, shown to another one, would be a gift."""
_WHY = "a token that was issued for another server opens this one"
_SOURCE = "RFC 8707 §2, RFC 9068 §4"


def _origin(draft: Draft) -> str:
    parts = urlsplit(draft.probed.resource)
    return f"{parts.scheme}://{parts.netloc}"


def _case(name: str, title: str, aud: Any, elsewhere: tuple[str, ...] = BOTH) -> Case:
    return Case(
        id=f"audience.{name}",
        control="TOK-04",
        title=title,
        why=_WHY,
        source=_SOURCE,
        change=claims(aud=aud),
        expected=bad_token("audience"),
        elsewhere=elsewhere,
    )


AUDIENCE = (
    _case("other", "a token for another server", SOMEBODY_ELSE),
    _case("missing", "a token for no server in particular", ABSENT),
    _case("empty", "a token whose audience is empty", ""),
    _case("null", "a token whose audience is null", None),
    _case("longer", "a token for a longer path", lambda draft: f"{draft.probed.resource}/admin"),
    _case("origin", "a token for the origin alone", _origin),
    _case(
        "slash",
        "a token for the same path with a slash",
        lambda draft: f"{draft.probed.resource}/",
        OURS_ONLY,
    ),
    _case("case", "a token for the same path in capitals", lambda draft: draft.probed.resource.upper()),
    _case(
        "several",
        "a token for this server and another",
        lambda draft: [draft.probed.resource, SOMEBODY_ELSE],
        OURS_ONLY,
    ),
    _case("no-list", "a token whose audience is an empty list", []),
    Case(
        id="audience.list-of-one",
        control="TOK-04",
        title="a token for a list that names this server only",
        why="issuers write a single audience either way (RFC 7519 §4.1.3)",
        source="RFC 7519 §4.1.3",
        change=claims(aud=lambda draft: [draft.probed.resource]),
        expected=GOES_THROUGH,
    ),
)
