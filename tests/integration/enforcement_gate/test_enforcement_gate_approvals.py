"""A call that somebody must approve: asked once, for exactly this call, and run once by the answer."""

import asyncio
import base64
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import httpx2
import pytest
from house import LEGACY, MODERN, House
from mcp.client import Client
from mcp.client.streamable_http import streamable_http_client
from mcp.shared.exceptions import MCPError
from mcp_types import ElicitResult
from test_enforcement_gate_stops import Board

from launchworthy.approval import Redeemed
from launchworthy.enforcement.authorized import Authorized
from launchworthy.state import MemoryStore, store_unusable
from launchworthy.testing.client import Client as Asker
from launchworthy.testing.client import Refused as ClientRefused
from launchworthy.vocabulary import Reason, Refused, Secret

FORM = {
    "io.modelcontextprotocol/clientCapabilities": {"elicitation": {"form": {}}},
}
EDIT = (
    '"shop:wipe"]\napproval = "none"\napproval_reason = "a test that nobody approves"\n',
    '"shop:wipe"]\napproval = "form"\n',
)
YES = {"approval": {"action": "accept", "content": {"approve": True}}}
NO = {"approval": {"action": "decline"}}


@pytest.fixture(scope="module")
def standing(tmp_path_factory):
    with House(tmp_path_factory.mktemp("asking"), edit=EDIT) as house:
        yield house


@pytest.fixture
def asking(standing):
    """A house that has seen nothing of `wipe` yet, as far as this test can tell."""
    keys = standing.keys.newest
    standing.shop.given.clear()
    standing.begun = len(standing.records())
    yield standing
    standing.keys.newest, standing.clock = keys, time.time


class Caller:
    """One caller, whose client can show forms."""

    def __init__(self, house, subject="alice", scopes=("shop:wipe",)):
        self.house = house
        self.token = house.issuer.mint(house.issuer.grant(scopes=scopes, subject=subject))

    def send(self, tool="wipe", *, meta=FORM, revision=MODERN, arguments=None, **more):
        given = {"order_id": 7} if arguments is None else arguments
        params = {"name": tool, "arguments": given, **({"_meta": meta} if meta else {}), **more}
        return self.house.post("tools/call", params, revision=revision, token=self.token)

    def ask(self, **how):
        response = self.send(**how)
        assert response.status_code == 200, response.text
        result = response.json()["result"]
        assert result["resultType"] == "input_required"
        return result

    def answer(self, asked, responses=YES, **how):
        return self.send(inputResponses=responses, requestState=asked["requestState"], **how)


@pytest.fixture
def alice(asking):
    return Caller(asking)


def ran(house):
    return [arguments for name, arguments in house.shop.given if name == "wipe"]


def written(house):
    return [
        record for record in house.records()[getattr(house, "begun", 0) :] if record.get("target") == "wipe"
    ]


def types(house):
    return [record["type"] for record in written(house)]


def denied(response, code=403):
    assert response.status_code == 403, response.text
    error = response.json()["error"]
    assert (error["code"], error["data"]["reason"]) == (code, "denied")
    assert "www-authenticate" not in response.headers
    return True


def test_a_yes_runs_exactly_the_call_that_was_shown_and_everything_is_recorded(asking, alice):
    asked = alice.ask()
    assert ran(asking) == []
    [form] = asked["inputRequests"].values()
    assert form["method"] == "elicitation/create"
    shown = form["params"]["message"]
    for part in ("wipe (destructive)", "order_id = 7", '"alice"', asking.resource, "client"):
        assert part in shown
    assert list(form["params"]["requestedSchema"]["properties"]) == ["approve"]
    response = alice.answer(asked)
    assert response.json()["result"]["structuredContent"] == {"result": "wiped"}
    assert ran(asking) == [7]
    assert types(asking) == [
        "tool.input_required",
        "approval.requested",
        "approval.granted",
        "tool.attempt",
        "tool.outcome",
    ]
    first, requested, granted, attempt, _ = written(asking)
    assert first["rules"] == ["approval:wipe"]
    assert first["approval"] == requested["approval"] == granted["approval"]
    assert granted["asked_by"] == first["call"] != granted["call"] == attempt["call"]
    assert (granted["subject"], granted["by"], granted["approval_method"]) == ("alice", "caller", "form")
    assert attempt["durable"] is True
    assert asked["requestState"] not in asking.audit_text()


def test_the_sdks_client_shows_the_form_and_sends_the_call_again(asking, alice):
    shown = []

    async def say_yes(context, params):
        del context
        shown.append(params.message)
        return ElicitResult(action="accept", content={"approve": True})

    async def say_no(context, params):
        del context, params
        return ElicitResult(action="decline")

    async def call(say):
        headers = {"authorization": f"Bearer {alice.token}"}
        async with (
            httpx2.AsyncClient(headers=headers, trust_env=False) as http,
            Client(
                streamable_http_client(asking.resource, http_client=http),
                elicitation_callback=say,
                mode=MODERN,
            ) as client,
        ):
            try:
                return (await client.call_tool("wipe", {"order_id": 11})).structured_content
            except MCPError as refused:
                return refused.error.code

    assert asyncio.run(call(say_yes)) == {"result": "wiped"}
    assert "order_id = 11" in shown[0]
    assert asyncio.run(call(say_no)) == 403
    assert ran(asking) == [11]


def test_the_testing_client_answers_for_its_user_or_shows_them_the_question(asking, alice):
    shown = []
    for says in (True, False, lambda question: shown.append(question) or "order_id = 3" in question):
        with Asker(asking.resource, Secret(alice.token), approve=says) as client:
            for order in (2, 3):
                with suppress(ClientRefused):
                    assert client.call("wipe", order_id=order) == "wiped"
    assert ran(asking) == [2, 3, 3]
    assert len(shown) == 2


@pytest.mark.parametrize(
    "meta",
    [
        None,
        {"io.modelcontextprotocol/clientCapabilities": {"elicitation": {"url": {}}}},
        {"io.modelcontextprotocol/clientCapabilities": {"elicitation": True}},
        {"io.modelcontextprotocol/clientCapabilities": {"sampling": {}}},
    ],
)
def test_a_client_that_cannot_ask_is_told_what_it_would_need(asking, alice, meta):
    response = alice.send(meta=meta)
    assert response.status_code == 400
    error = response.json()["error"]
    assert error["code"] == -32021
    assert error["data"]["requiredCapabilities"] == {"elicitation": {"form": {}}}
    assert (ran(asking), types(asking)) == ([], ["tool.denied"])


def test_an_empty_elicitation_capability_means_forms(alice):
    alice.ask(meta={"io.modelcontextprotocol/clientCapabilities": {"elicitation": {}}})


def test_the_older_revision_has_no_way_back_so_it_is_neither_listed_nor_called(asking, alice):
    def listed(revision):
        return {
            tool["name"]
            for tool in asking.post("tools/list", revision=revision, token=alice.token).json()["result"][
                "tools"
            ]
        }

    assert "wipe" in listed(MODERN)
    assert "wipe" not in listed(LEGACY)
    assert denied(alice.send(revision=LEGACY, meta=None))
    asked = alice.ask()
    assert denied(alice.answer(asked, revision=LEGACY, meta=None))
    assert ran(asking) == []


@pytest.mark.parametrize("more", [{"confirmed": True}, {"approve": True}, {"approved": True}])
def test_a_word_among_the_arguments_approves_nothing(asking, alice, more):
    response = alice.send(arguments={"order_id": 7, **more})
    assert response.json()["result"]["isError"] is True
    alice.ask(meta={**FORM, "confirmed": True, "approved": True})
    response = alice.send(inputResponses=YES)
    assert denied(response)
    assert ran(asking) == []


@pytest.mark.parametrize(
    "responses",
    [
        None,
        {},
        [],
        {"other": YES["approval"]},
        {**YES, "other": YES["approval"]},
        {"approval": True},
        {"approval": {"action": "accept"}},
        {"approval": {"action": "accept", "content": {}}},
        {"approval": {"action": "accept", "content": {"approve": 1}}},
        {"approval": {"action": "accept", "content": {"approve": "true"}}},
        {"approval": {"action": "accept", "content": {"approve": True, "also": 1}}},
        {"approval": {"action": "approve", "content": {"approve": True}}},
    ],
)
def test_what_is_no_answer_counts_as_none_and_a_good_one_still_does(asking, alice, responses):
    asked = alice.ask()
    assert denied(alice.answer(asked, responses))
    assert ran(asking) == []
    assert alice.answer(asked).status_code == 200
    assert ran(asking) == [7]


@pytest.mark.parametrize(
    "no",
    [
        NO,
        {"approval": {"action": "cancel"}},
        {"approval": {"action": "accept", "content": {"approve": False}}},
    ],
)
def test_a_no_ends_it_and_cannot_become_a_yes(asking, alice, no):
    asked = alice.ask()
    assert denied(alice.answer(asked, no))
    assert types(asking)[-2:] == ["approval.declined", "tool.denied"]
    assert alice.answer(asked).status_code == 429
    assert types(asking)[-2:] == ["approval.replayed", "tool.denied"]
    assert ran(asking) == []


@pytest.mark.parametrize("other", [8, 7.0, True, "7"])
def test_an_approval_of_a_is_none_of_b(asking, alice, other):
    asked = alice.ask()
    response = alice.answer(asked, arguments={"order_id": other})
    assert ran(asking) == []
    if response.status_code != 200:
        assert denied(response)
        assert types(asking)[-2:] == ["approval.replayed", "tool.denied"]
        assert "arguments differs" in asking.records()[-2]["detail"]
    else:
        assert response.json()["result"]["isError"] is True
    assert alice.answer(asked).status_code == 200
    assert ran(asking) == [7]


@pytest.mark.parametrize(
    ("who", "what"),
    [
        ({"subject": "bob"}, "subject"),
        ({"subject": "alice", "scopes": ("shop:wipe", "shop:read")}, None),
    ],
)
def test_an_approval_is_the_callers_own(asking, alice, who, what):
    asked = alice.ask()
    response = Caller(asking, **who).answer(asked)
    if what is None:
        assert response.status_code == 200
    else:
        assert denied(response)
        assert what in asking.records()[-2]["detail"]
        assert ran(asking) == []


def test_an_approval_adds_to_scopes_and_replaces_none(asking, alice):
    asked = alice.ask()
    response = Caller(asking, scopes=("shop:read",)).answer(asked)
    assert response.status_code == 403
    assert response.json()["error"]["data"]["reason"] == "insufficient_scope"
    assert ran(asking) == []


def test_an_answer_counts_once_however_many_race(asking, alice):
    asked = alice.ask()
    with ThreadPoolExecutor(25) as pool:
        statuses = list(pool.map(lambda _: alice.answer(asked).status_code, range(50)))
    assert sorted(statuses) == [200] + [429] * 49
    assert ran(asking) == [7]
    assert types(asking).count("approval.granted") == 1
    assert types(asking).count("approval.replayed") == 49
    assert types(asking).count("tool.attempt") == 1


def test_an_answer_comes_in_time_or_not_at_all(asking, alice):
    asked = alice.ask()
    asking.clock = lambda: time.time() + 121
    assert denied(alice.answer(asked))
    asking.clock = lambda: time.time() - 10
    assert denied(alice.answer(asked))
    asking.clock = lambda: time.time() + 115
    assert alice.answer(asked).status_code == 200


def test_every_byte_of_the_seal_counts(asking, alice):
    asked = alice.ask()
    sealed = asked["requestState"]
    raw = bytearray(base64.urlsafe_b64decode(sealed[4:] + "=" * (-len(sealed[4:]) % 4)))
    for place in (0, 5, 17, len(raw) // 2, len(raw) - 1):
        changed = bytearray(raw)
        changed[place] ^= 1
        text = sealed[:4] + base64.urlsafe_b64encode(changed).decode().rstrip("=")
        assert denied(alice.answer({"requestState": text}))
    for wrong in (
        "",
        "lw1.",
        "lw1.AAAA",
        sealed + "A",
        sealed + "=",
        "lw2." + sealed[4:],
        "v1.x",
        "é",
        7,
        None,
        {},
    ):
        assert denied(alice.answer({"requestState": wrong}))
    assert ran(asking) == []
    assert alice.answer(asked).status_code == 200


def test_a_seal_of_another_server_opens_nothing(build, asking, alice):
    other = build(edit=EDIT)
    other.keys.newest = asking.keys.newest  # even with the same key
    assert denied(alice.answer(Caller(other).ask()))
    assert ran(asking) == []


def test_a_key_that_is_gone_opens_nothing(asking, alice):
    asked = alice.ask()
    before = asking.keys.newest
    asking.keys.newest = type(before)(kid="00000000", material=b"k" * 32)
    assert denied(alice.answer(asked))
    asking.keys.newest = before
    assert alice.answer(asked).status_code == 200


def test_a_store_that_cannot_be_asked_approves_nothing(build):
    class Broken(MemoryStore):
        dead = False
        changed = False

        async def claim(self, key, ttl):
            if self.dead:
                raise store_unusable("a test")
            await super().claim(key, ttl)

        async def generation(self):
            return "another" if self.changed else await super().generation()

    store = Broken(time.monotonic, "one")
    house = build(edit=EDIT, store=store)
    alice = Caller(house)
    asked = alice.ask()
    store.dead = True
    assert alice.answer(asked).status_code == 503
    store.dead, store.changed = False, True
    assert denied(alice.answer(asked))
    assert ran(house) == []
    store.changed = False
    assert alice.answer(alice.ask()).status_code == 200


def test_what_is_stopped_by_now_is_not_run_although_it_was_approved(build):
    board = Board()
    house = build(edit=EDIT, control=(board,))
    alice = Caller(house)
    one, two = alice.ask(), alice.ask()
    assert alice.answer(one).status_code == 200
    board.stop("wipe")
    house.run(house.control.poll())
    for response in (alice.answer(two), alice.send()):
        assert response.json()["error"]["data"]["reason"] == "stopped"
    assert ran(house) == [7]


def test_an_answer_that_a_limit_turned_away_can_be_sent_again(build):
    house = build(edit=(EDIT[0], EDIT[1] + 'rate = "1/second"\n'))
    alice = Caller(house)
    one, two = alice.ask(), alice.ask()
    assert alice.answer(one).status_code == 200
    assert alice.answer(two).status_code == 429
    deadline = time.monotonic() + 5
    while (response := alice.answer(two)).status_code == 429:
        assert time.monotonic() < deadline
    assert response.status_code == 200
    assert ran(house) == [7, 7]


def test_nothing_is_authorised_that_needs_an_approval_and_has_none(asking):
    [target] = [one.manifest for one in asking.exchange.functions.values() if one.manifest.name == "wipe"]
    how = {
        "call": "4T7K-9QX2-M0DV", "principal": None, "target": target, "decision": None, "named": "wipe",
        "unvalidated": {}, "arguments": {}, "callers_token": None, "completing": None, "lifted": frozenset(),
    }  # fmt: skip
    assert (
        Authorized(**how, approval=Redeemed(question="q", asked_by="c", age=1, approver=None)).target
        is target
    )
    with pytest.raises(Refused) as refused:
        Authorized(**how, approval=None)
    assert refused.value.reason is Reason.TOOL_APPROVAL
