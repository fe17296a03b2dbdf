"""What may a call reach, and what is remembered of what it tried?"""

import asyncio

import pytest

from launchworthy.egress import CallEgress, EgressDenied, ours
from launchworthy.egress.calls import MOST_ADDRESSES, Names, carried, current, read_address
from launchworthy.manifest import Destination, read_destination

DATABASE = Destination("db.acme.example", 5432)
API = Destination("api.acme.example", 443)
LITERAL = Destination("192.0.2.7", 8443)
SIX = Destination("2001:db8::1", 443)


def call(*allowed, simulated=False, learned=()):
    names = Names()
    names.watch(one.host for one in allowed)
    for host, address in learned:
        names.learn(host, [address])
    return CallEgress(allowed, names, simulated=simulated)


@pytest.mark.parametrize(
    ("text", "host", "port"),
    [
        ("payments.acme.example:443", "payments.acme.example", 443),
        ("localhost:1", "localhost", 1),
        ("192.0.2.7:65535", "192.0.2.7", 65535),
        ("[2001:db8:0:0::1]:443", "2001:db8::1", 443),
        ("_db._tcp.acme.example:443", "_db._tcp.acme.example", 443),
    ],
)
def test_an_entry_is_one_host_and_one_port(text, host, port):
    assert read_destination(text) == Destination(host, port)
    assert read_destination(str(read_destination(text))) == Destination(host, port)


@pytest.mark.parametrize(
    "text",
    [
        "", "payments.acme.example", "payments.acme.example:", ":443", "*:443", "*.acme.example:443",
        "payments.acme.example:0", "payments.acme.example:65536", "payments.acme.example:0443",
        "payments.acme.example:443-445", "Payments.acme.example:443", "https://payments.acme.example:443",
        "payments.acme.example:443/v1", "user@payments.acme.example:443", "a..b:443", "-a:443", "a.:443",
        "192.0.2:443", "0x7f.1:443", "127.1:443", "2001:db8::1:443", "[payments]:443", "[::1%eth0]:443",
        "payments.acme.example:443\n", "pаyments.acme.example:443", "10.0.0.0/8:443",
    ],
)  # fmt: skip
def test_what_could_mean_more_than_one_place_is_no_entry(text):
    with pytest.raises(ValueError, match=r"host and port|IP address"):
        read_destination(text)


@pytest.mark.parametrize(
    "host",
    ["db.acme.example", "DB.acme.example.", b"db.acme.example", None, "localhost", "192.0.2.99", "::1"],
)
def test_a_declared_name_and_what_needs_no_lookup_may_be_looked_up(host):
    call(DATABASE).check_name(host)


@pytest.mark.parametrize(
    "host",
    [
        "evil.example", "acme.example", "x.db.acme.example", "db.acme.example.evil.example", b"evil",
        "192.0.2.99%evil.example", b"127.0.0.1%evil.example",
    ],
)  # fmt: skip
def test_no_other_name_is_looked_up(host):
    asked = call(DATABASE)
    with pytest.raises(EgressDenied):
        asked.check_name(host)
    assert "was looked up" in asked.denied


def test_an_address_counts_where_a_declared_name_led_to_it_and_with_its_port_alone():
    asked = call(DATABASE, API, learned=[("db.acme.example", "192.0.2.1"), ("evil.example", "192.0.2.66")])
    asked.check("192.0.2.1", 5432)
    for host, port in [("192.0.2.1", 443), ("192.0.2.2", 5432), ("192.0.2.66", 443), ("192.0.2.66", 5432)]:
        with pytest.raises(EgressDenied):
            asked.check(host, port)


def test_addresses_can_be_declared_themselves():
    asked = call(LITERAL, SIX)
    asked.check_address(("192.0.2.7", 8443))
    asked.check_address(("::ffff:192.0.2.7", 8443, 0, 0))
    asked.check_address(("2001:db8::1", 443, 0, 0))
    asked.check_address(("2001:db8::1%eth0", 443, 0, 0))
    elsewhere = [("192.0.2.7", 443), ("2001:db8::2", 443, 0, 0), ("192.0.2.70", 8443)]
    for address in [*elsewhere, ("192.0.2.7%evil.example", 8443)]:
        with pytest.raises(EgressDenied):
            asked.check_address(address)


def test_this_machine_has_to_be_declared_too():
    for address in ("127.0.0.1", "::1", "127.8.8.8"):
        call(Destination("localhost", 5432)).check(address, 5432)
        with pytest.raises(EgressDenied):
            call(DATABASE).check(address, 5432)
    with pytest.raises(EgressDenied):
        call(Destination("localhost", 5432)).check("192.0.2.1", 5432)


def test_in_the_simulated_world_whoever_declares_anything_reaches_this_machine_and_nothing_else():
    asked = call(DATABASE, LITERAL, simulated=True, learned=[("db.acme.example", "192.0.2.1")])
    asked.check("127.0.0.1", 40001)
    elsewhere = [("192.0.2.1", 5432), ("192.0.2.7", 8443), ("db.acme.example", 5432), ("10.0.0.1", 1)]
    for host, port in [*elsewhere, ("127.0.0.1%evil.example", 40001)]:
        with pytest.raises(EgressDenied, match="only this machine"):
            asked.check(host, port)


@pytest.mark.parametrize("simulated", [True, False])
@pytest.mark.parametrize(
    "address", [("127.0.0.1", 1), ("192.0.2.1", 443), ("localhost", 1), "/run/docker.sock", None, ()]
)  # fmt: skip
def test_who_declares_nothing_reaches_nothing(simulated, address):
    asked = call(simulated=simulated)
    with pytest.raises(EgressDenied):
        asked.check_address(address)
    assert asked.denied.startswith("reached for ")


@pytest.mark.parametrize("simulated", [True, False])
@pytest.mark.parametrize("address", ["/run/docker.sock", b"\0abstract", (1, 2), (0, 0, 0, 0)])
def test_a_socket_of_another_kind_is_no_destination(simulated, address):
    with pytest.raises(EgressDenied):
        call(DATABASE, simulated=simulated).check_address(address)


def test_the_first_denial_is_the_one_that_is_told_and_it_is_bounded():
    asked = call(DATABASE)
    for host in ("evil.example" * 100, "worse.example"):
        with pytest.raises(EgressDenied):
            asked.check(host, 443)
    assert asked.denied.startswith("reached for `evil.example")
    assert len(asked.denied) < 200


def test_a_denial_is_an_error_of_the_network_so_that_libraries_clean_up():
    assert issubclass(EgressDenied, OSError)


def test_only_declared_names_are_remembered_and_not_without_end():
    names = Names()
    names.watch(["cdn.acme.example"])
    names.learn("evil.example", ["192.0.2.1"])
    names.learn("CDN.acme.example.", [f"10.0.{n // 256}.{n % 256}" for n in range(MOST_ADDRESSES + 9)])
    names.learn("cdn.acme.example", ["/no/address", None])
    assert not names.lead_to("evil.example", read_address("192.0.2.1"))
    assert not names.lead_to("cdn.acme.example", read_address("10.0.0.8"))
    assert names.lead_to("cdn.acme.example", read_address("10.0.0.9"))


def test_tasks_that_a_call_begins_are_its_own_and_what_is_ours_is_not():
    async def run():
        asked = call()
        with asked:
            assert await asyncio.create_task(seen()) is asked
            with ours():
                assert await asyncio.create_task(seen()) is None
            assert current() is asked
        assert current() is None
        with carried(asked):
            assert current() is asked

    async def seen():
        return current()

    asyncio.run(run())
