"""The runner never believes a silence, never skips a twin, and calls nothing that nobody named."""

import json
from dataclasses import replace

import pytest
from strange_servers import (
    GOOD,
    METADATA,
    QUICK,
    Given,
    Sent,
    answered,
    error,
    metadata,
    probed,
    refusal,
    result,
    serving,
    strict,
)

from launchworthy.probe.address import read_tool
from launchworthy.probe.report import Report, Result
from launchworthy.vocabulary import ProblemError


def ids(report: Report, what: Result) -> set[str]:
    return {each.case for each in report.of(what)}


def test_a_server_that_gets_everything_right_is_right():
    with serving(strict) as (url, _):
        report = probed(url, only=())
    assert ids(report, Result.WRONG) == set()
    assert report.decided
    assert report.revisions == ("2026-07-28",)
    assert {"credentials.none", "http.host", "protocol.downgrade", "metadata.resource"} <= ids(
        report, Result.RIGHT
    )


def test_what_is_right_was_seen_and_had_a_twin_that_went_through():
    with serving(strict) as (url, _):
        report = probed(url)
    for each in report.of(Result.RIGHT):
        assert each.seen is not None
        if each.family not in {"metadata", "challenge"}:
            assert each.twin is not None
            assert each.twin.status == 200


def test_a_server_that_refuses_everything_is_not_right():
    with serving(lambda sent, url: metadata(url) if sent.path == METADATA else refusal(url)) as (url, _):
        report = probed(url)
    assert not report.decided
    assert {each.family for each in report.findings if each.result is not Result.NOT_RUN} <= {
        "metadata",
        "challenge",
    }
    assert {"401" in (each.not_run or "") for each in report.of(Result.NOT_RUN) if each.family == "http"} == {
        True
    }


def test_without_a_token_nothing_is_right_but_what_the_server_says_of_itself():
    with serving(strict) as (url, sent):
        report = probed(url, token=None)
        assert not any(each.values("authorization") for each in sent)
    assert not report.decided
    assert {each.family for each in report.of(Result.RIGHT)} == {"metadata", "challenge"}


def test_a_case_whose_twin_fails_is_not_run():
    """The server has a bad moment: what it refuses then says nothing."""
    broken = {"http.origin": False}

    def moody(sent: Sent, url: str) -> Given | None:
        if sent.values("origin"):
            broken["http.origin"] = True
        elif broken["http.origin"] and sent.values("authorization") == [f"Bearer {GOOD}"]:
            return Given(500)
        return strict(sent, url)

    with serving(moody) as (url, _):
        report = probed(url)
    [finding] = [each for each in report.findings if each.case == "protocol.downgrade"]
    assert finding.result is Result.NOT_RUN
    assert "the unchanged request did not go through: 500" in str(finding.not_run)


def test_each_case_is_sent_right_after_its_own_twin():
    with serving(strict) as (url, sent):
        report = probed(url)
        good = [f"Bearer {GOOD}"]
        hosts = [number for number, each in enumerate(sent) if each.values("host") == ["probe.invalid"]]
    assert len(hosts) == 1
    before = sent[hosts[0] - 1]
    assert (before.values("authorization"), before.values("host"), before.method) == (
        good,
        [url.split("/")[2]],
        "POST",
    )
    ran = [each for each in report.findings if each.twin is not None and each.seen is not None]
    assert len(ran) > 7
    assert report.requests >= 2 * len(ran)


def test_a_connection_that_is_closed_is_no_401():
    def silent(sent: Sent, url: str) -> Given | None:
        return None if sent.values("authorization") == ["Bearer probe"] else strict(sent, url)

    with serving(silent) as (url, _):
        report = probed(url)
    [finding] = [each for each in report.findings if each.case == "credentials.no-jwt"]
    assert finding.result is Result.WRONG
    assert "there was no answer" in finding.wrong[0]


def test_a_server_that_breaks_has_not_refused():
    def fragile(sent: Sent, url: str) -> Given | None:
        given = strict(sent, url)
        return Given(500) if given is not None and given.status in {400, 415} else given

    with serving(fragile) as (url, _):
        report = probed(url)
    assert {"http.jsonp", "http.not-json", "protocol.method"} <= ids(report, Result.WRONG)


def test_an_answer_of_200_with_an_error_is_a_refusal_but_no_401():
    def polite(sent: Sent, url: str) -> Given | None:
        given = strict(sent, url)
        return error(-32600, 200) if given is not None and given.status in {401, 415} else given

    with serving(polite) as (url, _):
        report = probed(url)
    assert "http.jsonp" in ids(report, Result.RIGHT)
    assert {"credentials.none", "challenge.present"} <= ids(report, Result.WRONG)


@pytest.mark.parametrize("shown", ["a token in an error", "a stack in an error"])
def test_what_no_answer_may_show_is_seen(shown):
    def talkative(sent: Sent, url: str) -> Given | None:
        given = strict(sent, url)
        if given is not None and given.status == 415:
            token = sent.values("authorization")[0].removeprefix("Bearer ")
            said = token if "token" in shown else "Traceback (most recent call last):"
            return replace(given, body=json.dumps({"said": said}).encode())
        return given

    with serving(talkative) as (url, _):
        report = probed(url)
    [finding] = [each for each in report.findings if each.case == "http.jsonp"]
    assert finding.result is Result.WRONG


def test_an_open_server_is_told_so_once_and_still_asked_what_needs_no_token():
    with serving(lambda sent, url: answered(sent, url) if sent.method == "POST" else Given(404)) as (
        url,
        sent,
    ):
        report = probed(url)
        assert not any(f"Bearer {GOOD}" in each.values("authorization") for each in sent)
    assert ids(report, Result.WRONG) == {"credentials.none", "methods.tools", "methods.discover"} & ids(
        report, Result.WRONG
    )
    assert "credentials.none" in ids(report, Result.WRONG)
    assert "http.host" in ids(report, Result.RIGHT)
    assert "challenge.present" in ids(report, Result.NOT_RUN)


def test_no_tool_is_called_that_nobody_named():
    with serving(strict) as (url, sent):
        probed(url)
        methods = {each.message.get("method") for each in sent if each.body.startswith(b"{") and _reads(each)}
    assert "tools/call" not in methods


def test_a_named_tool_is_called_with_its_arguments_and_no_other_is_by_its_right_name():
    def shop(sent: Sent, url: str) -> Given | None:
        if _reads(sent) and sent.message.get("method") == "tools/call":
            given = strict(replace(sent, body=sent.body.replace(b"tools/call", b"tools/list"), headers=[
                (name, value.replace("tools/call", "tools/list")) for name, value in sent.headers
            ]), url)  # fmt: skip
            unknown = sent.message["params"].get("name") != "add"
            return error(-32602) if unknown and given is not None and given.status == 200 else given
        return strict(sent, url)

    with serving(shop) as (url, sent):
        report = probed(url, tools=(read_tool('add={"a": 1}'),), only=("protocol", "arguments"))
        calls = [each.message["params"] for each in sent if _reads(each) and "tools/call" in str(each.body)]
    assert report.targets == ("add",)
    assert {each["name"] for each in calls} == {"add", "probe_nothing_of_this_name"}
    assert {"a": 1} in [each["arguments"] for each in calls]


def test_the_limit_of_requests_is_kept_and_said():
    with serving(strict) as (url, sent):
        report = probed(url, bounds=replace(QUICK, requests=12))
        assert len(sent) == 12
    assert report.requests == 12
    assert report.ended is not None
    assert "12 requests" in report.ended
    assert not report.decided


def test_the_rate_is_kept():
    with serving(strict) as (url, _):
        report = probed(url, bounds=replace(QUICK, requests=12, per_second=40))
    assert report.milliseconds >= 11 * 25


def test_a_server_that_goes_silent_is_left_alone():
    count = {"asked": 0}

    def dying(sent: Sent, url: str) -> Given | None:
        count["asked"] += 1
        return strict(sent, url) if count["asked"] < 14 else None

    with serving(dying) as (url, sent):
        report = probed(url)
        assert len(sent) < 30
    assert report.ended == "the server did not answer 3 times in a row"
    assert not report.decided


def test_a_server_that_asks_to_wait_is_waited_for():
    busy = {"left": 1}

    def limited(sent: Sent, url: str) -> Given | None:
        if sent.values("authorization") and busy["left"]:
            busy["left"] -= 1
            return Given(429, b"{}", {"retry-after": "0", "content-type": "application/json"})
        return strict(sent, url)

    with serving(limited) as (url, _):
        report = probed(url)
    assert "credentials.lower-case" in ids(report, Result.RIGHT)


def test_too_many_requests_is_no_refusal():
    def limited(sent: Sent, url: str) -> Given | None:
        given = strict(sent, url)
        return Given(429) if given is not None and given.status == 415 else given

    with serving(limited) as (url, _):
        report = probed(url)
    [finding] = [each for each in report.findings if each.case == "http.jsonp"]
    assert (finding.result, finding.not_run) == (Result.NOT_RUN, "the server asked for fewer requests")


def test_a_redirect_is_not_followed():
    def moved(sent: Sent, _: str) -> Given | None:
        if sent.path == "/elsewhere":
            return result(sent)
        return Given(307, b"", {"location": "/elsewhere"})

    with serving(moved) as (url, sent):
        report = probed(url)
        assert "/elsewhere" not in {each.path for each in sent}
    assert not report.decided


def test_nothing_there_is_a_problem_and_no_verdict():
    with serving(strict) as (url, _):
        pass
    with pytest.raises(ProblemError) as caught:
        probed(url)
    assert [each.reason for each in caught.value.problems] == ["probe-unreachable"]


def test_the_token_is_in_no_report():
    with serving(strict) as (url, _):
        report = probed(url)
    assert GOOD not in json.dumps(report.as_json())


def _reads(sent: Sent) -> bool:
    try:
        return isinstance(json.loads(sent.body or b"{}"), dict)
    except (ValueError, RecursionError):
        return False


def test_a_token_that_does_not_say_its_scopes_proves_nothing_about_scopes():
    """An opaque token is good for whatever it is good for; the same one is no token without scopes."""

    def shop(sent: Sent, url: str) -> Given | None:
        calls = _reads(sent) and sent.message.get("method") == "tools/call"
        return result(sent, content=[]) if calls and sent.values("authorization") else strict(sent, url)

    with serving(shop) as (url, _):
        report = probed(url, tools=(read_tool("add"),), only=("scopes",))
    assert {each.result for each in report.findings} == {Result.NOT_RUN}


def test_only_what_is_asked_about_is_asked():
    with serving(strict) as (url, _):
        report = probed(url, only=("http.host", "challenge"))
    assert {each.case for each in report.findings if each.family != "challenge"} == {"http.host"}
    assert report.decided
