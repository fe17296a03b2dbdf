"""What did a probe find? One document: what every rendering shows, and what `--format json` is.

It holds what was seen in words of ours, numbers and digests: no token, no body, no text of the server's but
what was made safe to show.
"""

from collections.abc import Iterable
from enum import StrEnum
from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field

SCHEMA: Final = "urn:launchworthy:probe-report:v1"
SCHEMA_FILE: Final = "probe-report.schema.json"
DOCUMENTS: Final = ("metadata", "challenge")
"""Families that look at documents and challenges; they alone say nothing of who may call."""

_Number = Annotated[int, Field(ge=0, lt=2**53)]


class Result(StrEnum):
    """How a case came out."""

    RIGHT = "right"
    WRONG = "wrong"
    NOT_RUN = "not_run"


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, strict=True, extra="forbid", populate_by_name=True)


class Seen(_Part):
    """One answer, as far as it is kept."""

    status: Annotated[int | None, Field(description="the HTTP status; null where no answer came")]
    summary: Annotated[str, Field(description="the answer, or why there was none, in a few words")]
    body_sha256: Annotated[str | None, Field(description="of the body; null where there was none")]
    body_bytes: Annotated[_Number, Field(description="how long it was")]


class Finding(_Part):
    """One case, in one revision, of one target."""

    case: Annotated[
        str, Field(description="a page of `launchworthy explain`", pattern=r"^[a-z]+\.[a-z0-9-]+$")
    ]
    family: Annotated[str, Field(description="what stands before the dot")]
    revision: Annotated[str | None, Field(description="of the protocol; null where it does not matter")]
    target: Annotated[str | None, Field(description="what was called; null where nothing was")]
    result: Result
    title: Annotated[str, Field(description="what was sent")]
    right: Annotated[str, Field(description="what must be seen")]
    why: Annotated[str, Field(description="what goes wrong where it is not")]
    source: Annotated[str, Field(description="the clauses that it follows from")]
    seen: Annotated[Seen | None, Field(description="the answer; null where nothing was sent")]
    twin: Annotated[Seen | None, Field(description="the answer to the unchanged request")]
    wrong: Annotated[tuple[str, ...], Field(description="how the answer is not right")]
    not_run: Annotated[str | None, Field(description="why it was not run; null where it was")]


class Report(_Part):
    """What one probe found."""

    schema_: Annotated[Literal["urn:launchworthy:probe-report:v1"], Field(alias="schema")] = SCHEMA
    url: Annotated[str, Field(description="which server was asked")]
    launchworthy: Annotated[str, Field(description="which release asked")]
    started_at: Annotated[_Number, Field(description="seconds since the epoch")]
    milliseconds: Annotated[_Number, Field(description="how long it took")]
    requests: Annotated[_Number, Field(description="how many were sent to the server")]
    revisions: Annotated[tuple[str, ...], Field(description="in which a good request went through")]
    not_served: Annotated[dict[str, str], Field(description="in which it did not, and what was seen")]
    sessions: Annotated[bool, Field(description="whether the older revision keeps sessions")]
    targets: Annotated[tuple[str, ...], Field(description="what was called")]
    tokens: Annotated[Literal["issuer", "command", "none"], Field(description="where tokens came from")]
    ended: Annotated[str | None, Field(description="why it ended early; null where it did not")]
    findings: tuple[Finding, ...]

    def of(self, result: Result) -> tuple[Finding, ...]:
        """The findings that came out like this."""
        return tuple(each for each in self.findings if each.result is result)

    @property
    def families(self) -> tuple[str, ...]:
        """In the order in which they were asked."""
        return tuple(dict.fromkeys(each.family for each in self.findings))

    @property
    def decided(self) -> bool:
        """Whether it was run to its end, and some request was answered beside its twin."""
        asked = any(
            each.result is not Result.NOT_RUN and each.family not in DOCUMENTS for each in self.findings
        )
        return self.ended is None and asked

    def as_json(self) -> dict[str, Any]:
        """The document."""
        return self.model_dump(mode="json", by_alias=True)


def report_schema() -> dict[str, Any]:
    """The JSON Schema of the document."""
    head = {"$schema": "https://json-schema.org/draft/2020-12/schema", "$id": SCHEMA}
    return {**head, **Report.model_json_schema(by_alias=True), "title": "launchworthy probe: report"}


def count(findings: Iterable[Finding], result: Result) -> int:
    """How many came out like this."""
    return sum(each.result is result for each in findings)
