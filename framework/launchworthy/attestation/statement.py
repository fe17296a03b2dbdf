"""What does a promotion record say? An in-toto Statement v1 with a predicate of our own.

A statement names everything that was judged (its subjects, each with one digest) and what was found (its
predicate). All subjects are always there, once each: a record that leaves one out says nothing about it,
so it is no record. The limits of the two dates are part of the model: nobody can sign for longer.
"""

import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated, Literal, Self

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    ValidationInfo,
    field_validator,
    model_validator,
)

from launchworthy.attestation.json_document import read_model
from launchworthy.vocabulary import Environment

STATEMENT_TYPE = "https://in-toto.io/Statement/v1"
PREDICATE_TYPE = "urn:launchworthy:promotion-record:v1"
PAYLOAD_LIMIT = 128 * 1024
"""Bytes of a statement; a real one has about 3,000."""
BUILD_LIMIT = 30 * 86_400
"""Seconds from the signature to the last build."""
RUN_LIMIT = 90 * 86_400
"""Seconds from the signature to the last start."""
RENEWAL_LIMIT = 2
"""The third renewal of a waiver is refused."""
_INSTANT = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}Z", re.ASCII)
_HEX = re.compile(r"[0-9a-f]+", re.ASCII)
_HEX_LENGTHS = {"gitCommit": (40, 64), "gitTree": (40, 64), "sha256": (64,)}


class Subject(StrEnum):
    """What was judged. Groups of files are digested by `content.files_digest`, single files as they are."""

    COMMIT = "git-commit"
    TREE = "git-tree"
    UV_LOCK = "uv.lock"
    LOCK = "launchworthy.lock"
    MANIFESTS = "manifests"
    MANIFEST_FILES = "manifest-files"
    POLICY = "policy"
    POLICY_FILES = "policy-files"
    SETTINGS = "settings"
    SETTINGS_FILES = "settings-files"
    PROMOTION_FILES = "promotion-files"
    CATALOGUE = "catalogue"
    WHEEL = "wheel-content"

    @property
    def algorithm(self) -> str:
        """The one name that its digest has (in-toto's DigestSet)."""
        match self:
            case Subject.COMMIT:
                return "gitCommit"
            case Subject.TREE:
                return "gitTree"
            case _:
                return "sha256"


def check_digest(subject: Subject, digest: str) -> str:
    """Give a digest back if it has the form that this subject's has.

    Raises:
        ValueError: it is not lower-case hex of the right length.
    """
    if len(digest) not in _HEX_LENGTHS[subject.algorithm] or _HEX.fullmatch(digest) is None:
        raise ValueError(f"not a {subject.algorithm} in lower-case hex")
    return digest


def render_instant(seconds: int) -> str:
    """Seconds since the epoch as in-toto writes them: `2026-11-20T14:02:51Z`."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _read_instant(value: object, info: ValidationInfo) -> object:
    """In JSON an instant has one spelling; in Python it is a number of seconds."""
    if info.mode != "json":
        return value
    if not isinstance(value, str) or _INSTANT.fullmatch(value) is None:
        raise ValueError("an instant is written like 2026-11-20T14:02:51Z")
    return int(datetime.fromisoformat(value).timestamp())


Instant = Annotated[
    int,
    BeforeValidator(_read_instant),
    Field(ge=0, lt=253_402_300_800),  # the year 10000
    PlainSerializer(render_instant, return_type=str, when_used="json"),
]
Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
RecordId = Annotated[str, Field(pattern=r"^lwr1-[0-9a-f]{32}$")]
Version = Annotated[str, Field(pattern=r"^[0-9]{1,5}(\.[0-9]{1,5}){1,2}$")]
Fingerprint = Annotated[str, Field(pattern=r"^lwf1-[0-9a-f]{16}$")]
Count = Annotated[int, Field(ge=0, lt=2**31)]


class _Document(BaseModel):
    model_config = ConfigDict(frozen=True, strict=True, extra="forbid", hide_input_in_errors=True)


class Counts(_Document):
    """How many controls ended how. Only what is cleared is recorded, so none failed and none is undecided."""

    passed: Annotated[int, Field(ge=1, lt=2**31)]
    waived: Count
    not_applicable: Count
    requests: Count


class Waiver(_Document):
    """A control that did not hold, who took that on, and until when."""

    control: Annotated[str, Field(pattern=r"^[A-Z]{2,4}-[0-9]{2}$")]
    owner: Annotated[str, Field(pattern=r"^@[A-Za-z0-9._/-]{1,99}$")]
    until: Instant


class ApprovalReference(_Document):
    """Who approved the report, by an ID token of the issuer that the trust policy names; verified at signing.

    Attributes:
        issuer: who vouches for the approver.
        subject: the approver, by the issuer's name for them.
        sha256: of the approval's file.
        approved_at: when they signed in for it.
    """

    issuer: Annotated[str, Field(pattern=r"^[!-~]{1,256}$")]
    subject: Annotated[str, Field(min_length=1, max_length=512)]
    sha256: Sha256
    approved_at: Instant


class Renewal(_Document):
    """How often the waiver of a control was renewed, over all records of this environment so far.

    Attributes:
        control: that was waived at least once.
        count: of renewals: 0 for the first waiver.
        until: of the last one.
    """

    control: Annotated[str, Field(pattern=r"^[A-Z]{2,4}-[0-9]{2}$")]
    count: Annotated[int, Field(ge=0, le=RENEWAL_LIMIT)]
    until: Instant


class RecordReference(_Document):
    """Another record, by its id and the SHA-256 of its signed payload (the envelope around it may vary)."""

    record_id: RecordId
    sha256: Sha256


class Predicate(_Document):
    """What was found, for which environment, and how long it counts.

    Attributes:
        record_id: what a trust policy revokes it by.
        environment: where this record is good, and nowhere else.
        report_sha256: digest of the machine-readable report.
        catalogue: version of the catalogue of controls (its digest is a subject).
        framework: version of launchworthy that judged.
        trust_policy_sha256: who was trusted when this was signed. It is evidence and is not compared: a
            revocation changes the trust policy and must not end every other record.
        signed_at: seconds since the epoch.
        build_until: no build after it.
        run_until: no start after it.
        approval: of the report by a person, where the trust policy names people.
        previous: the record before this one for the same environment, if there is one.
        renewals: of every control that any record of the chain waived; what leaves the files stays here.
        sbom_sha256: digest of the bill of materials of this wheel; records of older releases name none.
        secrets: the fingerprint of every secret that was ever found, in any record of the chain.
    """

    record_id: RecordId
    environment: Literal[Environment.REHEARSAL, Environment.STAGING, Environment.PRODUCTION]
    report_sha256: Sha256
    counts: Counts
    waivers: Annotated[tuple[Waiver, ...], Field(max_length=64)]
    catalogue: Version
    framework: Version
    trust_policy_sha256: Sha256
    signed_at: Instant
    build_until: Instant
    run_until: Instant
    approval: ApprovalReference | None = None
    previous: RecordReference | None
    renewals: Annotated[tuple[Renewal, ...], Field(max_length=128)] = ()
    sbom_sha256: Sha256 | None = None
    secrets: Annotated[tuple[Fingerprint, ...], Field(max_length=2048)] = ()

    @model_validator(mode="after")
    def _dates_have_limits(self) -> Self:
        if not self.signed_at < self.build_until <= self.signed_at + BUILD_LIMIT:
            raise ValueError("build_until is not within 30 days of signed_at")
        if not self.signed_at < self.run_until <= self.signed_at + RUN_LIMIT:
            raise ValueError("run_until is not within 90 days of signed_at")
        if any(waiver.until < self.build_until for waiver in self.waivers):
            raise ValueError("a waiver ends before build_until")
        return self

    @model_validator(mode="after")
    def _counts_agree(self) -> Self:
        if self.counts.waived != len({waiver.control for waiver in self.waivers}):
            raise ValueError("counts.waived is not the number of waived controls")
        return self


class Descriptor(_Document):
    """One subject (in-toto's ResourceDescriptor): a name of ours and exactly one digest."""

    name: Subject
    digest: Mapping[str, str]

    @model_validator(mode="after")
    def _one_digest_of_the_right_kind(self) -> Self:
        if tuple(self.digest) != (self.name.algorithm,):
            raise ValueError(f"a {self.name} has one digest, {self.name.algorithm}")
        check_digest(self.name, self.digest[self.name.algorithm])
        return self


class Statement(_Document):
    """The signed document. Make one with `new_statement`, read one with `parse_statement`."""

    type_: Annotated[Literal["https://in-toto.io/Statement/v1"], Field(alias="_type")]
    subject: tuple[Descriptor, ...]
    predicate_type: Annotated[Literal["urn:launchworthy:promotion-record:v1"], Field(alias="predicateType")]
    predicate: Predicate

    @field_validator("subject")
    @classmethod
    def _every_subject_once(cls, subject: tuple[Descriptor, ...]) -> tuple[Descriptor, ...]:
        if tuple(descriptor.name for descriptor in subject) != tuple(Subject):
            raise ValueError(f"not the subjects {', '.join(Subject)}, in this order")
        return subject

    def digests(self) -> dict[Subject, str]:
        """Each subject's digest, in hex."""
        return {each.name: each.digest[each.name.algorithm] for each in self.subject}


def new_statement(digests: Mapping[Subject, str], predicate: Predicate) -> Statement:
    """State what was found about all subjects.

    Raises:
        ValueError: a subject is missing, or a digest is malformed.
    """
    if set(digests) != set(Subject):
        missing = ", ".join(sorted(set(Subject) - set(digests)))
        raise ValueError(f"no digest of {missing}")
    subjects = tuple(Descriptor(name=name, digest={name.algorithm: digests[name]}) for name in Subject)
    return Statement.model_validate(
        {
            "_type": STATEMENT_TYPE,
            "subject": subjects,
            "predicateType": PREDICATE_TYPE,
            "predicate": predicate,
        }
    )


def render_statement(statement: Statement) -> bytes:
    """The bytes to sign; the same statement gives the same bytes."""
    members = statement.model_dump(mode="json", by_alias=True)
    return json.dumps(members, sort_keys=True, separators=(",", ":")).encode("ascii")


def parse_statement(payload: bytes) -> Statement:
    """Read a statement.

    Raises:
        MalformedRecordError: it is none, or breaks a rule of the model.
    """
    return read_model(payload, Statement, limit=PAYLOAD_LIMIT)
