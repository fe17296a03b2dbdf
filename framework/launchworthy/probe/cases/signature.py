"""Tokens that nobody we trust has signed: issuer, algorithm, key and signature (RFC 8725, RFC 9068 §4)."""

import base64
import hashlib
import hmac
import json
from collections.abc import Callable

from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from joserfc.jwk import OctKey, import_key

from launchworthy.probe.case import BOTH, OURS_ONLY, Case, bad_token
from launchworthy.probe.changes import both, claims, edited_token, minting, token_header
from launchworthy.probe.draft import Change, Draft
from launchworthy.probe.probed import Probed
from launchworthy.testing.issuer import ABSENT, SigningKey

_KEY_SOURCE = "RFC 8725 §3.1, RFC 9068 §4"
_KEY_REASONS = ("key", "kid", "signature", "algorithm", "header", "malformed")


def _case(control: str, name: str, title: str, why: str, change: Change, *reasons: str) -> Case:
    source = "RFC 8414 §3.3, RFC 9068 §4" if control == "TOK-03" else _KEY_SOURCE
    return Case(
        id=f"{'issuer' if control == 'TOK-03' else 'signature'}.{name}",
        control=control,
        title=title,
        why=why,
        source=source,
        change=change,
        expected=bad_token(*(reasons or _KEY_REASONS)),
        elsewhere=OURS_ONLY if name in _OURS else BOTH,
    )


_OURS = frozenset({"no-kid", "jku", "x5u"})
"""RFC 7515 lets others find a key without its name, and ignore where a header says that keys are."""


def _foreign_key(draft: Draft) -> SigningKey:
    return draft.probed.stranger.keys.active()


def _imposter(draft: Draft) -> SigningKey:
    """A stranger's key under the name of the issuer's own."""
    ours, theirs = draft.probed.issuer.keys.active(), draft.probed.stranger.keys.active()
    return SigningKey(kid=ours.kid, algorithm=theirs.algorithm, private=theirs.private)


def _is_ec(probed: Probed) -> bool:
    return probed.issuer.keys.active().algorithm == "ES256"


def _segment(value: bytes) -> str:
    return base64.urlsafe_b64encode(value).rstrip(b"=").decode()


def _unsigned(token: str) -> str:
    _, payload, _ = token.split(".")
    return f"{_segment(json.dumps({'alg': 'none', 'typ': 'at+jwt', 'kid': 'none'}).encode())}.{payload}."


def _hmac_with_public_key(draft: Draft) -> None:
    """The classic confusion: the published key used as a shared secret."""
    published = import_key(draft.probed.issuer.keys.active().public())
    public = b"" if isinstance(published, OctKey) else published.as_pem(private=False)
    draft.token_header["alg"] = "HS256"
    draft.minting["signature"] = lambda signed: hmac.new(public, signed, hashlib.sha256).digest()


def _der(token: str) -> str:
    head, payload, signature = token.split(".")
    raw = base64.urlsafe_b64decode(signature + "=" * (-len(signature) % 4))
    half = len(raw) // 2
    der = encode_dss_signature(int.from_bytes(raw[:half], "big"), int.from_bytes(raw[half:], "big"))
    return f"{head}.{payload}.{_segment(der)}"


def _flip(part: int) -> Callable[[str], str]:
    """Change one character in the middle of a part."""

    def edit(token: str) -> str:
        parts = token.split(".")
        text = parts[part]
        middle = len(text) // 2
        parts[part] = text[:middle] + ("A" if text[middle] != "A" else "B") + text[middle + 1 :]
        return ".".join(parts)

    return edit


def _more_scope(token: str) -> str:
    head, payload, signature = token.split(".")
    members = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    members["scope"] = f"{members.get('scope', '')} admin".strip()
    return f"{head}.{_segment(json.dumps(members).encode())}.{signature}"


_FORGED = "whoever can write such a token can be anybody"

ISSUER = (
    _case(
        "TOK-03", "stranger", "a token that another issuer issued and signed", _FORGED,
        both(claims(iss=lambda draft: draft.probed.stranger.issuer), minting(key=_foreign_key)), "issuer",
    ),
    _case(
        "TOK-03", "claimed", "a token that says another issuer, signed by ours", _FORGED,
        claims(iss=lambda draft: draft.probed.stranger.issuer), "issuer",
    ),
    _case(
        "TOK-03", "mixed-up", "a token of another issuer that says ours", _FORGED,
        minting(key=_foreign_key), "kid", "key", "signature",
    ),
    _case(
        "TOK-03", "slash", "a token of our issuer with a slash behind",
        "two names that look alike are two issuers",
        claims(iss=lambda draft: f"{draft.probed.issuer.issuer}/"), "issuer",
    ),
    _case(
        "TOK-03", "case", "a token of our issuer in capitals", "two names that look alike are two issuers",
        claims(iss=lambda draft: draft.probed.issuer.issuer.upper()), "issuer",
    ),
    _case("TOK-03", "missing", "a token that names no issuer", _FORGED, claims(iss=ABSENT), "issuer"),
    _case(
        "TOK-03", "list", "a token whose issuer is a list", "a comparison by `in` lets it through",
        claims(iss=lambda draft: [draft.probed.issuer.issuer]), "issuer",
    ),
)  # fmt: skip

SIGNATURE = (
    _case(
        "TOK-02", "none", "a token that says it needs no signature", _FORGED, edited_token(_unsigned),
    ),
    _case(
        "TOK-02", "hmac", "a token signed with the published key as a shared secret", _FORGED,
        _hmac_with_public_key,
    ),
    _case("TOK-02", "imposter", "a token signed by another key under the same name", _FORGED,
          minting(key=_imposter), *_KEY_REASONS),
    _case("TOK-02", "unknown-kid", "a token whose key nobody published", _FORGED,
          token_header(kid="nobody-has-this"), "kid", "key"),
    _case("TOK-02", "no-kid", "a token that names no key", "trying every key is how the wrong one fits",
          token_header(kid=ABSENT), "kid"),
    _case("TOK-02", "jwk", "a token that brings its own key", _FORGED,
          both(minting(key=_foreign_key), token_header(jwk=lambda draft: _foreign_key(draft).public())),
          "header"),
    _case("TOK-02", "jku", "a token that says where its keys are", "the server fetches what a caller says",
          token_header(jku="https://probe.invalid/keys"), "header"),
    _case("TOK-02", "x5u", "a token that says where its certificate is",
          "the server fetches what a caller says", token_header(x5u="https://probe.invalid/cert"), "header"),
    _case("TOK-02", "crit", "a token with an extension that must be understood",
          "what changes how it is read is not ignored (RFC 7515 §4.1.11)",
          token_header(crit=["exp"]), "header"),
    _case("TOK-02", "payload", "a token to which a scope was added after it was signed", _FORGED,
          edited_token(_more_scope), "signature"),
    _case("TOK-02", "bit", "a token whose signature has another character in its middle", _FORGED,
          edited_token(_flip(2)), "signature", "malformed"),
    _case("TOK-02", "unsigned", "a token without its signature", _FORGED,
          edited_token(lambda token: token.rpartition(".")[0] + "."), "signature", "malformed"),
    _case("TOK-02", "other-alg", "a token whose algorithm is another than its key's", _FORGED,
          token_header(alg="PS512"), "algorithm", "key", "signature"),
    _case("TOK-02", "padding", "a token with padding", "one token, one spelling",
          edited_token(lambda token: token + "=="), "malformed"),
    _case("TOK-02", "five-parts", "a token of five parts", "an encrypted token is no access token here",
          edited_token(lambda token: token + ".AAAA.AAAA"), "malformed"),
)  # fmt: skip

ONLY_EC = (
    Case(
        id="signature.der",
        control="TOK-02",
        title="a token whose ECDSA signature is in DER",
        why="one token, one spelling (RFC 7518 §3.4)",
        source="RFC 7518 §3.4",
        change=edited_token(_der),
        expected=bad_token("signature", "malformed"),
        applies=_is_ec,
    ),
)
