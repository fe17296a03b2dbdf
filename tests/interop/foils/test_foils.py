"""The probe finds on each server what it is known to do, and nothing on ours; a change renews the table."""

import re

import pytest

pytest.importorskip("fastmcp")
pytest.importorskip("jwt")

from comparison import PAGE, SERVERS, known, page, report_of, wrong_cases

from launchworthy.probe.report import Report, Result

pytestmark = pytest.mark.foreign
RENEW = "python3 noxfile.py -s interop-foils -- --write"


@pytest.fixture(scope="module")
def reports() -> dict[str, Report]:
    return {server.name: report_of(server) for server in SERVERS}


def test_on_a_server_of_ours_everything_is_right(reports):
    assert wrong_cases(reports["launchworthy"]) == ()
    assert len(reports["launchworthy"].of(Result.RIGHT)) > 200


@pytest.mark.parametrize("server", SERVERS, ids=lambda server: server.name)
def test_a_server_gets_wrong_what_it_is_known_to_and_nothing_else(reports, server):
    """A server that has improved turns this red too: then the table is out of date."""
    assert sorted(wrong_cases(reports[server.name])) == sorted(known()[server.name]), RENEW


@pytest.mark.parametrize("server", SERVERS, ids=lambda server: server.name)
def test_every_server_answers_good_requests_in_both_revisions(reports, server):
    assert reports[server.name].revisions == ("2026-07-28", "2025-11-25")
    assert reports[server.name].ended is None


def test_the_open_server_is_asked_only_what_needs_no_token(reports):
    report = reports["SDK, open"]
    assert "credentials.none" in wrong_cases(report)
    assert {each.family for each in report.of(Result.RIGHT)} <= {
        "http",
        "protocol",
        "arguments",
        "sessions",
        "methods",
    }


@pytest.mark.parametrize(
    ("server", "case"),
    [
        ("SDK, verifier", "dates.no-end"),
        ("SDK, verifier", "purpose.bound"),
        ("SDK, verifier", "scopes.none"),
        ("SDK, verifier", "challenge.scope"),
        ("SDK, verifier", "arguments.unknown"),
        ("fastmcp", "dates.no-end"),
        ("fastmcp", "dates.not-yet"),
        ("fastmcp", "purpose.jwt"),
        ("fastmcp", "purpose.bound"),
        ("fastmcp", "scopes.none"),
        ("fastmcp", "metadata.issuer"),
        ("SDK, open", "credentials.none"),
        ("SDK, open", "arguments.unknown"),
    ],
)
def test_what_was_measured_by_hand_before_is_found(reports, server, case):
    assert case in wrong_cases(reports[server])


@pytest.mark.parametrize(
    "case", ["signature.none", "signature.hmac", "issuer.mixed-up", "audience.other", "dates.expired"]
)
def test_what_others_get_right_is_said_too(reports, case):
    for server in ("SDK, verifier", "fastmcp"):
        assert case in {each.case for each in reports[server].of(Result.RIGHT)} - set(
            wrong_cases(reports[server])
        )


def test_sessions_of_others_are_kept_and_their_theft_is_tried(reports):
    for server in ("SDK, verifier", "fastmcp"):
        assert reports[server].sessions
        assert "sessions.stolen" in {each.case for each in reports[server].of(Result.RIGHT)}


def test_the_page_says_what_was_seen(reports):
    written = PAGE.read_text(encoding="utf-8")
    day = re.search(r"^Seen on (\S+),", written, re.MULTILINE)
    assert day is not None
    assert page([reports[server.name] for server in SERVERS], day[1]) == written, RENEW
