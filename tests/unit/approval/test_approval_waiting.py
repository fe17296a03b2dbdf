"""What waits for a person: at its own address, under our seal, answered once; and shown whole, as text."""

import asyncio
import secrets
from contextlib import nullcontext
from dataclasses import replace
from html.parser import HTMLParser

import pytest
from test_approval_terms import ASKED_BY, CALL, PRINCIPAL, RESOURCE, Ring, approvals

from launchworthy.approval import Approver, NobodyToAsk, NotAnswered, Sealed, Standing, StateSeal, WaitingRoom
from launchworthy.approval.page.cookies import Cookies, Visit
from launchworthy.approval.page.markup import Pages
from launchworthy.approval.page.reading import read_cookies, read_form, read_query
from launchworthy.approval.waiting import _key
from launchworthy.approval.who_answers import check_may_answer, check_somebody_to_ask
from launchworthy.manifest import BY_PAGE, ApproverClaim
from launchworthy.state import MemoryStore
from launchworthy.tokens.id_tokens import SignedIn
from launchworthy.vocabulary import PrincipalKind

ALICE = Approver(issuer=PRINCIPAL.issuer, subject="alice")
APPROVERS = replace(BY_PAGE, by="approvers", claim=ApproverClaim(name="groups", value="leads"))


class Desk:
    """A room, and who asks."""

    def __init__(self, generation="one"):
        self.ring = Ring(1)
        self.store = MemoryStore(lambda: 0.0, generation)
        self.room = WaitingRoom(self.seal(Sealed.WAITING), self.store)

    def seal(self, kind, resource=RESOURCE):
        return StateSeal(self.ring, resource, kind, secrets.randbits)

    def ask(self, call=CALL, rule=BY_PAGE):
        ours = approvals(self.ring, store=self.store)
        question, _ = asyncio.run(ours.ask(call, ASKED_BY, 1000, on_page=True))
        return asyncio.run(self.room.open(question, call, rule, "destructive"))

    def find(self, handle):
        return asyncio.run(self.room.find(handle))

    def answer(self, found, standing=Standing.APPROVED):
        return asyncio.run(self.room.answer(found, standing, ALICE))


def test_what_waits_comes_back_as_it_was_and_nothing_of_it_can_be_read():
    desk = Desk()
    waiting = desk.ask(rule=replace(APPROVERS, acr=("phr",), max_age=30))
    found = desk.find(waiting.handle)
    assert found.waiting == waiting
    assert len(waiting.handle) == 32
    for secret in (b"alice", b"refund", waiting.handle.encode()):
        assert secret not in found.read
    assert waiting.handle not in repr(waiting)


def test_an_answer_is_given_once():
    desk = Desk()
    handle = desk.ask().handle
    first, second = desk.find(handle), desk.find(handle)
    desk.answer(first, Standing.DECLINED)
    for late in (second, desk.find(handle)):
        with pytest.raises(NotAnswered, match="answered before"):
            desk.answer(late)
    assert (desk.find(handle).waiting.standing, desk.find(handle).waiting.approver) == (
        Standing.DECLINED,
        ALICE,
    )


def test_a_record_that_was_moved_or_written_by_somebody_else_is_none():
    desk = Desk()
    one, two = desk.ask(), desk.ask()
    approved = desk.answer(desk.find(one.handle))
    taken = asyncio.run(desk.store.get(_key(approved.handle)))
    there = asyncio.run(desk.store.get(_key(two.handle)))
    asyncio.run(desk.store.compare_and_set(_key(two.handle), there, taken))
    with pytest.raises(NotAnswered, match="belongs elsewhere"):
        desk.find(two.handle)
    for forged in (
        b"{}",
        b"\xff",
        desk.seal(Sealed.QUESTION).seal(b"{}").encode(),
        desk.seal(Sealed.WAITING, "https://other.acme.example/mcp").seal(b"{}").encode(),
    ):
        kept = asyncio.run(desk.store.get(_key(two.handle)))
        asyncio.run(desk.store.compare_and_set(_key(two.handle), kept, forged))
        with pytest.raises(NotAnswered):
            desk.find(two.handle)
    assert desk.find(one.handle).waiting.standing is Standing.APPROVED


def test_a_store_that_has_begun_anew_takes_no_answer():
    desk = Desk()
    found = desk.find(desk.ask().handle)
    desk.store._generation = "two"
    with pytest.raises(NotAnswered, match="has changed since"):
        desk.answer(found)
    desk.store._generation = "one"
    desk.answer(found)


@pytest.mark.parametrize("rule", [BY_PAGE, APPROVERS])
def test_whoever_is_asked_can_be_told_from_the_caller(rule):
    check_somebody_to_ask(rule, PRINCIPAL, PRINCIPAL.issuer)
    with pytest.raises(NobodyToAsk, match="another issuer"):
        check_somebody_to_ask(rule, PRINCIPAL, "https://login.other.example")


def test_a_machine_has_approvers_and_no_caller_to_ask():
    machine = replace(PRINCIPAL, kind=PrincipalKind.MACHINE)
    check_somebody_to_ask(APPROVERS, machine, machine.issuer)
    with pytest.raises(NobodyToAsk, match="no person"):
        check_somebody_to_ask(BY_PAGE, machine, machine.issuer)


LEADS = {"groups": ["leads"]}


@pytest.mark.parametrize(
    ("tenant", "claim", "said", "may"),
    [
        (None, None, LEADS, True),
        ("a", "tenant", {**LEADS, "tenant": "a"}, True),
        ("a", "tenant", {**LEADS, "tenant": ["b", "a"]}, True),
        ("a", "tenant", {**LEADS, "tenant": "b"}, False),
        ("a", "tenant", {**LEADS, "tenant": "A"}, False),
        ("a", "tenant", LEADS, False),
        ("a", None, {**LEADS, "tenant": "a"}, False),
        ("a", "tenant", {"tenant": "a"}, False),
    ],
)
def test_an_approver_is_of_the_callers_tenant(tenant, claim, said, may):
    waiting = Desk().ask(replace(CALL, principal=replace(PRINCIPAL, tenant=tenant)), APPROVERS)
    lead = SignedIn(issuer=PRINCIPAL.issuer, subject="lead", at=1000, tenant_claim=claim, claims=said)
    with nullcontext() if may else pytest.raises(NotAnswered):
        check_may_answer(waiting, lead)


class Seen(HTMLParser):
    """What a browser makes of a page: its elements, and its text."""

    def __init__(self, page):
        super().__init__()
        self.tags, self.text = [], ""
        self.feed(page.decode())

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data):
        self.text += data


TEXT = frozenset({"main", "p", "strong", "h1", "h2", "dl", "dt", "dd", "code", "span"})
TABLE = frozenset({"table", "tbody", "tr", "th", "td"})
TAGS = TEXT | TABLE | {"html", "head", "meta", "title", "style", "body", "form", "input", "button"}
NASTY = {
    "plain": "x" * 3000,
    "markup": "</code><script>alert(1)</script><img src=x onerror=alert(1)>",
    "quotes": "\"'` onmouseover=alert(1)",
    "bidi": "refund \u202e0001\u202c euros",
    "invisible": "a\u200bb\u00adc\u00a0d\ne\tf\x07g\u0301",
    "number": 10**17,
    "nothing": None,
    "list": [1, {"deep": ["<b>"]}, True],
    "empty": "",
}


def test_every_argument_is_on_the_page_whole_and_is_text():
    desk = Desk()
    call = replace(
        CALL, given=NASTY, arguments=NASTY, principal=replace(PRINCIPAL, client='<b>"x"</b>\u202e')
    )
    waiting = desk.ask(call)
    visit = Visit(
        handle=waiting.handle, issuer="i", subject="<i>s</i>", known_as="<u>me</u>\u202e", signed_in_at=1,
        token="t",
    )  # fmt: skip
    pages = Pages(title="A & <B>", resource=RESOURCE, host="login.acme.example")
    seen = Seen(pages.question(waiting, visit))
    assert {tag for tag, _ in seen.tags} <= TAGS
    for name, value in waiting.arguments:
        assert name in seen.text
        assert value in seen.text
    assert "x" * 3000 in seen.text
    for written in (r"\u202e0001\u202c", r"a\u200bb\u00adc\u00a0d\ne\tf\u0007g\u0301"):
        assert written in seen.text
    assert all(character.isprintable() for character in seen.text.replace("\n", ""))
    assert not [attrs for _, attrs in seen.tags if any(name.startswith("on") for name in attrs)]
    shown = pages.invitation(waiting).decode()
    assert "arguments" not in shown.lower()
    assert "alice" not in shown


def test_a_secure_server_has_cookies_that_only_it_can_set():
    desk = Desk()
    cookies = Cookies(desk.seal(Sealed.SIGN_IN), desk.seal(Sealed.VISIT), secure=True)
    visit = Visit(handle="0" * 32, issuer="i", subject="s", known_as="", signed_in_at=1, token="t")
    said = cookies.visit(visit).decode()
    assert said.startswith("__Host-approval-visit-")
    assert said.endswith("; Path=/; Max-Age=120; Secure; HttpOnly; SameSite=Lax")
    name, _, value = said.partition(";")[0].partition("=")
    assert cookies.visitor({name: value}, "0" * 32) == visit
    other = cookies.visit(replace(visit, handle="1" * 32)).decode().partition(";")[0].partition("=")
    for wrong in ({}, {name: other[2]}, {name: value[:-4] + "AAAA"}, {name: ""}):
        with pytest.raises(NotAnswered):
            cookies.visitor(wrong, "0" * 32)
    plain = Cookies(desk.seal(Sealed.SIGN_IN), desk.seal(Sealed.VISIT), secure=False).visit(visit).decode()
    assert plain.startswith("approval-visit-")
    assert "Secure" not in plain


def test_what_says_something_twice_says_nothing():
    assert read_query(b"a=1&b=%20") == {"a": "1", "b": " "}
    assert read_query(b"") == {}
    for query in (
        b"a=1&a=2",
        b"a",
        b"&".join(b"a%d=1" % each for each in range(20)),
        b"a=%ff",
        b"\xff=1",
        b"a=" + b"x" * 9000,
    ):
        with pytest.raises(NotAnswered):
            read_query(query)
    with pytest.raises(NotAnswered):
        read_form(b"token=1&token=2")
    assert read_cookies([b"a=1; b=2", b"c=3; b=4; d"]) == {"a": "1", "c": "3"}
