"""A request that is under way ends with the credential that signed it."""

import asyncio

import pytest
from lending_book import Bank

from launchworthy.credentials.errors import CredentialEnded
from launchworthy.credentials.one_host import OneHost
from launchworthy.credentials.upstream import open_upstream
from launchworthy.tokens.fetch import system_network


class Slow:
    """An upstream that reads, and answers when it is told."""

    def __init__(self):
        self.asked, self.left, self.answers = asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def __aenter__(self):
        self._server = await asyncio.start_server(self._talk, "127.0.0.1", 0)
        port = self._server.sockets[0].getsockname()[1]
        self.host = OneHost(
            f"http://127.0.0.1:{port}", system_network(), simulated=True, max_bytes=1000, keep_alive=False
        )
        return self

    async def __aexit__(self, *_):
        await self.host.aclose()
        self._server.close()

    async def _talk(self, reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        self.asked.set()
        answered = asyncio.create_task(self.answers.wait())
        gone = asyncio.create_task(reader.read())
        await asyncio.wait({answered, gone}, return_when=asyncio.FIRST_COMPLETED)
        if answered.done():
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\npaid")
            await writer.drain()
        else:
            self.left.set()
        for each in (answered, gone):
            each.cancel()
        writer.close()


async def the_call_ends(book, _lease):
    await book.end()


async def its_block_ends(book, lease):
    await book.give_back(lease)


async def its_tool_is_stopped(book, _lease):
    book.tellers.end_stopped(lambda name: name == book.target)


@pytest.mark.parametrize("ending", [the_call_ends, its_block_ends, its_tool_is_stopped])
def test_a_request_that_is_under_way_is_broken_off(ending):
    async def run():
        bank = Bank()
        book = bank.book()
        async with asyncio.timeout(20), Slow() as upstream:
            bank.tellers.hosts["payments"] = upstream.host
            lease = await book.borrow("payments")
            client = open_upstream(book, "payments", lease)
            asking = asyncio.create_task(client.get("/orders", seconds=100))
            await upstream.asked.wait()
            await ending(book, lease)
            with pytest.raises(CredentialEnded):
                await asking
            await upstream.left.wait()
            await client.aclose()
        await bank.swept()
        assert not bank.broker.alive

    asyncio.run(run())


def test_another_credentials_request_goes_on():
    async def run():
        bank = Bank()
        book = bank.book()
        async with asyncio.timeout(20), Slow() as upstream:
            bank.tellers.hosts["payments"] = upstream.host
            one, another = await book.borrow("payments"), await book.borrow("payments")
            client = open_upstream(book, "payments", one)
            asking = asyncio.create_task(client.get("/orders"))
            await upstream.asked.wait()
            await book.give_back(another)
            upstream.answers.set()
            assert (await asking).text == "paid"
            await client.aclose()
        await book.end()

    asyncio.run(run())
