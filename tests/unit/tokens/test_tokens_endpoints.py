"""Where we connect: by the form of the URL, and by the address it leads to."""

import pytest

from launchworthy.tokens.address import Reach, check_addresses, reach_of
from launchworthy.tokens.endpoint import EndpointError, read_endpoint


def test_an_endpoint_is_taken_apart_without_being_changed() -> None:
    endpoint = read_endpoint(
        "https://Login.Acme.example:8443/a%20b?x=1", allow_loopback_http=False, query=True
    )
    assert (endpoint.host, endpoint.port, endpoint.target) == ("login.acme.example", 8443, "/a%20b?x=1")
    assert endpoint.authority == "Login.Acme.example:8443"
    assert read_endpoint("https://login.acme.example", allow_loopback_http=False, query=False).target == "/"


@pytest.mark.parametrize("host", ["127.0.0.1:80", "localhost:8080", "[::1]:80"])
def test_http_is_for_loopback_in_the_simulated_world(host: str) -> None:
    assert read_endpoint(f"http://{host}/x", allow_loopback_http=True, query=False).loopback
    with pytest.raises(EndpointError):
        read_endpoint(f"http://{host}/x", allow_loopback_http=False, query=False)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "login",
        "//login.acme.example/x",
        "http://login.acme.example",
        "ftp://login.acme.example",
        "file:///etc",
        "https://",
        "https:///x",
        "https://a@login.acme.example",
        "https://a:b@login.acme.example",
        "https://@h.example",
        "https://login.acme.example#x",
        "https://login.acme.example#",
        "https://login.acme.example/?x=1",
        "https://login.acme.example?",
        "https://127.0.0.1",
        "https://10.0.0.1/x",
        "https://[::1]/",
        "https://[fe80::1]",
        "https://2130706433",
        "https://0x7f.1",
        "https://127.1",
        "https://0177.0.0.1",
        "https://1.2.3.0x4",
        "https://1.2.3.0x",
        "https://login.acme.example:99999",
        "https://login.acme.example:x",
        "https://login.acme.example:",
        "https://login .acme.example",
        "https://login.acme.example\\@evil.example",
        "https://login.acme.example/\n",
        "https://löġin.example",
        "https://login..example",
        "https://-.example",
        "https://.example",
        "https://evil%2eexample",
        "https://h_/x?y=1",
        "https://h.example/" + "x" * 2050,
        "http://127.0.0.1.evil.example",
        "http://127.0.0.2/",
    ],
)
def test_a_url_of_any_other_form_is_refused(url: str) -> None:
    read_endpoint("https://login.acme.example/x", allow_loopback_http=True, query=False)
    with pytest.raises(EndpointError):
        read_endpoint(url, allow_loopback_http=True, query=False)


def test_a_host_is_scheme_name_and_port() -> None:
    def read(url: str) -> object:
        own = read_endpoint("https://login.acme.example", allow_loopback_http=True, query=False)
        return read_endpoint(url, allow_loopback_http=True, query=True).same_host(own)

    assert read("https://LOGIN.acme.example:443/keys?x=1") is True
    for url in (
        "https://login.acme.example:8443/",
        "https://keys.acme.example/",
        "https://login.acme.example.evil.example/",
    ):
        assert read(url) is False


@pytest.mark.parametrize(
    ("address", "reach"),
    [
        ("93.184.216.34", Reach.PUBLIC),
        ("2606:2800:220:1:248:1893:25c8:1946", Reach.PUBLIC),
        ("::ffff:93.184.216.34", Reach.PUBLIC),
        ("64:ff9b::5db8:d822", Reach.PUBLIC),
        ("10.1.2.3", Reach.PRIVATE),
        ("172.16.0.1", Reach.PRIVATE),
        ("192.168.1.1", Reach.PRIVATE),
        ("100.64.0.1", Reach.PRIVATE),
        ("fd12:3456::1", Reach.PRIVATE),
        ("::ffff:10.0.0.1", Reach.PRIVATE),
        ("64:ff9b::a00:1", Reach.PRIVATE),
        ("2002:0a00:0001::1", Reach.PRIVATE),
        ("127.0.0.1", Reach.LOOPBACK),
        ("127.8.9.1", Reach.LOOPBACK),
        ("::1", Reach.LOOPBACK),
        ("::ffff:127.0.0.1", Reach.LOOPBACK),
        ("169.254.169.254", Reach.NEVER),
        ("169.254.0.1", Reach.NEVER),
        ("fe80::1", Reach.NEVER),
        ("fe80::1%lo", Reach.NEVER),
        ("::ffff:169.254.169.254", Reach.NEVER),
        ("64:ff9b::a9fe:a9fe", Reach.NEVER),
        ("2002:a9fe:a9fe::1", Reach.NEVER),
        ("fd00:ec2::254", Reach.NEVER),
        ("100.100.100.200", Reach.NEVER),
        ("168.63.129.16", Reach.NEVER),
        ("192.0.0.192", Reach.NEVER),
        ("0.0.0.0", Reach.NEVER),  # noqa: S104 - judged, not bound
        ("0.1.2.3", Reach.NEVER),
        ("::", Reach.NEVER),
        ("224.0.0.1", Reach.NEVER),
        ("ff02::1", Reach.NEVER),
        ("240.0.0.1", Reach.NEVER),
        ("255.255.255.255", Reach.NEVER),
        ("::127.0.0.1", Reach.NEVER),
        ("fec0::1", Reach.NEVER),
        ("2001:0:4136:e378:8000:63bf:3fff:fdd2", Reach.NEVER),
    ],
)
def test_an_address_is_judged_by_what_it_reaches(address: str, reach: Reach) -> None:
    assert reach_of(address) is reach


PUBLIC, PRIVATE, LOOPBACK, METADATA = "93.184.216.34", "10.0.0.1", "127.0.0.1", "169.254.169.254"


def test_acceptable_addresses_pass() -> None:
    check_addresses([PUBLIC], loopback=False, private=False)
    check_addresses([PUBLIC, PRIVATE], loopback=False, private=True)
    check_addresses([LOOPBACK, "::1"], loopback=True, private=True)


@pytest.mark.parametrize(
    ("addresses", "loopback", "private"),
    [
        ([], False, True),
        ([], True, True),
        ([PRIVATE], False, False),
        ([PUBLIC, PRIVATE], False, False),
        ([LOOPBACK], False, True),
        ([LOOPBACK], False, False),
        ([METADATA], False, True),
        ([METADATA], True, True),
        ([PUBLIC, METADATA], False, True),
        ([PUBLIC], True, True),
        ([PRIVATE], True, True),
        ([LOOPBACK, PUBLIC], True, True),
    ],
)
def test_one_unacceptable_address_is_enough(addresses: list[str], *, loopback: bool, private: bool) -> None:
    with pytest.raises(EndpointError):
        check_addresses(addresses, loopback=loopback, private=private)
