"""What a server says of its tokens is read from the server itself, and every lie in it is named."""

from dataclasses import replace

import pytest
from strange_servers import METADATA, QUICK, Given, Sent, metadata, probed, refusal, serving

from launchworthy.probe.report import Report, Result


def said(answering) -> Report:
    """What is found of a server without a token."""
    with serving(answering) as (url, _):
        return probed(url, token=None)


def documented(**changes):
    """A server with these members in its metadata."""

    def answering(sent: Sent, url: str) -> Given | None:
        return metadata(url, **changes) if sent.path == METADATA else refusal(url)

    return answering


def wrong(report: Report) -> set[str]:
    return {each.case for each in report.of(Result.WRONG)}


def test_a_whole_document_and_challenge_are_right():
    report = said(documented())
    assert wrong(report) == set()
    assert {"metadata.resource", "challenge.forwarded"} <= {each.case for each in report.of(Result.RIGHT)}


@pytest.mark.parametrize(
    ("changes", "case"),
    [
        ({"resource": "https://probe.invalid/mcp"}, "metadata.resource"),
        ({"resource": None}, "metadata.resource"),
        ({"resource": ["x"]}, "metadata.resource"),
        ({"authorization_servers": []}, "metadata.servers"),
        ({"authorization_servers": "https://login.acme.example"}, "metadata.servers"),
        ({"authorization_servers": ["http://login.acme.example"]}, "metadata.servers"),
        ({"authorization_servers": [7]}, "metadata.servers"),
        ({"authorization_servers": ["https://[x"]}, "metadata.servers"),
        ({"bearer_methods_supported": ["header", "query"]}, "metadata.bearer"),
        ({"scopes_supported": ["orders:read", "offline_access"]}, "metadata.offline"),
    ],
)
def test_each_lie_in_the_document_is_named(changes, case):
    assert wrong(said(documented(**changes))) == {case}


@pytest.mark.parametrize("suffix", ["/", "/admin", "?x=1"])
def test_a_resource_that_is_nearly_the_url_is_another(suffix):
    def answering(sent: Sent, url: str) -> Given | None:
        return metadata(url, resource=url + suffix) if sent.path == METADATA else refusal(url)

    assert wrong(said(answering)) == {"metadata.resource"}


@pytest.mark.parametrize(
    "given",
    [
        Given(404),
        Given(200, b"<html>", {"content-type": "text/html"}),
        Given(200, b"[]"),
        Given(200, b"[" * 200_000),
        Given(200, b'{"resource":"x"' + b" " * 400_000 + b"}"),
        Given(302, b"", {"location": "https://probe.invalid/"}),
        None,
    ],
)
def test_a_document_that_is_none_is_missing(given):
    report = said(lambda sent, url: refusal(url) if sent.method == "POST" else given)
    assert {"metadata.present", "challenge.metadata"} == wrong(report)
    assert {"metadata.resource", "metadata.servers"} <= {each.case for each in report.of(Result.NOT_RUN)}


def test_the_document_is_found_at_the_root_too():
    def answering(sent: Sent, url: str) -> Given | None:
        if sent.path == "/.well-known/oauth-protected-resource":
            return metadata(url)
        bare = {"www-authenticate": 'Bearer scope="foil:use"', "content-type": "application/json"}
        return Given(404) if sent.method == "GET" else Given(401, b"{}", bare)

    assert wrong(said(answering)) == set()


def test_a_document_elsewhere_is_not_fetched():
    with serving(lambda _, url: metadata(url)) as (elsewhere, fetched):
        headers = {
            "www-authenticate": f'Bearer resource_metadata="{elsewhere}"',
            "content-type": "text/plain",
        }
        report = said(lambda sent, _: Given(401 if sent.method == "POST" else 404, b"", headers))
        assert fetched == []
    assert {"challenge.metadata", "metadata.present", "challenge.scope"} == wrong(report)


def test_a_header_that_moves_the_challenge_is_noticed():
    def answering(sent: Sent, url: str) -> Given | None:
        if sent.path == METADATA:
            return metadata(url)
        forwarded = sent.values("x-forwarded-host")
        return refusal(f"https://{forwarded[0]}/mcp" if forwarded else url)

    assert wrong(said(answering)) == {"challenge.forwarded"}


@pytest.mark.parametrize(
    ("challenge", "case"),
    [
        (None, "challenge.present"),
        ("Basic realm=x", "challenge.present"),
        ('Bearer scope="a", scope="b"', "challenge.present"),
        ('Bearer scope="a", error="invalid_token"', "challenge.no-error"),
        ("Bearer", "challenge.scope"),
    ],
)
def test_each_fault_of_the_challenge_is_named(challenge, case):
    def answering(sent: Sent, url: str) -> Given | None:
        given = metadata(url) if sent.path == METADATA else refusal(url)
        if sent.method == "POST":
            headers = {"content-type": "application/json"}
            return replace(
                given, headers=headers if challenge is None else {**headers, "www-authenticate": challenge}
            )
        return given

    assert wrong(said(answering)) == {case}


def test_nothing_is_read_twice():
    with serving(documented()) as (url, sent):
        probed(url, token=None, bounds=QUICK)
        places = [each.path for each in sent if each.method == "GET"]
    assert places == [METADATA]
