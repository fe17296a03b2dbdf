"""What does `audit verify --format json` print? A report whose schema is published."""

from dataclasses import asdict
from typing import Any, Final, Literal

from pydantic import BaseModel, ConfigDict

from launchworthy.audit.verdict import StreamVerdict, UnknownOutcome, Verification

FORMAT: Final = "launchworthy-audit-verification/1"


class VerificationReport(BaseModel):
    """The answer for all files together.

    Attributes:
        format: of this report; a field is never taken out of it.
        state: the worst of all files.
        exit: what the command ends with: 0 intact, 1 tampered (or not sealed, where that was required),
            2 could not be decided.
        streams: one for each file.
        unknown_outcomes: attempts without an outcome in any of them.
        holes: what is missing between files that are here.
        missing: ids of streams that others, or anchors, speak of and that are not here.
        doubts: why nothing can be said, besides what the streams say themselves.
        require_sealed: whether anything less than sealed was a no.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    format: Literal["launchworthy-audit-verification/1"]
    state: Literal["intact-sealed", "intact-open", "undecided", "tampered"]
    exit: Literal[0, 1, 2]
    streams: tuple[StreamVerdict, ...]
    unknown_outcomes: tuple[UnknownOutcome, ...]
    holes: tuple[str, ...]
    missing: tuple[str, ...]
    doubts: tuple[str, ...]
    require_sealed: bool


def report(verification: Verification) -> VerificationReport:
    """The report of a verification."""
    told: dict[str, Any] = asdict(verification)
    return VerificationReport(
        format=FORMAT, state=verification.state.value, exit=verification.exit_code, **told
    )


def report_schema() -> dict[str, Any]:
    """JSON Schema (2020-12) of the report."""
    schema = VerificationReport.model_json_schema(mode="serialization")
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}
