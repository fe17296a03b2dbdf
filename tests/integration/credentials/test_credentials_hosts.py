"""Where a request with a credential goes, and where it never does."""

import asyncio

import httpx2
import pytest
from issuing import Listener
from starlette.responses import RedirectResponse, Response

from launchworthy.credentials.one_host import AnswerTooLongError, OneHost, OtherHostError
from launchworthy.egress import CallEgress, current
from launchworthy.egress.calls import Names
from launchworthy.tokens.endpoint import EndpointError
from launchworthy.tokens.fetch import Network, system_network


class Upload:
    """A file that is read while it is sent."""

    def __init__(self, seen):
        self.seen, self.left = seen, [b"a=b"]

    def read(self, _size=-1):
        self.seen.append(current())
        return self.left.pop() if self.left else b""


async def made(seen):
    for piece in (b"a=", b"b"):
        seen.append(current())
        yield piece
    seen.append(current())


@pytest.fixture
def listener():
    with Listener() as found:
        found.good()
        yield found


def send(url, at, *, network=None, max_bytes=1000, simulated=True, **options):
    async def asked():
        host = OneHost(
            at, network or system_network(), simulated=simulated, max_bytes=max_bytes, keep_alive=False
        )
        try:
            return await host.send(httpx2.Request("POST", url, **options), "Bearer canary")
        finally:
            await host.aclose()

    return asyncio.run(asked())


def test_a_request_goes_to_the_host_signed_and_with_our_headers_only(listener):
    mine = {"Authorization": "Bearer mine", "Proxy-Authorization": "x", "Host": "evil.example", "X-Mine": "1"}
    answer = send(listener.url, listener.url, headers=mine, content=b"a=b")
    assert answer.status_code == 200
    [(_, headers, form)] = listener.seen
    assert headers["authorization"] == "Bearer canary"
    assert headers["host"] == f"127.0.0.1:{listener.port}"
    assert "proxy-authorization" not in headers
    assert (headers["x-mine"], form) == ("1", [("a", "b")])
    assert "canary" not in repr(answer) + repr(answer.headers)


@pytest.mark.parametrize(
    "body", [lambda seen: {"content": made(seen)}, lambda seen: {"files": {"f": Upload(seen)}}]
)
def test_connecting_is_ours_and_what_makes_the_body_meanwhile_is_the_calls(listener, body):
    seen, resolved = [], []

    async def resolve(host, port):
        resolved.append(current())
        return await system_network().resolve(host, port)

    network = Network(resolve=resolve, tls=system_network().tls, seconds=1.0)
    with CallEgress((), Names(), simulated=True) as call:
        assert send(listener.url, listener.url, network=network, **body(seen)).status_code == 200
    assert set(seen) == {call}
    assert resolved == [None]
    assert current() is None


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:1/", "https://127.0.0.1:{port}/", "http://localhost:{port}/", "http://evil.example/",
        "http://user:pass@127.0.0.1:{port}/", "http://127.0.0.1/", "http://[::1]:{port}/",
    ],
)  # fmt: skip
def test_another_host_port_or_scheme_is_refused_unasked(listener, url):
    with pytest.raises(OtherHostError):
        send(url.format(port=listener.port), listener.url)
    assert listener.seen == []


def test_the_name_is_judged_by_where_it_leads():
    async def leads_to(address):
        async def resolve(_host, _port):
            return [address]

        network = Network(resolve=resolve, tls=system_network().tls, seconds=1.0)
        host = OneHost(
            "https://payments.acme.example", network, simulated=False, max_bytes=10, keep_alive=False
        )
        try:
            await host.send(httpx2.Request("GET", "https://payments.acme.example/"), None)
        finally:
            await host.aclose()

    for address in ("169.254.169.254", "127.0.0.1", "0.0.0.0", "::1", "fd00:ec2::254"):  # noqa: S104 - refused
        with pytest.raises(httpx2.ConnectError, match="where we do not connect"):
            asyncio.run(leads_to(address))


@pytest.mark.parametrize(
    "url",
    ["http://payments.acme.example", "https://1.2.3.4", "https://a:b@payments.acme.example", "file:///x"],
)
def test_an_upstream_is_https_by_name_outside_of_the_simulated_world(url):
    with pytest.raises(EndpointError):
        OneHost(url, system_network(), simulated=False, max_bytes=1, keep_alive=False)
    with pytest.raises(EndpointError):
        OneHost(
            "http://payments.acme.example", system_network(), simulated=True, max_bytes=1, keep_alive=False
        )


def test_an_answer_is_read_up_to_its_bound_and_a_redirect_is_an_answer(listener):
    listener.answer = Response(b"x" * 1000)
    assert len(send(listener.url, listener.url).content) == 1000
    listener.answer = Response(b"x" * 1001)
    with pytest.raises(AnswerTooLongError):
        send(listener.url, listener.url)
    listener.answer = RedirectResponse("https://evil.example/", status_code=307)
    assert send(listener.url, listener.url).status_code == 307
    listener.answer = Response(b"x", headers={"content-encoding": "gzip"})
    with pytest.raises(AnswerTooLongError):
        send(listener.url, listener.url)
