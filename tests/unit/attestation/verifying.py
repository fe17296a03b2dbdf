"""Verify, and say for which reason it must fail."""

from collections.abc import Callable

import pytest
from promoters import (
    NOW,
    facts,
)

from launchworthy.attestation import (
    Facts,
    Purpose,
    TrustPolicy,
    UnverifiedRecord,
    VerifiedRecord,
    verify_record,
)
from launchworthy.vocabulary import ProblemError


def verify(
    unverified_record: UnverifiedRecord,
    trust: TrustPolicy,
    *,
    now: int = NOW,
    purpose: Purpose = Purpose.BUILT,
    here: Facts | None = None,
) -> VerifiedRecord:
    here = here if here is not None else facts()
    return verify_record(unverified_record, trust=trust, facts=here, purpose=purpose, now=now)


def refused(reason: str, call: Callable[[], object]) -> str:
    """Run something that must be refused for exactly this reason; what it says."""
    with pytest.raises(ProblemError) as caught:
        call()
    assert [problem.reason for problem in caught.value.problems] == [reason]
    return caught.value.problems[0].what
