"""Who is denied is refused from the next request on, remembered or not, itself or through another."""

import asyncio
from typing import Any

import pytest
from tokens_court import GOOD, Clock, Court, policy

from launchworthy.testing.issuer import SimulatedIssuer
from launchworthy.tokens import DeniableName, DenyKind, deniable_names
from launchworthy.vocabulary import Principal, Reason, Refused


class Listed:
    """A list that tests write in, which counts who was asked about."""

    def __init__(self) -> None:
        self.generation = 0
        self.names: set[DeniableName] = set()
        self.asked: list[str] = []

    def refuse(self, principal: Principal) -> None:
        self.asked.append(principal.token_id)
        if not self.names.isdisjoint(deniable_names(principal)):
            raise Refused(Reason.TOKEN_DENIED, "denied by the list")


@pytest.fixture
def listed() -> Listed:
    return Listed()


@pytest.fixture
def court(issuer: SimulatedIssuer, clock: Clock, runner: asyncio.Runner, listed: Listed) -> Any:
    made = Court(runner, clock, policy(issuer), deny=listed)
    made.start()
    yield made
    made.close()


def test_a_remembered_token_is_asked_for_denials_every_time(
    court: Court, issuer: SimulatedIssuer, listed: Listed
) -> None:
    token = issuer.mint()
    assert (court.outcome(token), court.outcome(token)) == (GOOD, GOOD)
    listed.names.add(DeniableName(DenyKind.SUBJECT, issuer.issuer, issuer.client.client_id))
    assert court.outcome(token) == Reason.TOKEN_DENIED
    listed.names.clear()
    assert court.outcome(token) == GOOD
    assert len(listed.asked) == 4


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        (DenyKind.TOKEN, "the-token"),
        (DenyKind.SUBJECT, "alice"),
        (DenyKind.CLIENT, "agent"),
        (DenyKind.SUBJECT, "outer"),
        (DenyKind.CLIENT, "outer"),
        (DenyKind.SUBJECT, "innermost"),
        (DenyKind.CLIENT, "innermost"),
    ],
)
def test_every_name_of_a_caller_and_of_who_acts_for_it_can_be_denied(
    court: Court, issuer: SimulatedIssuer, listed: Listed, kind: DenyKind, value: str
) -> None:
    act = {"sub": "outer", "act": {"sub": "inner", "act": {"sub": "innermost"}}}
    token = issuer.mint(claims={"jti": "the-token", "sub": "alice", "client_id": "agent", "act": act})
    listed.names = {
        DeniableName(kind, "https://other.example", value),
        DeniableName(kind, issuer.issuer, value + "x"),
        DeniableName(kind, issuer.issuer, value.upper()),
    }
    assert court.outcome(token) == GOOD
    listed.names.add(DeniableName(kind, issuer.issuer, value))
    assert court.outcome(token) == Reason.TOKEN_DENIED


def test_a_token_that_is_not_good_is_not_asked_about(
    court: Court, issuer: SimulatedIssuer, listed: Listed
) -> None:
    assert court.outcome(issuer.mint(claims={"exp": 1})) == Reason.TOKEN_EXPIRED
    assert court.outcome(issuer.mint(signature=lambda _: bytes(64))) == Reason.TOKEN_SIGNATURE
    assert listed.asked == []
    assert court.outcome(issuer.mint()) == GOOD
    assert len(listed.asked) == 1


def test_denials_that_cannot_be_asked_refuse(court: Court, issuer: SimulatedIssuer, listed: Listed) -> None:
    token = issuer.mint()
    assert court.outcome(token) == GOOD
    listed.names = None  # type: ignore[assignment]
    assert court.outcome(token) == Reason.INTERNAL


def test_a_change_of_the_list_drops_what_was_remembered(
    court: Court, issuer: SimulatedIssuer, listed: Listed, clock: Clock
) -> None:
    token = issuer.mint()
    assert court.outcome(token) == GOOD
    remembered = court.verifier._verified
    now = int(clock.wall())
    [digest] = remembered._entries
    assert remembered.find(digest, 0, now) is not None
    listed.generation = 1
    assert remembered.find(digest, 1, now) is None
    assert court.outcome(token) == GOOD
    assert remembered.find(digest, 1, now) is not None
