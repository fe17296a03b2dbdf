"""A request may wait, for its body or for a person: whoever may not be served by then is not."""

import json
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from answers_of import reason_in_audit
from house import MODERN, House, message_of
from test_enforcement_gate_approval_page import BY_APPROVERS, OLD, Person, url_of
from test_enforcement_gate_slow import begin

from launchworthy.testing.visitor import APPROVER, Visitor
from launchworthy.vocabulary import Reason, Refused

PARAMS = {"name": "add", "arguments": {"a": 1, "b": 2}}
LOST = Refused(Reason.IDENTITY_EXPIRED, "for a test", retry_after=1)


@pytest.fixture(scope="module")
def standing(tmp_path_factory):
    with House(tmp_path_factory.mktemp("waited"), edit=(OLD, BY_APPROVERS), patience=5.0) as house:
        house.issuer.say_of(APPROVER, {"groups": ["leads"]})
        yield house


@pytest.fixture
def house(standing):
    standing.shop.given.clear()
    yield standing
    standing.denied.clear()
    standing.unready = None


def change(house, what):
    """What an operator does, or the platform, while a request waits."""
    if what == "identity":
        house.unready = LOST
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
