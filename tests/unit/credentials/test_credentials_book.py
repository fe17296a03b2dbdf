"""What does a call's lease book promise, whatever its broker, its audit and its caller do?"""

import asyncio
import random

import pytest
from lending_book import NOW, Bank, refusal

from launchworthy.audit import AuditUnwritable
from launchworthy.credentials import (
    CredentialEnded,
    CredentialNotAllowed,
    CredentialUnavailable,
    Revocation,
    custody,
)
from launchworthy.credentials import call_credentials as books
from launchworthy.credentials.errors import RevocationUnsupported
from launchworthy.credentials.loans import BorrowedCredential


def test_what_is_borrowed_is_recorded_first_and_taken_back_at_the_end():
    async def call():
        bank = Bank()
        book = bank.book()
        lease = await book.borrow("payments")
        assert bank.audit.kinds == ["issued"]
        assert book.is_open(lease)
        assert not book.end_at_once()
        await book.end()
        assert bank.broker.alive == set()
        assert bank.audit.kinds == ["issued", "revoked"]
        assert not book.is_open(lease)

    asyncio.run(call())


def test_a_book_in_which_nothing_stands_ends_at_once():
    async def call():
        bank = Bank()
        book = bank.book()
        assert book.end_at_once()
        with pytest.raises(CredentialEnded):
            await book.borrow("payments")
        assert bank.broker.issued == 0

    asyncio.run(call())


def test_the_allow_list_is_asked_before_any_broker():
    async def call():
        bank = Bank()
        for allowed in ({}, None):
            book = bank.book(allowed)
            with pytest.raises(CredentialNotAllowed, match="`refund` does not name the credential `gold`"):
                await book.borrow("gold")
        assert bank.broker.issued == 0
        assert bank.audit.kinds == ["refused", "refused"]
        assert (await bank.book().borrow("payments")).scopes == ("a",)

    asyncio.run(call())


@pytest.mark.parametrize(
    ("broker", "why"),
    [
        ({"scopes": ("a", "c")}, "`c`"),
        ({"lives": 61}, "1 s longer than the 60 s"),
        ({"lives": 0}, "had ended"),
        ({"lives": -5}, "had ended"),
    ],
)
def test_a_lease_that_is_too_wide_is_recorded_refused_and_taken_back(broker, why):
    async def call():
        bank = Bank(**broker)
        book = bank.book()
        with pytest.raises(CredentialUnavailable):
            await book.borrow("payments")
        assert bank.broker.alive == set()
        assert bank.audit.kinds == ["issued", "refused", "revoked"]
        assert why in bank.audit.events[1].detail
        assert book.end_at_once()

    asyncio.run(call())


def test_an_audit_that_cannot_be_written_lends_nothing_and_leaves_nothing():
    async def call():
        bank = Bank()
        bank.audit.broken = True
        book = bank.book()
        with pytest.raises(AuditUnwritable):
            await book.borrow("payments")
        assert bank.broker.issued == 1
        await book.end()
        assert bank.broker.alive == set()

    asyncio.run(call())


@pytest.mark.parametrize("failure", [refusal(), TimeoutError()])
def test_a_broker_that_fails_is_a_refusal_and_the_next_call_goes_on(failure):
    async def call():
        bank = Bank(fails=[failure])
        with pytest.raises(CredentialUnavailable, match="`payments` cannot be used now"):
            await bank.book().borrow("payments")
        assert bank.audit.kinds == ["refused"]
        assert await bank.book().borrow("payments")

    asyncio.run(call())


def test_a_broker_that_hangs_is_waited_for_so_long_and_no_longer(monkeypatch):
    monkeypatch.setattr(books, "ISSUE_SECONDS", 0.05)

    async def call():
        bank = Bank(issuing=60)
        with pytest.raises(CredentialUnavailable):
            await bank.book().borrow("payments")
        assert "did not answer" in bank.audit.events[0].detail

    asyncio.run(call())


def test_a_call_that_is_cancelled_while_it_asks_still_gives_back_what_comes():
    async def call():
        bank = Bank(issuing=0.05)
        book = bank.book()
        asking = asyncio.create_task(book.borrow("payments"))
        await asyncio.sleep(0.01)
        asking.cancel()
        await asyncio.gather(asking, return_exceptions=True)
        assert not book.end_at_once()
        await book.end()
        assert (bank.broker.issued, bank.broker.alive) == (1, set())
        assert bank.audit.kinds == ["issued", "revoked"]

    asyncio.run(call())


def test_who_is_cancelled_while_it_gives_back_leaves_the_giving_back_to_go_on():
    async def call():
        bank = Bank(revoking=0.05)
        book = bank.book()
        await book.borrow("payments")
        ending = asyncio.create_task(book.end())
        await asyncio.sleep(0.01)
        ending.cancel()
        await asyncio.gather(ending, return_exceptions=True)
        assert bank.broker.alive == {"0001"}
        await bank.tellers.aclose()
        assert bank.broker.alive == set()
        assert bank.broker.closed

    asyncio.run(call())


def test_what_can_only_run_out_is_abandoned_with_its_end_and_a_keepers_without():
    async def call():
        for revocation, ends in ((Revocation.EXPIRY, NOW + 60), (Revocation.KEEPER, None)):
            bank = Bank(revocation=revocation)
            book = bank.book()
            await book.borrow("payments")
            await book.end()
            abandoned = bank.audit.events[-1]
            assert (abandoned.type, abandoned.not_after) == ("credential.abandoned", ends)

    asyncio.run(call())


def test_what_its_issuer_cannot_take_back_after_all_is_abandoned_too():
    async def call():
        bank = Bank(revocation_fails=[RevocationUnsupported("its issuer cannot")])
        book = bank.book()
        await book.borrow("payments")
        await book.end()
        assert bank.audit.kinds == ["issued", "abandoned"]
        assert bank.tellers.custody.orphans == ()

    asyncio.run(call())


@pytest.mark.parametrize("failure", [refusal(), TimeoutError(), ValueError("a bug"), KeyError("x")])
def test_what_was_not_taken_back_is_tried_again_until_it_is(failure, monkeypatch):
    monkeypatch.setattr(custody, "FIRST_PAUSE_SECONDS", 0.01)

    async def call():
        bank = Bank(revocation_fails=[failure, refusal()])
        book = bank.book()
        await book.borrow("payments")
        await book.end()
        assert bank.audit.kinds == ["issued", "revoke_failed"]
        assert bank.audit.events[-1].not_after == NOW + 60
        await bank.swept()
        assert bank.broker.alive == set()
        assert bank.audit.kinds == ["issued", "revoke_failed", "revoked"]
        assert bank.audit.events[-1].detail == "at attempt 3"

    asyncio.run(call())


def test_what_runs_out_before_it_is_taken_back_is_abandoned(monkeypatch):
    monkeypatch.setattr(custody, "FIRST_PAUSE_SECONDS", 0.01)

    async def call():
        bank = Bank(revocation_fails=[refusal() for _ in range(1000)])
        book = bank.book()
        await book.borrow("payments")
        await book.end()
        bank.now = NOW + 61
        await bank.swept()
        assert bank.audit.kinds == ["issued", "revoke_failed", "abandoned"]

    asyncio.run(call())


def test_a_server_that_ends_tries_once_more_and_says_what_still_lives():
    async def call():
        bank = Bank(revocation_fails=[refusal(), refusal()])
        book = bank.book()
        await book.borrow("payments")
        await book.end()
        await bank.tellers.aclose()
        assert bank.audit.kinds == ["issued", "revoke_failed", "abandoned"]
        assert bank.audit.events[-1].not_after == NOW + 60

    asyncio.run(call())


def test_a_function_that_outlives_its_call_keeps_nothing_when_the_server_ends():
    async def call():
        bank = Bank()
        await bank.book().borrow("payments")
        await bank.tellers.aclose()
        assert bank.broker.alive == set()

    asyncio.run(call())


def test_a_borrowed_credential_shows_nothing_and_ends_with_its_time_and_its_call():
    async def call():
        bank = Bank()
        book = bank.book()
        lease = await book.borrow("payments")
        borrowed = BorrowedCredential(book, lease)
        assert borrowed.secret.reveal() == "canary-0001"
        assert "canary" not in f"{borrowed!r}{lease!r}{book!r}{bank.audit.events}"
        bank.now = NOW + 60
        with pytest.raises(CredentialEnded):
            _ = borrowed.secret
        bank.now = NOW
        await book.give_back(lease)
        await book.give_back(lease)
        with pytest.raises(CredentialEnded):
            _ = borrowed.parts
        assert bank.audit.kinds == ["issued", "revoked"]

    asyncio.run(call())


@pytest.mark.parametrize("seed", [1, 2])
def test_a_thousand_calls_cancelled_at_random_leave_nothing_alive(seed, monkeypatch, caplog, capfd):
    """And no secret in any record or log: revocations fail at first, a slow broker, calls are cut off."""
    monkeypatch.setattr(custody, "FIRST_PAUSE_SECONDS", 0.02)
    chance = random.Random(seed)  # noqa: S311 - so that it can be run again

    async def one(bank):
        book = bank.book()
        try:
            for _ in range(chance.randint(1, 3)):
                await book.borrow("payments")
                await asyncio.sleep(chance.random() / 100)
        except CredentialUnavailable:
            pass
        finally:
            if not book.end_at_once():
                await book.end()

    async def everything():
        bank = Bank(issuing=0.002, revoking=0.001)
        bank.broker.fails = [refusal() for _ in range(50)]
        bank.broker.revocation_fails = [refusal() for _ in range(500)]
        for _ in range(10):
            calls = [asyncio.create_task(one(bank)) for _ in range(100)]
            for task in calls:
                if chance.random() < 0.6:
                    asyncio.get_running_loop().call_later(chance.random() / 50, task.cancel)
            await asyncio.gather(*calls, return_exceptions=True)
        await bank.swept()
        await bank.tellers.aclose()
        assert bank.broker.issued > 500
        assert bank.broker.alive == set()
        kinds = bank.audit.kinds
        assert kinds.count("issued") == kinds.count("revoked") == bank.broker.issued
        assert "canary" not in repr(bank.audit.events)

    caplog.set_level(0)
    asyncio.run(asyncio.wait_for(everything(), 120))
    assert all("canary" not in text for text in (caplog.text, *capfd.readouterr()))
