"""What does a project take on trust, and until when? `promotion.toml`, read as strictly as a manifest."""

import json
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Annotated, Final, Generic, Literal, TypeVar

from pydantic import AfterValidator, Field, StringConstraints, ValidationError, model_validator
from pydantic_core import PydanticCustomError

from launchworthy.approval.proved.matter import Kind, Matter, matter_of_entry
from launchworthy.detection import MIN_SALT_BYTES
from launchworthy.manifest import Table, mistakes, read_toml
from launchworthy.manifest.fields import Group, Line
from launchworthy.vocabulary import Problem, ProblemError

FILE: Final = "promotion.toml"
_DAY = 86_400


def _inside(path: str) -> str:
    if ".." in path.split("/"):
        raise PydanticCustomError("bad-value", "a path below the project")
    return path


T = TypeVar("T")
ControlName = Annotated[str, StringConstraints(pattern=r"^[A-Z]{2,4}-[0-9]{2}$")]
_Reason = Annotated[str, StringConstraints(pattern=r"^\S[^\n\r\t]{38,398}\S$")]
_ShortReason = Annotated[str, StringConstraints(pattern=r"^\S[^\n\r\t]{18,398}\S$")]
_Path = Annotated[
    str, StringConstraints(pattern=r"^[A-Za-z0-9_][A-Za-z0-9._/-]{0,198}$"), AfterValidator(_inside)
]


class WaiverTable(Table):
    """`[[waivers]]`: a control that does not hold, and that somebody answers for meanwhile."""

    control: ControlName = Field(description="a control that may be waived: explain says which")
    environment: Literal["staging", "production"] = Field(description="where it is waived")
    reason: _Reason = Field(description="40 characters or more that a stranger understands")
    compensating: Line = Field(description="what is done instead")
    owner: Group = Field(description="a group that answers for it")
    ticket: Line = Field(description="where the work is planned")
    expires: date = Field(description="at most 30 days after its approval")

    def __str__(self) -> str:
        """What a person agrees to."""
        return f"{self.control} is waived for {self.environment} until {self.expires}: {self.reason}"


class RotationTable(Table):
    """`[[rotations]]`: a secret that was found once, and what became of it."""

    finding: Annotated[str, StringConstraints(pattern="^lwf1-[0-9a-f]{16}$")] = Field(
        description="the fingerprint that the report shows, never the value"
    )
    action: Literal["rotated", "destroyed", "not-a-secret"] = Field(description="what became of it")
    on: date = Field(description="the day")
    by: Group = Field(description="a group that did it")
    proof: Line | None = Field(default=None, description="where that can be seen: an audit entry, a ticket")
    reason: _ShortReason | None = Field(default=None, description="why it is none, for `not-a-secret`")

    @model_validator(mode="after")
    def _says_how(self) -> "RotationTable":
        if self.action == "not-a-secret" and self.reason is None:
            raise PydanticCustomError("bad-value", "`not-a-secret` needs a `reason` of 20 characters or more")
        if self.action != "not-a-secret" and self.proof is None:
            raise PydanticCustomError("bad-value", f"`{self.action}` needs a `proof`")
        return self

    def __str__(self) -> str:
        """What a person agrees to."""
        return f"{self.finding} is {self.action} since {self.on}: {self.proof or self.reason}"


class EvidenceTable(Table):
    """`[[evidence]]`: what no machine can see from here."""

    control: ControlName = Field(description="the control that it is for")
    says: Line = Field(description="what it shows, in a sentence")
    file: _Path = Field(description="below the project")
    sha256: Annotated[str, StringConstraints(pattern="^[0-9a-f]{64}$")] = Field(description="of the file")
    owner: Group = Field(description="a group that answers for it")
    expires: date = Field(description="after this day it shows nothing")

    def __str__(self) -> str:
        """What a person agrees to."""
        return f"{self.file} shows for {self.control} until {self.expires}: {self.says}"


class PromotionFile(Table):
    """`promotion.toml`."""

    salt: Annotated[str, StringConstraints(min_length=MIN_SALT_BYTES, max_length=128)] | None = Field(
        default=None, description="of this project, for the names of secrets; not secret itself"
    )
    waivers: tuple[WaiverTable, ...] = Field(default=(), description="controls that do not hold")
    rotations: tuple[RotationTable, ...] = Field(default=(), description="secrets that were found once")
    evidence: tuple[EvidenceTable, ...] = Field(default=(), description="what no machine can see")


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry(Generic[T]):
    """One entry, what its approval must be about, and where it stands."""

    table: T
    matter: Matter
    where: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Trusted:
    """All that a project takes on trust; none of it counts without an approval.

    Attributes:
        salt: for fingerprints; None where there is none.
        waivers: controls that do not hold.
        rotations: secrets that were found once.
        evidence: what no machine can see.
    """

    salt: bytes | None
    waivers: tuple[Entry[WaiverTable], ...]
    rotations: tuple[Entry[RotationTable], ...]
    evidence: tuple[Entry[EvidenceTable], ...]

    @property
    def matters(self) -> tuple[Matter, ...]:
        """Everything that needs an approval, in the order of the file's tables."""
        return (
            *(entry.matter for entry in self.waivers),
            *(entry.matter for entry in self.rotations),
            *(entry.matter for entry in self.evidence),
        )


NOTHING_TRUSTED: Final = Trusted(salt=None, waivers=(), rotations=(), evidence=())


def project_name(root: Path) -> str:
    """What a project calls itself in its manifest: approvals of its entries are good for no other.

    Raises:
        ProblemError: it has no manifest, or that names nothing.
    """
    path = "manifests/server.toml"
    try:
        _, data = read_toml(path, (root / path).read_bytes(), topic="server")
    except OSError as error:
        raise ProblemError(_no_name(path, f"cannot be read: {error.strerror}")) from None
    name = data.get("name")
    if not isinstance(name, str) or name == "":
        raise ProblemError(_no_name(path, "has no `name`, and approvals are for one project"))
    return name


def _no_name(where: str, what: str) -> Problem:
    return Problem(reason="no-project", where=where, what=what, fix=("run this inside a project",))


def parse_trusted(content: bytes, *, project: str) -> Trusted:
    """Read the file.

    Args:
        content: all of it.
        project: whose it is, by its manifest.

    Raises:
        ProblemError: every mistake, with its line.
    """
    source, data = read_toml(FILE, content, topic=FILE)
    try:
        tables = PromotionFile.model_validate_json(json.dumps(data))
    except ValidationError as error:
        raise ProblemError(*mistakes(error, PromotionFile, source)) from None

    def entries(name: str, kind: Kind, read: tuple[T, ...]) -> tuple[Entry[T], ...]:
        return tuple(
            Entry(
                table=table,
                matter=matter_of_entry(kind, data[name][number], f"{project}: {table}", of=project),
                where=source.where((name, str(number))),
            )
            for number, table in enumerate(read)
        )

    return Trusted(
        salt=None if tables.salt is None else tables.salt.encode(),
        waivers=entries("waivers", Kind.WAIVER, tables.waivers),
        rotations=entries("rotations", Kind.ROTATION, tables.rotations),
        evidence=entries("evidence", Kind.EVIDENCE, tables.evidence),
    )


def read_trusted(root: Path) -> Trusted:
    """Read the file of a project; what is not there trusts nothing.

    Raises:
        ProblemError: every mistake, with its line.
    """
    file = root / FILE
    if not file.is_file():
        return NOTHING_TRUSTED
    return parse_trusted(file.read_bytes(), project=project_name(root))


def end_of(day: date) -> int:
    """The instant at which a day that something expires on is over (UTC), in seconds since the epoch."""
    return int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp()) + _DAY
