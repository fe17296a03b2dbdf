"""Who must agree to a call, and how are they asked?"""

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Final, Literal

from pydantic import AfterValidator, Discriminator, Field, JsonValue, StringConstraints, Tag
from pydantic_core import PydanticCustomError

from launchworthy.manifest.duration import DURATION_PATTERN, parse_duration
from launchworthy.manifest.fields import Table, Unique

SIGN_IN_SECONDS: Final = 120
"""How old the sign-in behind an answer may be, unless the manifest says less."""
WORD, TABLE = "[word]", "[table]"
"""How pydantic calls the two spellings in the place of a mistake; no field is called so."""
_CLAIM: Final = re.compile(r"([A-Za-z0-9_.-]{1,64}|https://[!-9;-~]{1,128}):([!-~]{1,128})")


class ApprovalMode(StrEnum):
    """How somebody is asked."""

    FORM = "form"
    URL = "url"


@dataclass(frozen=True, slots=True, kw_only=True)
class ApproverClaim:
    """What a sign-in says of an approver, and of nobody else.

    Attributes:
        name: of the claim, a text or a list of texts.
        value: what it is or holds.
    """

    name: str
    value: str

    def __str__(self) -> str:
        """As the manifest has it: `groups:payments`."""
        return f"{self.name}:{self.value}"


@dataclass(frozen=True, slots=True, kw_only=True)
class ApprovalRule:
    """Somebody must agree to each call.

    Attributes:
        mode: `form`: the client asks its user; what comes back proves what the client says and no more.
            `url`: a person signs in and answers on a page of ours.
        by: who may answer: the `caller`, or `approvers`, and never the caller.
        claim: what makes an approver; None where the caller answers.
        max_age: how old the sign-in may be, in seconds; a form has none, so it is 0.
        acr: the authentication contexts of which the sign-in has one; empty where any will do.
    """

    mode: ApprovalMode
    by: Literal["caller", "approvers"]
    claim: ApproverClaim | None
    max_age: int
    acr: tuple[str, ...]

    def __str__(self) -> str:
        """As a reviewer reads it: `url by approvers (groups:payments)`."""
        who = f"{self.mode.value} by {self.by}"
        claim = "" if self.claim is None else f" ({self.claim})"
        fresh = "" if self.max_age in {0, SIGN_IN_SECONDS} else f", signed in within {self.max_age} s"
        context = f", acr {' or '.join(self.acr)}" if self.acr else ""
        return f"{who}{claim}{fresh}{context}"


BY_FORM: Final = ApprovalRule(mode=ApprovalMode.FORM, by="caller", claim=None, max_age=0, acr=())
BY_PAGE: Final = ApprovalRule(mode=ApprovalMode.URL, by="caller", claim=None, max_age=SIGN_IN_SECONDS, acr=())
"""What a destructive tool asks for that says nothing else."""


def _max_age(text: str) -> str:
    seconds = parse_duration(text)
    if not seconds.is_integer() or not 1 <= seconds <= SIGN_IN_SECONDS:
        raise PydanticCustomError("bad-value", f"whole seconds, and not more than {SIGN_IN_SECONDS}")
    return text


class ApprovalTable(Table):
    """`approval = { … }` of a tool."""

    mode: Literal["form", "url"] = Field(
        description="form: the client asks its user; url: a person signs in and answers on a page of ours"
    )
    by: Literal["caller", "approvers"] = Field(
        default="caller", description="who answers; approvers are never the caller"
    )
    claim: Annotated[str, StringConstraints(pattern=f"^({_CLAIM.pattern})$")] | None = Field(
        default=None, description="what the sign-in says of an approver: `groups:payments`"
    )
    max_age: Annotated[str, StringConstraints(pattern=DURATION_PATTERN), AfterValidator(_max_age)] | None = (
        Field(default=None, description="how old the sign-in may be: `1m`, at most `2m`")
    )
    acr: Annotated[tuple[Annotated[str, StringConstraints(pattern="^[!-~]{1,128}$")], ...], Unique] = Field(
        default=(), max_length=8, description="authentication contexts: the sign-in has one of them"
    )


def _spelling(value: JsonValue | ApprovalTable) -> str | None:
    if isinstance(value, str):
        return WORD
    return TABLE if isinstance(value, dict | ApprovalTable) else None


Word = Literal["none", "form", "url"]
ApprovalField = Annotated[
    Annotated[Word, Tag(WORD)] | Annotated[ApprovalTable, Tag(TABLE)], Discriminator(_spelling)
]


def approval_rule(said: Word | ApprovalTable | None, *, destructive: bool) -> ApprovalRule | None:
    """What a manifest demands; None where it demands nobody's approval.

    Args:
        said: its `approval`.
        destructive: whether the tool is one that asks unless it says that it asks nobody.
    """
    match said:
        case None:
            return BY_PAGE if destructive else None
        case "none":
            return None
        case "form":
            return BY_FORM
        case "url":
            return BY_PAGE
        case ApprovalTable():
            return _of_table(said)


def mistakes_of(said: object) -> tuple[tuple[str, str], ...]:
    """What does not fit together in a table: the field, and what is wrong with it."""
    if not isinstance(said, ApprovalTable):
        return ()
    found: list[tuple[str, str]] = []
    if said.by == "approvers" and said.claim is None:
        found.append(("claim", 'names no `claim` that makes an approver: claim = "groups:…"'))
    if said.by == "caller" and said.claim is not None:
        found.append(("claim", "names a `claim`, and the caller answers: it is for approvers"))
    if said.mode == "form":
        page = (
            ("by", said.by == "approvers", "approvers answer on a page"),
            ("max_age", said.max_age is not None, "nobody signs in for a form"),
            ("acr", bool(said.acr), "nobody signs in for a form"),
        )
        found += [(field, f'{why}: mode = "url"') for field, given, why in page if given]
    return tuple(found)


def _of_table(said: ApprovalTable) -> ApprovalRule:
    claim = None if said.claim is None else _CLAIM.fullmatch(said.claim)
    mode = ApprovalMode(said.mode)
    longest = SIGN_IN_SECONDS if mode is ApprovalMode.URL else 0
    return ApprovalRule(
        mode=mode,
        by=said.by,
        claim=None if claim is None else ApproverClaim(name=claim[1], value=claim[2]),
        max_age=longest if said.max_age is None else int(parse_duration(said.max_age)),
        acr=said.acr,
    )
