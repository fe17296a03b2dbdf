"""Anybody may ask for a page: how much of the shared store can strangers keep busy?"""

import asyncio
import secrets
from types import SimpleNamespace

from test_approval_terms import RESOURCE, Ring

from launchworthy.approval import PageRequest, Sealed, StateSeal, WaitingRoom
from launchworthy.approval.page import ApprovalPage
from launchworthy.approval.page.answering import LOOKS_AT_ONCE
from launchworthy.approval.page.cookies import Cookies
from launchworthy.state import MemoryStore

STRANGERS = 200


class Store(MemoryStore):
    """One whose answers take a moment, so that questions to it overlap."""

    def __init__(self):
        super().__init__(lambda: 0.0, "one")
        self.asked = self.now = self.most = 0

    async def get(self, key):
        self.asked += 1
        self.now += 1
        self.most = max(self.most, self.now)
        try:
            for _ in range(5):
                await asyncio.sleep(0)
            return await super().get(key)
        finally:
            self.now -= 1


def page_over(store):
    def seal(kind):
        return StateSeal(Ring(1), RESOURCE, kind, secrets.randbits)

    return ApprovalPage(
        WaitingRoom(seal(Sealed.WAITING), store),
        SimpleNamespace(server=SimpleNamespace(host="login.acme.example")),
        Cookies(seal(Sealed.SIGN_IN), seal(Sealed.VISIT), secure=True),
        SimpleNamespace(),
        secrets.randbits,
        check_not_denied=lambda _: None,
        title="Shop",
        resource=RESOURCE,
    )


def asks(path, method="GET"):
    return PageRequest(
        method=method,
        path=path.encode(),
        query=b"",
        cookies=(),
        origin=None,
        site=None,
        form=b"token=x&answer=approve" if method == "POST" else b"",
        call="lw-call",
        now=1000,
    )


def test_strangers_take_few_connections_to_the_store_and_each_is_answered():
    store = Store()

    async def all_at_once():
        page = page_over(store)
        handles = [f"/approval/{secrets.randbits(128):032x}" for _ in range(STRANGERS)]
        requests = [
            *(asks(each) for each in handles),
            *(asks(each, "POST") for each in handles),
            *(asks(f"{each}/sign-in") for each in handles),
        ]
        return await asyncio.gather(*(page.answer(each) for each in requests))

    answers = asyncio.run(all_at_once())
    assert {each.status for each in answers} == {404}
    assert store.asked == 3 * STRANGERS
    assert store.most == LOOKS_AT_ONCE


def test_a_stranger_who_leaves_gives_the_place_back():
    store = Store()

    async def some_leave():
        page = page_over(store)
        for _ in range(3):
            left = [asyncio.create_task(page.answer(asks(f"/approval/{1:032x}"))) for _ in range(STRANGERS)]
            await asyncio.sleep(0)
            for each in left:
                each.cancel()
            await asyncio.gather(*left, return_exceptions=True)
        return await page.answer(asks(f"/approval/{2:032x}"))

    assert asyncio.run(asyncio.wait_for(some_leave(), 10)).status == 404
