"""Tokens that are no access tokens: their type, whom they are bound to, and whom they name (RFC 9068)."""

import base64
from typing import Any

from launchworthy.probe.case import BOTH, OURS_ONLY, Case, bad_token
from launchworthy.probe.changes import both, claims, minting, token_header
from launchworthy.probe.draft import Change, Draft
from launchworthy.testing.issuer import ABSENT

_SOURCE = "RFC 9068 §2.2 and §4, RFC 9449 §7.2"


def _case(name: str, title: str, why: str, change: Change, *reasons: str) -> Case:
    return Case(
        id=f"purpose.{name}",
        control="TOK-06",
        title=title,
        why=why,
        source=_SOURCE,
        change=change,
        expected=bad_token(*reasons),
        elsewhere=OURS_ONLY if name in _OURS else BOTH,
    )


_OURS = frozenset({"bound-null", "actors", "actor-text", "scope-list", "claim-twice"})
"""No standard tells others what to make of these, or it lets the last of two names count (RFC 7519 §4)."""


def _client(draft: Draft, value: Any) -> None:
    draft.claims[draft.probed.client_claim] = value


def _deep_actors(_: Draft) -> dict[str, Any]:
    chain: dict[str, Any] = {"sub": "agent"}
    for number in range(5):
        chain = {"sub": f"agent-{number}", "act": chain}
    return chain


def _twice(draft: Draft) -> bytes:
    """The claims of a good token with the audience twice, the good one last."""
    issuer = draft.probed.issuer
    good = draft.probed.good_claims(draft.scopes)
    grant = issuer.grant(resource=draft.probed.resource, scopes=draft.scopes, claims=good)
    claims_part = issuer.mint(grant, claims={}, header={}).split(".")[1]
    payload = base64.urlsafe_b64decode(claims_part + "=" * (-len(claims_part) % 4))
    return b'{"aud":"https://probe.invalid/mcp",' + payload[1:]


_ID_TOKEN = "whatever the issuer signs for a browser opens the server"  # noqa: S105 - a sentence
_NOBODY = "the audit names nobody"

PURPOSE = (
    _case("id-token", "an ID token for this server", _ID_TOKEN,
          both(token_header(typ="JWT"), claims(nonce="n-0S6_WzA2Mj", at_hash="77QmUPtjPfzWtF2AnpK9RQ")),
          "type"),
    _case("jwt", "a token that only says it is a JWT", _ID_TOKEN, token_header(typ="JWT"), "type"),
    _case("untyped", "a token that does not say what it is", _ID_TOKEN, token_header(typ=ABSENT), "type"),
    _case("logout", "a logout token", _ID_TOKEN, token_header(typ="logout+jwt"), "type"),
    _case("bound", "a sender-constrained token without its proof",
          "stealing it is enough, which is what binding was to prevent",
          claims(cnf={"jkt": "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I"}), "bound"),
    _case("bound-null", "a token bound to nothing", "an empty binding is a binding", claims(cnf=None),
          "bound"),
    _case("no-subject", "a token that stands for nobody", _NOBODY, claims(sub=ABSENT), "claims"),
    _case("empty-subject", "a token whose subject is empty", _NOBODY, claims(sub=""), "claims"),
    _case("number-subject", "a token whose subject is a number", _NOBODY, claims(sub=17), "claims"),
    _case("no-client", "a token that names no client", _NOBODY,
          lambda draft: _client(draft, ABSENT), "claims"),
    _case("no-jti", "a token without a name of its own", "nobody can revoke or find it", claims(jti=ABSENT),
          "claims"),
    _case("scope-list", "a token whose scopes are a list", "two readers read two sets of scopes",
          lambda draft: draft.claims.update({draft.probed.scope_claim: {"all": True}}), "claims"),
    _case("actors", "a token delegated six times", "nobody can say on whose behalf it is used",
          claims(act=_deep_actors), "claims"),
    _case("actor-text", "a token whose delegation is a text", "nobody can say on whose behalf it is used",
          claims(act="agent"), "claims"),
    _case("claim-twice", "a token with two audiences of one name", "two readers read two audiences",
          minting(raw_payload=_twice), "malformed", "claims"),
)  # fmt: skip
