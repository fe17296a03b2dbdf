"""What does an entry of the control list say? Bytes in; entries, or every mistake, out (no I/O).

`stop` ends calls of tools, prompts and resources, `deny` those of a caller. The third, `grant`, is refused by
name until two people's approval of it can be verified: a rule is not lifted on somebody's word.
"""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Any, Self

from pydantic import AfterValidator, AwareDatetime, Field, StringConstraints, ValidationError, model_validator
from pydantic_core import PydanticCustomError

from launchworthy.manifest import Form, Line, SourceFile, Table, mistakes, read_toml
from launchworthy.vocabulary import Problem, ProblemError

EVERYTHING = "*"
TOPIC = "control-file"
NOT_YET = {"grant": frozenset[str]()}
_MAX_ENTRIES = 1000
ID_PATTERN = "^[a-z0-9][a-z0-9-]{2,63}$"
_ONE_NAME = "a deny entry names exactly one of `subject`, `client` and `token`"

Id = Annotated[str, StringConstraints(pattern=ID_PATTERN)]
Target = Annotated[str, StringConstraints(pattern=r"^(\*|[a-z][a-z0-9_]{0,62})$")]
_LONGEST_NAME = 512


def _as_tokens_have_it(name: str) -> str:
    """Whatever a claim may hold can be denied: names of people are not ASCII everywhere."""
    if not 1 <= len(name) <= _LONGEST_NAME or not name.isprintable():
        raise PydanticCustomError("bad-value", "1 to 512 printable characters")
    return name


Exact = Annotated[str, AfterValidator(_as_tokens_have_it)]


class Action(StrEnum):
    """What an entry does."""

    STOP = "stop"
    DENY = "deny"


class EntryTable(Table):
    """What every entry says."""

    id: Id = Field(description="names the entry: lower-case letters, digits and dashes")
    who: Line = Field(description="who wrote it: a group, or a person as the company names them")
    why: Line = Field(description="what happened, in one line; the incident's number")
    since: AwareDatetime = Field(description="when it was written, with its offset")
    until: AwareDatetime = Field(description="when it ends by itself, with its offset")

    @model_validator(mode="after")
    def _ends_after_it_began(self) -> Self:
        if self.until <= self.since:
            raise PydanticCustomError("bad-value", "`until` is not after `since`")
        return self


class StopTable(EntryTable):
    """`[[stop]]`: the next call of these is refused, and they are not listed."""

    targets: Annotated[tuple[Target, ...], Field(min_length=1, max_length=256)] = Field(
        description="names of tools, prompts and resources, or `*` for all of them"
    )


class DenyTable(EntryTable):
    """`[[deny]]`: the next request of this caller is refused, and of whoever acts through it."""

    issuer: Exact = Field(description="the issuer of the token, as the settings write it")
    subject: Exact | None = Field(default=None, description="`sub` of the token, or of one who acts in it")
    client: Exact | None = Field(default=None, description="`client_id` of the token")
    token: Exact | None = Field(default=None, description="`jti` of one token")

    @model_validator(mode="after")
    def _names_one(self) -> Self:
        if sum(name is not None for name in (self.subject, self.client, self.token)) != 1:
            raise PydanticCustomError("bad-value", _ONE_NAME)
        return self

    @property
    def name(self) -> "DeniedName":
        """Whom it is about."""
        for kind in ("subject", "client", "token"):
            value = getattr(self, kind)
            if value is not None:
                return (kind, self.issuer, value)
        raise ValueError(_ONE_NAME)


class ControlFile(Table):
    """The whole list."""

    stop: tuple[StopTable, ...] = ()
    deny: tuple[DenyTable, ...] = ()


DeniedName = tuple[str, str, str]
"""Kind (`subject`, `client`, `token`), issuer, and the value; compared exactly."""
_FORM = Form(model=ControlFile, not_yet=NOT_YET)


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One entry, as it is in force.

    Attributes:
        id: its name.
        action: stop or deny.
        targets: of a stop; `*` is everything.
        name: whom a deny is about.
        who: wrote it.
        why: their reason.
        since: seconds since the epoch.
        until: seconds since the epoch.
        source: `file` or `state`.
    """

    id: str
    action: Action
    targets: tuple[str, ...]
    name: DeniedName | None
    who: str
    why: str
    since: int
    until: int
    source: str

    def ends(self, longest: int) -> int:
        """When it ends: of a deny not before every token of then has ended.

        Args:
            longest: seconds that a token of that issuer may live.
        """
        return max(self.until, self.since + longest) if self.action is Action.DENY else self.until


def parse_control(path: str, content: bytes, *, source: str) -> tuple[Entry, ...]:
    """Read a control list.

    Args:
        path: as people name it.
        content: the whole file; an empty one stops nothing.
        source: what `Entry.source` says.

    Raises:
        ProblemError: every mistake, each with its line; `not-enforced-yet` for a grant.
    """
    text, data = read_toml(path, content, topic=TOPIC)
    try:
        tables = ControlFile.model_validate_json(json.dumps(data))
    except ValidationError as error:
        problems = mistakes(error, _FORM, text)
    else:
        problems = tuple(_together(tables, text))
    if problems:
        raise ProblemError(*problems)
    return (
        *(_entry(Action.STOP, each, source) for each in tables.stop),
        *(_entry(Action.DENY, each, source) for each in tables.deny),
    )


def digest_of(entries: tuple[Entry, ...]) -> str:
    """SHA-256 over what is in force, whatever its order."""
    said = sorted(
        [each.source, each.id, each.action.value, [*each.targets], [*(each.name or ())], each.until]
        for each in entries
    )
    return hashlib.sha256(json.dumps(said, ensure_ascii=True).encode()).hexdigest()


def _together(tables: ControlFile, text: SourceFile) -> Iterator[Problem]:
    every: tuple[tuple[str, tuple[EntryTable, ...]], ...] = (("stop", tables.stop), ("deny", tables.deny))
    seen: set[str] = set()
    for name, entries in every:
        for number, each in enumerate(entries):
            if each.id in seen:
                what = f"names two entries `{each.id}`"
                yield text.problem("duplicate-name", (name, str(number), "id"), what, "rename one of them")
            seen.add(each.id)
    if len(seen) > _MAX_ENTRIES:
        what = f"holds more than {_MAX_ENTRIES} entries"
        yield text.problem("bad-value", (), what, "take out what has ended; deny a client, not each token")


def _entry(action: Action, table: Any, source: str) -> Entry:
    return Entry(
        id=table.id,
        action=action,
        targets=table.targets if isinstance(table, StopTable) else (),
        name=table.name if isinstance(table, DenyTable) else None,
        who=table.who,
        why=table.why,
        since=int(table.since.timestamp()),
        until=int(table.until.timestamp()),
        source=source,
    )
