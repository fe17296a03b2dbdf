"""What a person typed is read once, and refused where it would send tokens or calls astray."""

import pytest

from launchworthy.probe.address import read_tool, read_url, require_private
from launchworthy.probe.remote_issuer import RemoteIssuer, is_loopback
from launchworthy.vocabulary import ProblemError


def reason(caught) -> str:
    [problem] = caught.value.problems
    return problem.reason


@pytest.mark.parametrize(
    "url",
    ["https://orders.acme.example/mcp", "http://127.0.0.1:8000/mcp", "https://[::1]:1/", "https://a.example"],
)
def test_a_url_is_used_as_it_was_typed(url):
    assert read_url(url) == url


@pytest.mark.parametrize(
    "url",
    ["", "orders", "ftp://a.example/", "https://", "https://me:" + "hunter2@a.example/", "https://a.example/#x",
     "https://a.example/?token=hunter2", "https://a.example:0/", "https://a.example:99999/",
     "https://a.example/\n", "https://ä.example/"],
)  # fmt: skip
def test_what_is_no_mcp_endpoint_is_refused_and_its_password_not_repeated(url):
    with pytest.raises(ProblemError) as caught:
        read_url(url)
    assert reason(caught) == "probe-url"
    assert "me:hunter2" not in str(caught.value)


@pytest.mark.parametrize(
    "url", ["https://a.example/mcp", "http://127.0.0.1:1/mcp", "http://localhost:1/mcp", "http://[::1]:1/"]
)
def test_tokens_go_where_nobody_reads_them(url):
    require_private(url)


@pytest.mark.parametrize(
    "url", ["http://a.example/mcp", "http://127.0.0.1.a.example/mcp", "http://10.0.0.1/mcp"]
)
def test_tokens_go_nowhere_else(url):
    with pytest.raises(ProblemError) as caught:
        require_private(url)
    assert reason(caught) == "probe-plain-http"


def test_a_tool_is_named_with_or_without_its_arguments():
    assert read_tool("add").params == {"name": "add", "arguments": {}}
    assert read_tool('add={"a": "x=1"}').params == {"name": "add", "arguments": {"a": "x=1"}}


@pytest.mark.parametrize("text", ["", "={}", "add=", "add=1", "add=[1]", "add={", "a\x1b[31m", "tö"])
def test_a_tool_that_cannot_be_read_is_refused(text):
    with pytest.raises(ProblemError) as caught:
        read_tool(text)
    assert reason(caught) == "probe-tool"


@pytest.mark.parametrize(
    "url", ["https://login.acme.example", "http://127.0.0.1:1", "http://localhost.a.example/"]
)
def test_only_a_simulated_issuer_of_this_machine_is_asked_to_sign(url):
    with pytest.raises(ProblemError) as caught:
        RemoteIssuer(url)
    assert reason(caught) == "probe-issuer"


def test_loopback_is_an_address_and_not_how_a_name_begins():
    assert is_loopback("http://127.9.9.9/")
    assert not is_loopback("http://127.0.0.1.nip.example/")
