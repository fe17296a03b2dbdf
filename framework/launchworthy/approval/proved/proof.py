"""Is this proof of an approval genuine? An ID token whose nonce is the matter (OpenID Connect Core §3.1.3.7).

1. the file is one of this schema, of this matter
2. the header of the token names an asymmetric algorithm and a key, and brings nothing else
3. the key is one of the issuer's, and the signature holds
4. issuer, audience and authorized party are those of the trust policy; the nonce is the matter's
5. the token was issued in the past, and lived no longer than a day
6. one of the approver's groups may approve

That it has expired says nothing: it is the proof of an act, kept, and good for no request. Its parts are
stored apart, so that nobody takes it for a token that something would accept.
"""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Final, Literal, NoReturn

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from launchworthy.approval.proved.matter import Kind, Matter
from launchworthy.attestation import Approvers
from launchworthy.tokens.algorithms import KEY_SHAPES
from launchworthy.tokens.compact import Compact, split
from launchworthy.tokens.id_tokens import read_id_token_header
from launchworthy.tokens.key_import import VerificationKey
from launchworthy.tokens.shown import shown
from launchworthy.tokens.strict_json import StrictJSONError, parse_object
from launchworthy.vocabulary import Problem, ProblemError, Refused

SCHEMA: Final = "urn:launchworthy:approval:v1"
ALGORITHMS: Final = tuple(KEY_SHAPES)
MAX_FILE: Final = 32 * 1024
_MAX_PAYLOAD: Final = 8 * 1024
_MAX_DEPTH: Final = 8
_MAX_SAYS: Final = 4096
_SKEW: Final = 60
_LONGEST: Final = 86_400
_LATEST: Final = 253_402_300_800
"""The year 10000."""
_MAIL: Final = re.compile(r"[!-?A-~]{1,64}@[A-Za-z0-9.-]{1,190}")

Keys = Mapping[str, VerificationKey]


@dataclass(frozen=True, slots=True, kw_only=True)
class Approval:
    """A genuine one; made by `verify_proof` only.

    Attributes:
        matter: what was approved.
        issuer: who vouches for the approver.
        subject: the approver, as the issuer knows them.
        name: how people know them: their mail address, or the subject.
        approved_at: when they signed in for it, in seconds since the epoch.
        sha256: hex digest of the proof's file.
    """

    matter: Matter
    issuer: str
    subject: str
    name: str
    approved_at: int
    sha256: str


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, strict=True, extra="forbid", hide_input_in_errors=True)


_Base64Url = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,12000}$")]


class _IdToken(_Part):
    """RFC 7515 §7.2.2: the flattened serialisation."""

    protected: _Base64Url
    payload: _Base64Url
    signature: _Base64Url


class _ProofFile(_Part):
    schema_: Annotated[Literal["urn:launchworthy:approval:v1"], Field(alias="schema")]
    kind: Kind
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    says: Annotated[str, Field(max_length=_MAX_SAYS)]
    id_token: _IdToken


def render_proof(matter: Matter, token: str) -> bytes:
    """The file that keeps an approval.

    Args:
        matter: what was approved.
        token: the ID token, in compact serialisation.

    Raises:
        ProblemError: `approval-not-genuine`: that is no token.
    """
    names = ("protected", "payload", "signature", "more")
    parts = dict(zip(names, token.split(".", 3), strict=False))
    says = matter.says[:_MAX_SAYS]
    members = {
        "schema": SCHEMA,
        "kind": matter.kind,
        "sha256": matter.sha256,
        "says": says,
        "id_token": parts,
    }
    try:
        kept = _ProofFile.model_validate(members)
    except ValidationError:
        _refuse(matter.file_name, "would hold what is no ID token")
    return kept.model_dump_json(by_alias=True, indent=1).encode() + b"\n"


def verify_proof(
    content: bytes, matter: Matter, *, approvers: Approvers, keys: Keys, now: int, where: str
) -> Approval:
    """Verify one proof by the six steps of this module.

    Args:
        content: the file.
        matter: what it must be about.
        approvers: of the trust policy.
        keys: of their issuer.
        now: seconds since the epoch.
        where: what to call the file in messages.

    Raises:
        ProblemError: `approval-not-genuine`; says which step failed.
    """
    kept = _read(content, where)
    if (kept.kind, kept.sha256) != (matter.kind, matter.sha256):
        _refuse(where, f"is of another {kept.kind.value}")
    token = f"{kept.id_token.protected}.{kept.id_token.payload}.{kept.id_token.signature}"
    try:
        claims = _signed_claims(split(token), keys)
    except Refused as refused:
        _refuse(where, f"holds an ID token that cannot be believed: {refused.detail}")
    except StrictJSONError as error:
        _refuse(where, f"holds an ID token that cannot be read: {error}")
    _check_claims(claims, matter, approvers, now, where)
    subject = _text(claims.get("sub"), "sub", where)
    email = claims.get("email")
    return Approval(
        matter=matter,
        issuer=approvers.issuer,
        subject=subject,
        name=email if isinstance(email, str) and _MAIL.fullmatch(email) is not None else subject,
        approved_at=_instant(claims.get("iat"), "iat", where),
        sha256=hashlib.sha256(content).hexdigest(),
    )


def _read(content: bytes, where: str) -> _ProofFile:
    try:
        return _ProofFile.model_validate_json(content[: MAX_FILE + 1])
    except ValidationError:
        _refuse(where, "is no approval of this schema")


def _signed_claims(token: Compact, keys: Keys) -> dict[str, object]:
    header = read_id_token_header(token.unverified_header, ALGORITHMS)
    if header.kid not in keys:
        raise StrictJSONError(f"it names the key {shown(header.kid)}, which its issuer does not have")
    keys[header.kid].verify(header.algorithm, token.signing_input, token.signature)
    return parse_object(token.unverified_payload, max_depth=_MAX_DEPTH, max_bytes=_MAX_PAYLOAD)


def _check_claims(
    claims: Mapping[str, object], matter: Matter, approvers: Approvers, now: int, where: str
) -> None:
    if claims.get("iss") != approvers.issuer:
        _refuse(where, f"was made by {shown(claims.get('iss'))}, and {shown(approvers.issuer)} counts")
    if claims.get("aud") not in (approvers.client, [approvers.client]):
        _refuse(where, f"was made for {shown(claims.get('aud'))}, and {shown(approvers.client)} counts")
    if claims.get("azp", approvers.client) != approvers.client:
        _refuse(where, f"was asked for by {shown(claims.get('azp'))}")
    if claims.get("nonce") != matter.nonce:
        _refuse(where, f"was made for another matter than this {matter.kind.value}")
    issued, ends = _instant(claims.get("iat"), "iat", where), _instant(claims.get("exp"), "exp", where)
    if issued > now + _SKEW:
        _refuse(where, "was made in the future; look at the clocks")
    if not issued < ends <= issued + _LONGEST:
        _refuse(where, "holds an ID token that lives longer than a day, or never lived")
    groups = claims.get(approvers.claim)
    if not isinstance(groups, list) or not any(
        each in approvers.groups for each in groups if isinstance(each, str)
    ):
        _refuse(where, f"was made by somebody whose `{approvers.claim}` name no group that may approve")


def _text(value: object, name: str, where: str) -> str:
    if not isinstance(value, str) or not 1 <= len(value) <= 512 or not value.isprintable():  # noqa: PLR2004 - rule 10
        _refuse(where, f"holds an ID token without `{name}`")
    return value


def _instant(value: object, name: str, where: str) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 < value < _LATEST:
        _refuse(where, f"holds an ID token whose `{name}` is no time")
    return value


def _refuse(where: str, what: str) -> NoReturn:
    fix = ("let one of the approvers of the platform's trust.toml approve it: launchworthy approve",)
    raise ProblemError(Problem(reason="approval-not-genuine", where=where, what=what, fix=fix))
