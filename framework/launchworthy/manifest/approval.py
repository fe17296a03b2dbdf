"""Who must agree to a call, and how are they asked?"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Discriminator, Field, JsonValue, Tag

from launchworthy.manifest.fields import Table

NOT_YET_MODES = frozenset({"url"})
"""Designed, and enforced by nothing yet: a page of ours where somebody signs in."""
NOT_YET_ANSWERERS = frozenset({"approvers"})
NOT_YET_TERMS = frozenset({"claim", "max_age"})
"""What says more about the page."""
WORD, TABLE = "[word]", "[table]"
"""How pydantic calls the two spellings in the place of a mistake; no field is called so."""


class ApprovalMode(StrEnum):
    """How somebody is asked."""

    FORM = "form"


@dataclass(frozen=True, slots=True, kw_only=True)
class ApprovalRule:
    """Somebody must agree to each call.

    Attributes:
        mode: `form`: the client asks its user; what comes back proves what the client says and no more.
        by: who may answer: `caller`.
    """

    mode: ApprovalMode
    by: Literal["caller"]

    def __str__(self) -> str:
        """As a reviewer reads it: `form by caller`."""
        return f"{self.mode.value} by {self.by}"


class ApprovalTable(Table):
    """`approval = { … }` of a tool."""

    mode: Literal["form"] = Field(description="form: the client asks its user")
    by: Literal["caller"] = Field(default="caller", description="who answers")


def _spelling(value: JsonValue | ApprovalTable) -> str | None:
    if isinstance(value, str):
        return WORD
    return TABLE if isinstance(value, dict | ApprovalTable) else None


ApprovalField = Annotated[
    Annotated[Literal["none", "form"], Tag(WORD)] | Annotated[ApprovalTable, Tag(TABLE)],
    Discriminator(_spelling),
]


def approval_rule(said: Literal["none", "form"] | ApprovalTable | None) -> ApprovalRule | None:
    """What a manifest demands; None where it demands nobody's approval."""
    match said:
        case None | "none":
            return None
        case "form":
            return ApprovalRule(mode=ApprovalMode.FORM, by="caller")
        case ApprovalTable(mode=mode, by=by):
            return ApprovalRule(mode=ApprovalMode(mode), by=by)
