"""Tokens out of their time: an end, a beginning and a lifetime that is bounded (RFC 9068 §2.2)."""

import base64
from typing import Any

from launchworthy.probe.case import BOTH, GOES_THROUGH, OURS_ONLY, Case, bad_token
from launchworthy.probe.changes import claims, minting
from launchworthy.probe.draft import Draft
from launchworthy.testing.issuer import ABSENT

_SOURCE = "RFC 9068 §2.2, RFC 7519 §4.1, MCP security best practices"
_DAY = 86_400
_OURS = frozenset({"too-long", "issued-later", "backwards"})
"""No standard says how long others let a token live, or what a time of issue to come means to them."""


def _case(name: str, title: str, why: str, *reasons: str, **changed: Any) -> Case:
    return Case(
        id=f"dates.{name}",
        control="TOK-05",
        title=title,
        why=why,
        source=_SOURCE,
        change=claims(**changed),
        expected=bad_token(*reasons),
        elsewhere=OURS_ONLY if name in _OURS else BOTH,
    )


def _endless(draft: Draft) -> bytes:
    """The claims of a good token with a number for its end that is larger than any float."""
    issuer, good = draft.probed.issuer, draft.probed.good_claims(draft.scopes)
    grant = issuer.grant(resource=draft.probed.resource, scopes=draft.scopes, claims=good)
    part = issuer.mint(grant, claims={"exp": ABSENT}, header={}).split(".")[1]
    return b'{"exp":1e999,' + base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))[1:]


def _just_over(draft: Draft) -> int:
    return int(draft.probed.now - draft.probed.leeway) - 2


_STOLEN = "a token that leaked once is good for ever"

DATES = (
    _case(
        "expired", "a token that ended an hour ago", _STOLEN, "expired",
        exp=lambda draft: draft.probed.now - 3600, iat=lambda draft: draft.probed.now - 3900,
    ),
    _case(
        "expired-just", "a token that ended just over the leeway ago", _STOLEN, "expired",
        exp=_just_over, iat=lambda draft: draft.probed.now - 300,
    ),
    _case("no-end", "a token without an end", _STOLEN, "claims", "expired", exp=ABSENT),
    _case("end-zero", "a token that ended in 1970", _STOLEN, "expired", "lifetime", "claims", exp=0),
    Case(
        id="dates.end-infinite", control="TOK-05", title="a token whose end is a number without end",
        why=_STOLEN, source=_SOURCE, change=minting(raw_payload=_endless),
        expected=bad_token("malformed", "claims"),
    ),
    _case("end-null", "a token whose end is null", _STOLEN, "claims", "expired", exp=None),
    _case(
        "end-text", "a token whose end is a text", "a comparison that coerces lets it through", "claims",
        exp=lambda draft: str(draft.probed.now + 300),
    ),
    _case("end-true", "a token whose end is `true`", "a comparison that coerces lets it through", "claims",
          "expired", exp=True),
    _case("end-far", "a token that ends in the year 31 690 708", _STOLEN, "claims", "malformed",
          exp=10**15),
    _case(
        "too-long", "a token that lives longer than the maximum", _STOLEN, "lifetime",
        exp=lambda draft: draft.probed.now + int(draft.probed.max_lifetime) + 120,
    ),
    _case("ten-years", "a token that lives ten years", _STOLEN, "lifetime",
          exp=lambda draft: draft.probed.now + 3650 * _DAY),
    _case(
        "not-yet", "a token that begins in an hour", "it is used before anyone meant it to be", "not_yet",
        nbf=lambda draft: draft.probed.now + 3600,
    ),
    _case(
        "issued-later", "a token that was issued in an hour's time", "its age cannot be told", "not_yet",
        "lifetime", iat=lambda draft: draft.probed.now + 300,
    ),
    _case("no-issue", "a token without its time of issue", "its lifetime cannot be bounded", "claims",
          iat=ABSENT),
    _case(
        "backwards", "a token that ended before it was issued", "its lifetime is no lifetime", "lifetime",
        exp=lambda draft: draft.probed.now + 5, iat=lambda draft: draft.probed.now + 10,
    ),
)  # fmt: skip
"""Each differs in one date, and in `iat` where the date would contradict it."""

IN_TIME = (
    Case(
        id="dates.inside-leeway",
        control="TOK-05",
        title="a token that ended just inside the leeway",
        why="clocks differ, and a caller is not to blame for it",
        source=_SOURCE,
        change=claims(
            exp=lambda draft: int(draft.probed.now - draft.probed.leeway) + 10,
            iat=lambda draft: draft.probed.now - 300,
        ),
        expected=GOES_THROUGH,
        applies=lambda probed: probed.leeway >= 15,  # noqa: PLR2004 - ten seconds are left to send it
        elsewhere=OURS_ONLY,
    ),
)
