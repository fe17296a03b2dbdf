"""What others get to know, and what follows from each cause."""

import pytest

from launchworthy.identity import IdentityUnavailable, Phase
from launchworthy.identity.cause import MAX_DETAIL, TRAITS, Cause, Failure, SourceError
from launchworthy.identity.phase import NOTHING_YET, Holding, received
from launchworthy.identity.phase import failed as failed_at
from launchworthy.identity.refusal import refused_at_once, refused_in_time
from launchworthy.identity.status import status_of, unavailable
from launchworthy.vocabulary import EX_CONFIG, EX_TEMPFAIL, Reason, render_text

HOLDING = Holding(
    subject="spiffe://dev.invalid/a", serial="1", not_after=1100, ends_at=1100.0, stale_at=1060.0
)


def failed(facts, failure, grace=0.0):
    return failed_at(facts, failure, now=1000.0, grace=grace)


AWAY = Failure(cause=Cause.NOTHING_LISTENS, detail="nothing listens on `unix:///a.sock`")


@pytest.mark.parametrize(
    ("phase", "reason"),
    [
        (Phase.READY, None),
        (Phase.STALE, None),
        (Phase.STARTING, Reason.IDENTITY_MISSING),
        (Phase.EXPIRED, Reason.IDENTITY_EXPIRED),
        (Phase.REVOKED, Reason.IDENTITY_REVOKED),
        (Phase.FORKED, Reason.IDENTITY_SOURCE),
        (Phase.CLOSED, Reason.IDENTITY_SOURCE),
    ],
)
def test_a_phase_has_its_reason(phase, reason):
    status = status_of(NOTHING_YET, phase)
    assert status.reason is reason
    assert status.usable is (reason is None)


def test_while_starting_the_reason_is_what_failed():
    unexpected = failed(NOTHING_YET, Failure(cause=Cause.OTHER_IDENTITY, detail="somebody else"))
    assert status_of(unexpected, Phase.STARTING).reason is Reason.IDENTITY_UNEXPECTED
    assert status_of(unexpected, Phase.STARTING).detail == "there is no identity yet: somebody else"


def test_a_status_says_who_and_until_when_and_what_failed_last():
    held = status_of(received(NOTHING_YET, HOLDING), Phase.READY)
    assert (held.subject, held.not_after, held.detail) == ("spiffe://dev.invalid/a", 1100, "")
    failing = status_of(failed(received(NOTHING_YET, HOLDING), AWAY), Phase.STALE)
    assert failing.detail == "a new identity is overdue: nothing listens on `unix:///a.sock`"


def test_what_users_see_carries_the_status():
    status = status_of(NOTHING_YET, Phase.STARTING)
    assert IdentityUnavailable(status).status is status
    of_assertion = unavailable(status_of(received(NOTHING_YET, HOLDING), Phase.READY), AWAY)
    assert of_assertion.status.reason is Reason.IDENTITY_MISSING
    assert of_assertion.status.detail == AWAY.detail
    assert str(of_assertion) == "READY: nothing listens on `unix:///a.sock`"


@pytest.mark.parametrize("cause", Cause)
def test_every_cause_says_what_follows(cause):
    traits = TRAITS[cause]
    assert traits.reason.family in {"identity", "internal"}
    assert all(line == line.strip() and line for line in traits.fix)
    assert traits.problem == traits.problem.lower()


def test_what_others_wrote_is_made_fit_for_a_log():
    failure = SourceError(Cause.UNREADABLE, "a\x1b[31m\nb" + "c" * 1000).failure
    assert failure.detail.startswith("a [31m bc")
    assert len(failure.detail) == MAX_DETAIL


def test_a_start_without_an_agent_says_so_and_may_be_tried_again():
    refused = refused_in_time(
        Failure(
            cause=Cause.NOTHING_LISTENS,
            detail="nothing listens on `unix:///spiffe-workload-api/spire-agent.sock`",
        ),
        30.0,
    )
    assert (refused.stage, refused.exit_code) == ("identity", EX_TEMPFAIL)
    assert render_text("not started", refused.problems[0]) == (
        "launchworthy: not started [no-identity]\n"
        "  no identity within 30 s: nothing listens on `unix:///spiffe-workload-api/spire-agent.sock`\n"
        "  → the SPIRE agent of this node is down, or its socket is not mounted into this container\n"
        "    launchworthy identity doctor\n"
        "    launchworthy explain no-identity"
    )


def test_a_start_that_only_a_change_can_help_says_so():
    refused = refused_at_once(Failure(cause=Cause.OTHER_IDENTITY, detail="the agent gives `b`, not `a`"))
    assert refused.exit_code == EX_CONFIG
    assert refused.problems[0].reason == "unexpected-identity"
    assert refused.problems[0].field == "identity.expected_id"


def test_a_deadline_before_any_answer_is_not_a_bare_time_out():
    [problem] = refused_in_time(None, 0.5).problems
    assert problem.reason == "no-identity"
    assert problem.what == "no identity within 0.5 s: nothing has answered yet"


def test_a_doubted_identity_says_so_and_is_usable():
    denied = Failure(cause=Cause.NO_ENTRY, detail="no entry")
    doubted = status_of(failed(received(NOTHING_YET, HOLDING), denied, grace=10.0), Phase.READY)
    assert (doubted.doubted, doubted.usable, doubted.reason) == (True, True, None)
    assert not status_of(failed(received(NOTHING_YET, HOLDING), denied), Phase.REVOKED).doubted
