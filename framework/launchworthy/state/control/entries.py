"""What does an entry of the control list say? Bytes in; entries, or every mistake, out (no I/O).

`stop` ends calls of tools, prompts and resources, `deny` those of a caller. `grant` lifts named rules for one
caller, and counts for nothing here: whether two people have approved it is looked at by whoever reads the
list, each time (`control_list`), and a rule is never lifted on somebody's word.
"""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Annotated, Any, Self

from pydantic import AfterValidator, AwareDatetime, Field, StringConstraints, ValidationError, model_validator
from pydantic_core import PydanticCustomError

from launchworthy.manifest import Line, Name, SourceFile, Table, Unique, mistakes, read_toml
from launchworthy.vocabulary import Problem, ProblemError

EVERYTHING = "*"
TOPIC = "control-file"
_MAX_ENTRIES = 1000
_MAX_GRANTS = 32
MAX_GRANT_SECONDS = 8 * 3600
_MAX_PROOF = 32 * 1024
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
Liftable = Annotated[
    str,
    StringConstraints(
        pattern=r"^((team|org):[a-z0-9]+(-[a-z0-9]+)*|approval:[a-z][a-z0-9_]{0,62})$", max_length=128
    ),
]
Proof = Annotated[str, StringConstraints(max_length=_MAX_PROOF)]


class Action(StrEnum):
    """What an entry does."""

    STOP = "stop"
    DENY = "deny"
    GRANT = "grant"


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


class GrantTable(EntryTable):
    """`[[grant]]`: break-glass. Named rules do not count for one caller's calls of some targets."""

    server: Exact = Field(description="the resource of the server, as its settings write it")
    issuer: Exact = Field(description="the issuer of the caller's tokens, as the settings write it")
    subject: Exact = Field(description="`sub` of the caller's tokens")
    client: Exact = Field(description="`client_id` of the caller's tokens")
    targets: Annotated[tuple[Name, ...], Unique, Field(min_length=1, max_length=32)] = Field(
        description="names of tools, prompts and resources; never all of them"
    )
    lifts: Annotated[tuple[Liftable, ...], Unique, Field(min_length=1, max_length=32)] = Field(
        description="the rules that do not count: `team:…`, `org:…`, or `approval:<tool>`"
    )
    incident: Line = Field(description="what it is for: the incident's number")
    approvals: Annotated[tuple[Proof, ...], Field(max_length=8)] = Field(
        default=(), description="two people's proofs that they approve exactly this; `launchworthy approve`"
    )

    @model_validator(mode="after")
    def _ends_soon(self) -> Self:
        if (self.until - self.since).total_seconds() > MAX_GRANT_SECONDS:
            raise PydanticCustomError("bad-value", "a grant lasts eight hours at most")
        return self


class ControlFile(Table):
    """The whole list."""

    stop: tuple[StopTable, ...] = ()
    deny: tuple[DenyTable, ...] = ()
    grant: tuple[GrantTable, ...] = ()


DeniedName = tuple[str, str, str]
"""Kind (`subject`, `client`, `token`), issuer, and the value; compared exactly."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GrantTerms:
    """What a grant says beside what every entry does.

    Attributes:
        server: the resource that it is for.
        issuer: of the caller.
        subject: of the caller.
        client: of the caller.
        lifts: ids of the rules that do not count.
        incident: what it is for.
        approvals: proofs of approvals, as they were written; nobody has looked at them here.
    """

    server: str
    issuer: str
    subject: str
    client: str
    lifts: tuple[str, ...]
    incident: str
    approvals: tuple[str, ...] = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One entry, as it is in force.

    Attributes:
        id: its name.
        action: stop, deny or grant.
        targets: of a stop, where `*` is everything, or of a grant.
        name: whom a deny is about.
        who: wrote it.
        why: their reason.
        since: seconds since the epoch.
        until: seconds since the epoch.
        source: `file` or `state`.
        grant: what else a grant says; of the others None.
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
    grant: GrantTerms | None = None

    @property
    def about(self) -> tuple[str, ...]:
        """What or whom it is about, for people."""
        if self.grant is not None:
            lifted = ("without", *self.grant.lifts)
            return (*self.targets, "for", self.grant.subject, "by", self.grant.client, *lifted)
        return self.targets or self.name or ()

    def terms(self) -> dict[str, object]:
        """What two people approve of a grant: all that it says, but for their approvals.

        Raises:
            ValueError: it is no grant.
        """
        if self.grant is None:
            raise ValueError("only a grant is approved")
        said: dict[str, object] = {name: getattr(self, name) for name in _APPROVED}
        said |= {name: getattr(self.grant, name) for name in _APPROVED_OF_GRANT}
        return {name: list(value) if isinstance(value, tuple) else value for name, value in said.items()}

    def ends(self, longest: int) -> int:
        """When it ends: of a deny not before every token of then has ended.

        Args:
            longest: seconds that a token of that issuer may live.
        """
        return max(self.until, self.since + longest) if self.action is Action.DENY else self.until


_APPROVED = ("id", "targets", "who", "why", "since", "until")
_APPROVED_OF_GRANT = ("server", "issuer", "subject", "client", "lifts", "incident")


def parse_control(path: str, content: bytes, *, source: str) -> tuple[Entry, ...]:
    """Read a control list.

    Args:
        path: as people name it.
        content: the whole file; an empty one stops nothing.
        source: what `Entry.source` says.

    Raises:
        ProblemError: every mistake, each with its line.
    """
    text, data = read_toml(path, content, topic=TOPIC)
    try:
        tables = ControlFile.model_validate_json(json.dumps(data))
    except ValidationError as error:
        problems = mistakes(error, ControlFile, text)
    else:
        problems = tuple(_together(tables, text))
    if problems:
        raise ProblemError(*problems)
    return (
        *(_entry(Action.STOP, each, source) for each in tables.stop),
        *(_entry(Action.DENY, each, source) for each in tables.deny),
        *(_entry(Action.GRANT, each, source) for each in tables.grant),
    )


def digest_of(entries: tuple[Entry, ...]) -> str:
    """SHA-256 over what is in force, whatever its order."""
    said = sorted(
        [
            *(each.source, each.id, each.action.value, [*each.targets], [*(each.name or ())], each.until),
            *(() if each.grant is None else (each.terms(),)),
        ]
        for each in entries
    )
    return hashlib.sha256(json.dumps(said, ensure_ascii=True).encode()).hexdigest()


def _together(tables: ControlFile, text: SourceFile) -> Iterator[Problem]:
    every: tuple[tuple[str, tuple[EntryTable, ...]], ...] = (
        ("stop", tables.stop),
        ("deny", tables.deny),
        ("grant", tables.grant),
    )
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
    if len(tables.grant) > _MAX_GRANTS:
        what = f"holds more than {_MAX_GRANTS} grants"
        yield text.problem("bad-value", ("grant",), what, "take out what has ended; change the policy")


def _entry(action: Action, table: Any, source: str) -> Entry:
    return Entry(
        id=table.id,
        action=action,
        targets=() if isinstance(table, DenyTable) else table.targets,
        name=table.name if isinstance(table, DenyTable) else None,
        who=table.who,
        why=table.why,
        since=int(table.since.timestamp()),
        until=int(table.until.timestamp()),
        source=source,
        grant=_grant_terms(table) if isinstance(table, GrantTable) else None,
    )


def _grant_terms(table: GrantTable) -> GrantTerms:
    return GrantTerms(
        server=table.server,
        issuer=table.issuer,
        subject=table.subject,
        client=table.client,
        lifts=table.lifts,
        incident=table.incident,
        approvals=table.approvals,
    )
