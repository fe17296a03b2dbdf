"""What becomes of what a body has borrowed, however it ends; and what it sees of its caller's token."""

import asyncio
import contextlib
import contextvars
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
import structlog

from launchworthy.credentials import seal
from launchworthy.credentials.errors import CredentialEnded
from launchworthy.egress import EgressDenied
from launchworthy.egress.calls import current
from launchworthy.enforcement.authorized import Authorized, Passage
from launchworthy.enforcement.bodies import Body, BodyFailed, Surroundings
from launchworthy.enforcement.rehearsing import NOT_REHEARSED
from launchworthy.enforcement.workers import Workers
from launchworthy.manifest import Destination
from launchworthy.vocabulary import BearerToken, CallId, Decision, Environment, ToolError

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "unit" / "credentials"))
from lending_book import ALLOWED, CALLER, Bank


def body_of(function, bank, *, timeout=30.0, is_async=True):
    served = SimpleNamespace(
        mark=SimpleNamespace(function=function),
        manifest=SimpleNamespace(timeout_seconds=timeout, name="refund"),
        call_parameter="call",
        is_async=is_async,
    )
    around = Surroundings(
        environment=Environment.STAGING, app=None, rehearsing=NOT_REHEARSED, log=structlog.get_logger(),
        workers=Workers(), changed=lambda _: None, tellers=bank.tellers,
    )  # fmt: skip
    return Body(served, around)


def passage(token=None):
    return Passage(
        Authorized(
            call=CallId("4T7K-9QX2-M0DV"), principal=CALLER,
            target=SimpleNamespace(name="refund", credentials=ALLOWED, egress=(), approval=None),
            decision=Decision(rule="manifest:refund", policy_digest="p", manifest_digest="m"),
            lifted=frozenset(), named="refund", unvalidated={}, arguments={}, completing=None, approval=None,
            callers_token=None if token is None else seal(BearerToken(token)),
        )
    )  # fmt: skip


async def fine(call):
    async with call.credential("payments") as lease:
        return lease.secret.reveal()


async def careless(call):
    await call.credential("payments").__aenter__()
    return "kept"


async def broken(call):
    await call.credential("payments").__aenter__()
    raise ValueError("a bug")


async def telling(call):
    await call.credential("payments").__aenter__()
    raise ToolError("the shop is closed")


async def hanging(call):
    await call.credential("payments").__aenter__()
    await asyncio.sleep(60)


def plain(call):
    with call.credential("payments") as lease:
        return lease.secret.reveal()


@pytest.mark.parametrize("function", [fine, careless, broken, telling, hanging])
def test_however_a_body_ends_nothing_is_left(function):
    async def run():
        bank = Bank()
        body = body_of(function, bank, timeout=0.2)
        try:
            answer = await body.run(passage(), lambda result: result)
        except BodyFailed as failed:
            answer = failed.text
        assert (bank.broker.issued, bank.broker.alive) == (1, set())
        assert bank.audit.kinds == ["issued", "revoked"]
        return answer

    assert asyncio.run(run())


def test_a_plain_function_borrows_on_the_servers_loop():
    async def run():
        bank = Bank()
        answer = await body_of(plain, bank, is_async=False).run(passage(), lambda result: result)
        assert (bank.broker.issued, bank.broker.alive) == (1, set())
        return answer

    assert asyncio.run(run()) == "canary-0001"


@pytest.mark.parametrize("after", [0.0, 0.01, 0.05])
def test_a_body_that_is_cancelled_at_any_moment_leaves_nothing(after):
    async def run():
        bank = Bank(issuing=0.02, revoking=0.02)
        task = asyncio.create_task(body_of(hanging, bank).run(passage(), lambda result: result))
        await asyncio.sleep(after)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await bank.tellers.aclose()
        assert bank.broker.alive == set()
        assert bank.audit.kinds in ([], ["issued", "revoked"])

    asyncio.run(run())


def test_a_completion_borrows_nothing():
    async def run():
        from dataclasses import replace

        bank = Bank()
        asked = passage()
        asked.authorized = replace(asked.authorized, completing="order_id")
        with pytest.raises(BodyFailed):
            await body_of(fine, bank).run(asked, lambda result: result)
        assert bank.broker.issued == 0

    asyncio.run(run())


@pytest.mark.parametrize(("completing", "reached"), [(None, True), ("order_id", False)])
def test_a_completion_connects_to_nothing_and_its_target_to_what_it_declares(completing, reached):
    def connecting(call):
        del call
        try:
            current().check("192.0.2.7", 443)
        except EgressDenied:
            return False
        return True

    async def run():
        from dataclasses import replace

        asked = passage()
        asked.authorized.target.egress = (Destination("192.0.2.7", 443),)
        asked.authorized = replace(asked.authorized, completing=completing)
        body = body_of(connecting, Bank(), is_async=False)
        if reached:
            assert await body.run(asked, lambda result: result) is True
        else:
            with pytest.raises(BodyFailed):
                await body.run(asked, lambda result: result)
            assert "192.0.2.7" in asked.stray

    asyncio.run(run())


@pytest.mark.parametrize("is_async", [True, False])
def test_a_body_that_makes_nothing_of_a_denial_has_failed_and_what_it_tried_is_known(is_async):
    def quiet(call):
        del call
        with contextlib.suppress(OSError):
            current().check("192.0.2.7", 443)
        return "never mind"

    async def quiet_coroutine(call):
        return quiet(call)

    async def run():
        asked = passage()
        body = body_of(quiet_coroutine if is_async else quiet, Bank(), is_async=is_async)
        with pytest.raises(BodyFailed) as failed:
            await body.run(asked, lambda result: result)
        assert "192.0.2.7" not in failed.value.text
        assert asked.outcome == "error"
        assert asked.stray == "reached for `192.0.2.7`:443: `egress` does not name it"

    asyncio.run(run())


def leads_to(start, wanted):
    """Whether a text is anywhere that attributes, slots and collections lead to; frames and code aside."""
    seen, todo = set(), [start]
    skipped = {"module", "function", "frame", "coroutine", "Task", "method", "builtin_function_or_method"}
    while todo:
        each = todo.pop()
        if id(each) in seen or isinstance(each, type) or type(each).__name__ in skipped:
            continue
        seen.add(id(each))
        if isinstance(each, str | bytes):
            if wanted in (each if isinstance(each, str) else each.decode("latin-1")):
                return True
        elif isinstance(each, dict):
            todo += [*each.keys(), *each.values()]
        elif isinstance(each, list | tuple | set | frozenset):
            todo += list(each)
        else:
            names = [n for kind in type(each).__mro__ for n in getattr(kind, "__slots__", ()) or ()]
            todo += [getattr(each, n, None) for n in {*names, *getattr(each, "__dict__", {})}]
    return False


def test_the_callers_token_is_nowhere_that_the_call_leads_to_and_gone_with_it():
    from launchworthy.credentials.sealed import unseal

    seen = {}

    async def looking(call):
        seen["call"] = leads_to(call, "canary-token")
        seen["subject"] = leads_to(call, CALLER.issuer)
        seen["context"] = leads_to(list(contextvars.copy_context().values()), "canary-token")
        seen["shown"] = "canary-token" in repr(call)
        return "looked"

    async def run():
        asked = passage("canary-token")
        assert unseal(asked.authorized.callers_token).reveal() == "canary-token"
        await body_of(looking, Bank()).run(asked, lambda result: result)
        with pytest.raises(KeyError):
            unseal(asked.authorized.callers_token)

    asyncio.run(run())
    assert seen == {"call": False, "subject": True, "context": False, "shown": False}


def test_a_call_that_borrows_nothing_asks_and_records_nothing():
    async def nothing(call):
        return call.id

    async def run():
        bank = Bank()
        assert await body_of(nothing, bank).run(passage(), lambda result: result) == "4T7K-9QX2-M0DV"
        assert (bank.broker.issued, bank.audit.events, bank.tellers.open_books) == (0, [], set())

    asyncio.run(run())


def test_what_a_stopped_target_has_borrowed_is_taken_back_at_once_and_it_gets_nothing_more():
    async def slow(call, bank, target):
        async with call.credential("payments"):
            bank.tellers.end_stopped(lambda name: name == target)
            for _ in range(100):
                await asyncio.sleep(0)
            revoked = not bank.broker.alive
            try:
                await call.credential("payments").__aenter__()
            except CredentialEnded:
                return revoked, "ended"
            return revoked, "lent"

    async def run(target):
        bank = Bank()

        async def body(call):
            return await slow(call, bank, target)

        return await body_of(body, bank).run(passage(), lambda result: result)

    assert asyncio.run(run("refund")) == (True, "ended")
    assert asyncio.run(run("another")) == (False, "lent")
