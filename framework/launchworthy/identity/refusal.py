"""What does a start without an identity print, and which exit code ends it?"""

from launchworthy.identity.cause import TRAITS, Cause, Failure
from launchworthy.vocabulary import EX_CONFIG, EX_TEMPFAIL, Problem, StartupRefused

STAGE = "identity"
FIELD = {
    Cause.ENDPOINT: "identity.endpoint",
    Cause.NO_RUNNER: "identity.kind",
    Cause.REJECTED: "identity.endpoint",
    Cause.UNTRUSTED_SOURCE: "identity.endpoint",
    Cause.OTHER_IDENTITY: "identity.expected_id",
    Cause.OTHER_TRUST_DOMAIN: "identity.expected_id",
    Cause.OTHER_ISSUER: "identity.trust_domains",
}


def refused_at_once(failure: Failure) -> StartupRefused:
    """The failure makes waiting pointless: only a change can help."""
    return _refusal(failure, failure.detail, EX_CONFIG)


def refused_in_time(failure: Failure | None, deadline_seconds: float) -> StartupRefused:
    """The deadline passed. What failed last is what is said; the reason never is a bare time-out."""
    if failure is None:
        failure = Failure(cause=Cause.NO_ANSWER, detail="nothing has answered yet")
    return _refusal(failure, f"no identity within {deadline_seconds:g} s: {failure.detail}", EX_TEMPFAIL)


def _refusal(failure: Failure, what: str, exit_code: int) -> StartupRefused:
    traits = TRAITS[failure.cause]
    problem = Problem(reason=traits.problem, what=what, fix=traits.fix, field=FIELD.get(failure.cause))
    return StartupRefused(STAGE, problem, exit_code=exit_code)
