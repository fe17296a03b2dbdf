"""Mutual TLS over real sockets: who gets in, who does not, and what the application sees of either."""

import asyncio
import socket
import ssl
import time

import httpx2
import pytest
from secured import CALLER, ORDERS, client

from launchworthy.identity.tls import client_tls
from launchworthy.testing.authority import SimulatedAuthority
from launchworthy.testing.caller_tls import caller_tls

FAILED = (httpx2.TransportError, ssl.SSLError, OSError)


async def refused(world, context):
    """Whether a client with this context gets no answer."""
    async with client(context) as http:
        try:
            await http.get(world.url)
        except FAILED:
            return True
    return False


def minted(world, **options):
    return caller_tls(world.authority, world.authority.mint_x509("caller", **{"ttl": 60, **options}))


def test_a_peer_reaches_the_application_under_its_verified_name(each_way):
    async def test(world):
        async with world.listening(), world.caller() as http:
            answers = [await http.get(world.url) for _ in range(3)]
        assert [(answer.status_code, answer.text) for answer in answers] == [(200, CALLER)] * 3
        assert world.rejected == []

    each_way(test)


def test_who_is_not_let_in_never_reaches_the_application(each_way):
    async def test(world):
        other = SimulatedAuthority(clock=time.time)
        cases = {
            "peer.missing": caller_tls(world.authority, None),
            "peer.untrusted": caller_tls(world.authority, other.mint_x509("caller", ttl=60)),
            "peer.expired": minted(world, ttl=60, age=120),
            "peer.name": minted(world, spiffe_id="https://caller.dev.invalid/"),
            "peer.not_allowed": minted(world, spiffe_id=CALLER + "/more"),
        }
        async with world.listening():
            for reason, context in cases.items():
                assert await refused(world, context), reason
                assert world.reasons()[-1] == reason
            assert not await refused(world, minted(world))
        assert world.reasons() == list(cases)

    each_way(test)


def test_a_client_shows_itself_to_the_expected_server_only(once):
    async def test(world):
        async with world.listening():
            async with world.caller(expect=ORDERS + "-2") as http:
                with pytest.raises(httpx2.ConnectError, match=r"peer\.not_allowed"):
                    await http.get(world.url)
            async with world.caller() as http:
                assert (await http.get(world.url)).text == CALLER

    once(test)


def test_a_blocking_client_verifies_in_the_same_way(once):
    async def test(world):
        identity = await world.identity(world.callers, "caller")

        def ask(expect):
            with httpx2.Client(verify=client_tls(world.terms(identity, expect)), trust_env=False) as http:
                return http.get(world.url).text

        async with world.listening():
            assert await asyncio.to_thread(ask, ORDERS) == CALLER
            with pytest.raises(httpx2.ConnectError, match=r"peer\.not_allowed"):
                await asyncio.to_thread(ask, ORDERS + "-2")
        await identity.aclose()

    once(test)


def test_plain_http_is_told_that_this_is_tls(each_way):
    async def test(world):
        async with world.listening(), client(True) as http:
            answer = await http.get(world.url.replace("https", "http"))
            assert (answer.status_code, answer.headers["connection"]) == (400, "close")
            assert "TLS" in answer.text
        assert world.reasons() == ["peer.tls"]

    each_way(test)


@pytest.mark.parametrize(
    "said", [b"", b"\x16\x03\x01", b"GET / HTTP/1.1\r\nhost: x\r\n\r\n", b"nonsense\r\n"]
)
def test_who_does_not_finish_a_handshake_in_time_is_cut(once, said):
    async def test(world):
        async with world.listening(head_seconds=0.3):
            reader, writer = await asyncio.open_connection(world.host, world.port)
            writer.write(said)
            async with asyncio.timeout(4):  # without the bound of this listener it is five
                while True:
                    try:
                        if not await reader.read(1024):
                            break
                    except ConnectionResetError:
                        break
            writer.close()
            async with world.caller() as http:
                assert (await http.get(world.url)).status_code == 200

    once(test)


def test_a_bounded_number_of_handshakes_is_under_way(once, monkeypatch):
    monkeypatch.setattr("launchworthy.identity.tls.MAX_HANDSHAKES", 3)

    async def test(world):
        async with world.listening(head_seconds=3.0):
            idle = [await asyncio.open_connection(world.host, world.port) for _ in range(3)]
            try:
                async with world.caller() as http:
                    with pytest.raises(FAILED):
                        await http.get(world.url)
                assert world.reasons() == ["peer.tls"]
            finally:
                for _, writer in idle:
                    writer.close()

    once(test)


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_older_versions_of_tls_are_refused(once, version):
    async def test(world):
        context = minted(world)
        context.maximum_version = version
        async with world.listening():
            assert await refused(world, context) is (version is ssl.TLSVersion.TLSv1_2)

    once(test)


def test_nothing_is_resumed_so_an_expired_certificate_cannot_come_back(each_way):
    async def test(world):
        async with world.listening():
            context = minted(world)
            sessions = await asyncio.to_thread(lambda: [session_of(world, context) for _ in range(2)])
            assert sessions == [(False, False), (False, False)]

    each_way(test)


def session_of(world, context):
    """Connect with a blocking socket, and offer whatever session the last connection left."""
    with (
        socket.create_connection((world.host, int(world.port)), timeout=5) as raw,
        context.wrap_socket(raw, session=getattr(context, "left", None)) as secured,
    ):
        secured.sendall(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n")
        assert secured.recv(1024).startswith(b"HTTP/1.1 200")
        session = secured.session
        has_ticket = session is not None and session.has_ticket
        if has_ticket:
            context.left = session
        return has_ticket, secured.session_reused
