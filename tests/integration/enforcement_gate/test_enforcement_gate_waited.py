"""A request may wait, for its body or for a person: whoever may not be served by then is not."""

import json
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from answers_of import reason_in_audit
from house import MODERN, House, eventually, message_of
from test_enforcement_gate_approval_page import BY_APPROVERS, OLD, Person, url_of
from test_enforcement_gate_slow import begin
from test_enforcement_gate_stops import Board

from launchworthy.enforcement import exchange
from launchworthy.enforcement.workers import Workers
from launchworthy.testing.visitor import APPROVER, Visitor
from launchworthy.vocabulary import Reason, Refused

PARAMS = {"name": "add", "arguments": {"a": 1, "b": 2}}
BOARD = Board()
LOST = Refused(Reason.IDENTITY_EXPIRED, "for a test", retry_after=1)


@pytest.fixture(scope="module")
def standing(tmp_path_factory):
    how = {"edit": (OLD, BY_APPROVERS), "patience": 5.0, "control": (BOARD,)}
    with House(tmp_path_factory.mktemp("waited"), **how) as house:
        house.issuer.say_of(APPROVER, {"groups": ["leads"]})
        yield house


@pytest.fixture
def house(standing):
    yield from fresh(standing)


def fresh(standing):
    standing.shop.given.clear()
    yield standing
    standing.denied.clear()
    standing.unready, BOARD.entries = None, ()
    standing.run(standing.control.poll())
    standing.run(standing.control.poll())  # what is gone counts until a second reading misses it too


def change(house, what):
    """What an operator does, or the platform, while a request waits."""
    if what == "identity":
        house.unready = LOST
    elif what == "stop":
        BOARD.stop("wait_in_thread")
        house.run(house.control.poll())
    elif what is not None:
        house.denied.add(what)


@pytest.mark.parametrize(
    ("what", "status"), [(None, 200), ("somebody-else", 200), ("caller", 401), ("identity", 503)]
)
def test_while_its_body_comes(house, what, status):
    body = json.dumps(message_of("tools/call", PARAMS, MODERN)).encode()
    with begin(house, len(body)) as connection:
        connection.sendall(body[:40])
        time.sleep(0.2)  # the token has been verified by now: of a head alone nothing can be seen
        change(house, house.issuer.client.client_id if what == "caller" else what)
        connection.sendall(body[40:])
        answer = connection.recv(65536)
    assert int(answer.split()[1]) == status


@pytest.mark.parametrize(
    ("what", "status", "reason"),
    [
        (None, 200, None),
        ("somebody-else", 200, None),
        ("robot", 401, "token.denied"),
        ("identity", 503, "identity.expired"),
    ],
)
def test_while_a_person_is_asked(house, what, status, reason):
    robot = Person(house, "robot", person=False)
    asked = robot.ask()
    with Visitor(tls=None) as visitor, ThreadPoolExecutor(1) as threads:
        visitor.sign_in(url_of(asked), APPROVER)
        waiting = threads.submit(robot.answer, asked)
        time.sleep(0.3)
        assert not waiting.done()
        visitor.decide(url_of(asked), yes=True)
        change(house, what)
        response = waiting.result()
    assert response.status_code == status
    assert [name for name, _ in house.shop.given] == (["wipe"] if reason is None else [])
    if reason is not None:
        assert reason_in_audit(house, response)[1] == reason


@pytest.fixture(scope="module")
def standing_narrow(tmp_path_factory):
    """A house with one thread for plain functions."""
    made = []

    def one():
        made.append(Workers(places=1))
        return made[-1]

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(exchange, "Workers", one)
        with House(tmp_path_factory.mktemp("narrow"), control=(BOARD,)) as house:
            house.workers = made[0]
            yield house


@pytest.fixture
def narrow(standing_narrow):
    standing_narrow.shop.entered.clear()
    standing_narrow.shop.gate.clear()
    yield from fresh(standing_narrow)


@pytest.mark.parametrize(
    ("what", "reason"),
    [
        (None, None),
        ("somebody-else", None),
        ("queued", "token.denied"),
        ("identity", "identity.expired"),
        ("stop", "tool.stopped"),
    ],
)
def test_while_it_waits_for_a_thread(narrow, what, reason):
    queued = narrow.issuer.mint(narrow.issuer.grant(scopes=("shop:read",), subject="queued"))
    params = {"name": "wait_in_thread", "arguments": {}}
    narrow.executions.taken()
    with ThreadPoolExecutor(2) as threads:
        first = threads.submit(narrow.post, "tools/call", params)
        assert narrow.shop.entered.wait(5)
        second = threads.submit(narrow.post, "tools/call", params, token=queued)
        eventually(lambda: narrow.workers._places.statistics().tasks_waiting == 1)
        change(narrow, what)
        narrow.shop.gate.set()
        assert first.result().json()["result"]["isError"] is False
        result = second.result().json()["result"]
    assert narrow.executions.taken() == (2 if reason is None else 1)
    assert result["isError"] is (reason is not None)
    [outcome] = [one for one in narrow.story(second.result()) if one["type"] == "tool.outcome"]
    assert (outcome["outcome"], outcome.get("reason")) == ("ok" if reason is None else "cancelled", reason)
