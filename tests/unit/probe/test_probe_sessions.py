"""In a server that keeps sessions, all of a session's requests are one caller's, and the next begins anew."""

import base64
import json
import ssl

import pytest
from strange_servers import QUICK, Given, Sent, metadata, refusal, result, serving

from launchworthy.probe.probing import Asked, Probing, read_cases
from launchworthy.probe.report import Report, Result
from launchworthy.testing.issuer import SimulatedIssuer


class Sessions:
    """A server of the older revision: each session belongs to who began it."""

    def __init__(self, *, lasts: int = 10_000, bound: bool = True) -> None:
        self.owners: dict[str, str] = {}
        self.left: dict[str, int] = {}
        self.lasts = lasts
        self.bound = bound

    def __call__(self, sent: Sent, url: str) -> Given | None:
        if sent.method == "GET":
            return metadata(url)
        token = (sent.values("authorization") or [""])[0].removeprefix("Bearer ")
        if not token:
            return refusal(url)
        subject = json.loads(base64.urlsafe_b64decode(token.split(".")[1] + "=="))["sub"]
        if sent.method == "POST" and sent.message.get("method") == "initialize":
            name = f"session-{len(self.owners)}"
            self.owners[name], self.left[name] = subject, self.lasts
            given = result(sent, protocolVersion="2025-11-25", capabilities={})
            return Given(given.status, given.body, {**given.headers, "mcp-session-id": name})
        [name] = sent.values("mcp-session-id") or [""]
        stolen = self.bound and self.owners.get(name) != subject
        if name not in self.owners or self.left[name] == 0 or stolen:
            return Given(404)
        self.left[name] -= 1
        if sent.method == "DELETE":
            del self.owners[name]
            return Given(204, b"")
        return result(sent) if "id" in sent.message else Given(202, b"")


def probed(server: Sessions, *only: str) -> Report:
    with serving(server) as (url, _):
        issuer = SimulatedIssuer({url: ("foil:use",)})
        asked = Asked(
            url=url,
            tools=(),
            tokens="issuer",
            find_issuer=lambda _: issuer,
            issuer=None,
            bounds=QUICK,
            verify=ssl.create_default_context(),
            progress=lambda *_: None,
            only=read_cases(only),
        )
        probing = Probing(asked=asked)
        probing.run()
        return probing.report()


@pytest.fixture
def server() -> Sessions:
    return Sessions()


def test_a_session_is_begun_kept_and_ended(server):
    report = probed(server, "sessions", "credentials.none")
    assert report.sessions
    assert report.revisions == ("2025-11-25",)
    assert {each.case for each in report.of(Result.RIGHT)} == {
        "sessions.unknown",
        "sessions.stolen",
        "credentials.none",
    }
    assert server.owners == {}


def test_a_stolen_session_that_works_is_found():
    report = probed(Sessions(bound=False), "sessions")
    assert {each.case for each in report.of(Result.WRONG)} == {"sessions.stolen"}
    assert {each.case for each in report.of(Result.RIGHT)} == {"sessions.unknown"}


def test_a_session_that_is_over_is_begun_anew(server):
    server.lasts = 4
    report = probed(server, "credentials.none", "methods.tools", "methods.prompts", "methods.resources")
    assert {each.result for each in report.findings} == {Result.RIGHT}


def test_what_is_refused_for_the_session_says_nothing_about_the_token(server):
    report = probed(server, "purpose.empty-subject", "dates.no-end")
    assert [each.case for each in report.of(Result.NOT_RUN)] == ["purpose.empty-subject"]
    assert [each.case for each in report.of(Result.WRONG)] == ["dates.no-end"]
