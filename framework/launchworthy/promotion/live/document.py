"""What came of a live run? One document that is dated, and holds what the server's own identity signed.

It is evidence for TR-05: `promotion.toml` names it, and a person approves it. It holds digests and words of
ours: no token, no key, no text of a server's but what was made safe to show.
"""

import json
from enum import StrEnum
from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from launchworthy.audit.canary import Shown
from launchworthy.vocabulary import Problem, ProblemError

SCHEMA: Final = "urn:launchworthy:live:v1"
MOST: Final = 256 * 1024
"""Bytes of a document; a real one has about 6,000."""
DAYS: Final = 7
"""For which it counts."""

_Text = Annotated[str, Field(max_length=2000)]
_Number = Annotated[int, Field(ge=0, lt=2**53)]


class Step(StrEnum):
    """What was looked at, in the order of a client's way in."""

    METADATA = "metadata"
    SERVER = "authorization-server"
    REGISTRATION = "registration"
    ISSUANCE = "issuance"
    AUDIENCE = "audience"
    KEYS = "keys"
    VALIDATION = "validation"
    THROUGH = "through"
    PROBE = "probe"
    WRONG_AUDIENCE = "wrong-audience"
    MISSING_SCOPE = "missing-scope"
    CANARY = "canary"
    JUDGES = "judges"


DISPENSABLE: Final = frozenset({Step.REGISTRATION, Step.WRONG_AUDIENCE, Step.MISSING_SCOPE, Step.JUDGES})
"""What an authorization server may make impossible to try; the rest must have been seen."""


class How(StrEnum):
    """How a step came out."""

    RIGHT = "right"
    WRONG = "wrong"
    NOT_RUN = "not_run"


class _Part(BaseModel):
    model_config = ConfigDict(
        frozen=True, strict=True, extra="forbid", populate_by_name=True, hide_input_in_errors=True
    )


class Row(_Part):
    """One thing that was looked at."""

    step: Step
    how: How
    says: Annotated[_Text, Field(description="what was seen, or why nothing was")]
    person: Annotated[_Text | None, Field(description="what only a person can do about it")]


class Canary(_Part):
    """A request whose sender knows what it sent, and what the server says that it saw."""

    nonce: Annotated[str, Field(max_length=64)]
    token: Annotated[str, Field(pattern="^[0-9a-f]{64}$", description="SHA-256 of the token that was shown")]
    revision: Annotated[str | None, Field(max_length=64)]
    method: Annotated[str | None, Field(max_length=64)]
    name: Annotated[str | None, Field(max_length=256)]
    sighting: Annotated[str, Field(max_length=16 * 1024, description="the answer's Launchworthy-Canary")]

    @property
    def shown(self) -> Shown:
        """What was sent."""
        return Shown(token=self.token, revision=self.revision, method=self.method, name=self.name)


class LiveDocument(_Part):
    """What one live run found."""

    schema_: Annotated[Literal["urn:launchworthy:live:v1"], Field(alias="schema")] = SCHEMA
    launchworthy: Annotated[_Text, Field(description="which release asked")]
    project: Annotated[_Text, Field(description="whose server, by its manifest")]
    environment: Literal["rehearsal", "staging", "production"]
    url: Annotated[_Text, Field(description="the public URL, and the resource of tokens")]
    issuer: Annotated[_Text | None, Field(description="whose tokens were used")]
    started_at: Annotated[_Number, Field(description="seconds since the epoch")]
    milliseconds: _Number
    requests: Annotated[_Number, Field(description="how many were sent to the server")]
    rows: Annotated[tuple[Row, ...], Field(max_length=400)]
    canary: Canary | None

    @property
    def wrong(self) -> tuple[Row, ...]:
        """What is not as it must be."""
        return tuple(row for row in self.rows if row.how is How.WRONG)

    @property
    def missing(self) -> tuple[Step, ...]:
        """What must have been seen, and was not."""
        right = {row.step for row in self.rows if row.how is How.RIGHT}
        return tuple(step for step in Step if step not in right | DISPENSABLE)

    def render(self) -> bytes:
        """The file."""
        return (json.dumps(self.as_json(), indent=1) + "\n").encode("utf-8")

    def as_json(self) -> dict[str, Any]:
        """The document as data."""
        return self.model_dump(mode="json", by_alias=True)


def read_document(content: bytes, *, where: str) -> LiveDocument:
    """Read a document as strictly as any stranger's.

    Raises:
        ProblemError: `live-malformed`.
    """
    try:
        return LiveDocument.model_validate_json(content[: MOST + 1])
    except ValidationError:  # one that is too long is cut off, and no JSON any more
        what = "is not what a live run writes"
        fix = ("launchworthy promote --live URL writes it; do not edit it",)
        raise ProblemError(Problem(reason="live-malformed", where=where, what=what, fix=fix)) from None


def live_schema() -> dict[str, Any]:
    """The JSON Schema of the document."""
    head = {"$schema": "https://json-schema.org/draft/2020-12/schema", "$id": SCHEMA}
    return {**head, **LiveDocument.model_json_schema(by_alias=True), "title": "a live run"}
