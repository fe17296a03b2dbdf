"""Under a grant a call runs that a rule forbids, with a record of its own; everything else is as it was."""

import time
from typing import Any

import pytest
from house import LEGACY, House
from test_enforcement_gate_approvals import EDIT, YES, Caller
from test_enforcement_gate_stops import Board

from launchworthy.audit import AuditUnwritable
from launchworthy.audit.events import BreakglassUsed
from launchworthy.enforcement.authorized import Authorized
from launchworthy.state.control import Action, Entry, GrantTerms
from launchworthy.vocabulary import Refused

RULE, ASKS = "team:no-large-sums", "approval:wipe"


class Grants(Board):
    """A board for grants; everybody who is asked says that two people have approved them."""

    def grant(
        self,
        house: House,
        *lifts: str,
        subject: str = "alice",
        targets: tuple[str, ...] = ("add", "wipe"),
        name: str = "grant-1",
        seconds: int = 3600,
    ) -> None:
        now = int(time.time())
        entry = Entry(
            id=name, action=Action.GRANT, targets=targets, name=None, who="@acme/on-call", why="INC-77",
            since=now - 5, until=now + seconds, source="board",
            grant=GrantTerms(
                server=house.resource, issuer=house.issuer.issuer, subject=subject,
                client=house.issuer.client.client_id, lifts=lifts, incident="INC-77", approvals=("a", "b"),
            ),
        )  # fmt: skip
        self.entries = (*self.entries, entry)
        house.run(house.control.poll())


@pytest.fixture
def board() -> Grants:
    return Grants()


@pytest.fixture
def house(build: Any, board: Grants) -> House:
    return build(control=(board,), judge=lambda _: ("grace", "alan"), edit=EDIT, check_seconds=0.02)


def add(house: House, a: int = 1000, **how: Any) -> Any:
    caller = Caller(house, scopes=how.pop("scopes", ("shop:read",)), subject=how.pop("subject", "alice"))
    return caller.send("add", arguments={"a": a, "b": 2}, **how)


def kinds(house: House, response: Any) -> list[str]:
    return [each["type"] for each in house.story(response)]


def denied(response: Any) -> bool:
    return response.status_code == 403 and response.json()["error"]["data"]["reason"] == "denied"


def test_a_call_that_needs_a_grant_runs_and_says_so(house: House, board: Grants) -> None:
    assert denied(add(house))
    board.grant(house, RULE)
    response = add(house)
    assert response.json()["result"]["structuredContent"] == {"result": 1002}
    used, attempt, _ = house.story(response)
    assert kinds(house, response) == ["breakglass.used", "tool.attempt", "tool.outcome"]
    assert (used["grant"], used["incident"], used["lifted"], used["approvers"]) == (
        "grant-1", "INC-77", [RULE], ["grace", "alan"],
    )  # fmt: skip
    assert (used["subject"], used["target"], attempt["durable"]) == ("alice", "add", True)


def test_each_use_is_a_record_and_what_needs_no_grant_is_none(house: House, board: Grants) -> None:
    board.grant(house, RULE)
    for _ in range(3):
        assert add(house).status_code == 200
    assert add(house, a=1).status_code == 200
    used = [each for each in house.records() if each["type"] == "breakglass.used"]
    assert len(used) == 3
    assert len({each["call"] for each in used}) == 3


def test_nobody_else_profits_by_it_and_nothing_is_kept(house: House, board: Grants) -> None:
    board.grant(house, RULE)
    assert add(house).status_code == 200
    assert denied(add(house, subject="bob"))
    board.entries = ()
    house.run(house.control.poll())
    assert denied(add(house))


def test_it_ends_at_its_time_without_another_reading(house: House, board: Grants) -> None:
    board.grant(house, RULE, seconds=60)
    assert add(house).status_code == 200
    house.clock = lambda: time.time() + 61
    assert denied(add(house))


def test_a_token_a_scope_a_stop_and_a_limit_are_as_they_were(house: House, board: Grants) -> None:
    board.grant(house, RULE, ASKS)
    assert add(house).status_code == 200
    assert add(house, scopes=("shop:write",)).json()["error"]["data"]["reason"] == "insufficient_scope"
    grants = board.entries
    board.stop("add")
    board.entries += grants
    house.run(house.control.poll())
    assert add(house).json()["error"]["data"]["reason"] == "stopped"
    stranger = house.post("tools/call", {"name": "add", "arguments": {"a": 1000, "b": 2}}, token="a.b.c")
    assert stranger.status_code == 401


def test_a_target_that_it_does_not_name_is_as_it_was(house: House, board: Grants) -> None:
    board.grant(house, RULE, targets=("wipe",))
    assert denied(add(house))


def test_a_rule_that_it_does_not_name_is_as_it_was(house: House, board: Grants) -> None:
    board.grant(house, "team:other", ASKS)
    assert denied(add(house))


def test_nobody_is_asked_where_that_is_lifted(house: House, board: Grants) -> None:
    alice = Caller(house)
    assert alice.ask()
    board.grant(house, ASKS)
    response = alice.send()
    assert response.json()["result"]["structuredContent"] == {"result": "wiped"}
    assert kinds(house, response) == ["breakglass.used", "tool.attempt", "tool.outcome"]
    assert alice.send(revision=LEGACY, meta=None).status_code == 200
    assert Caller(house, "bob").ask()


def test_a_grant_that_lifts_a_rule_still_asks_somebody(build: Any, board: Grants) -> None:
    rules = b'@id("team:no-wiping") @says("no")\nforbid (principal, action == Action::"wipe", resource);\n'
    house = build(control=(board,), judge=lambda _: ("grace", "alan"), edit=EDIT, rules=rules)
    alice = Caller(house)
    assert denied(alice.send())
    board.grant(house, "team:no-wiping")
    asked = alice.ask()
    response = alice.answer(asked, YES)
    assert response.status_code == 200
    assert kinds(house, response) == ["approval.granted", "breakglass.used", "tool.attempt", "tool.outcome"]
    assert denied(Caller(house, "bob").send())
    again = alice.ask()
    board.entries = ()
    house.run(house.control.poll())
    assert denied(alice.answer(again, YES))


def test_two_grants_that_are_needed_are_both_told(build: Any, board: Grants) -> None:
    rules = b'@id("team:no-wiping") @says("no")\nforbid (principal, action == Action::"wipe", resource);\n'
    house = build(control=(board,), judge=lambda _: ("grace", "alan"), edit=EDIT, rules=rules)
    board.grant(house, "team:no-wiping")
    board.grant(house, ASKS, "team:no-wiping", name="grant-2")
    response = Caller(house).send()
    used = [each for each in house.story(response) if each["type"] == "breakglass.used"]
    assert [(each["grant"], each["lifted"]) for each in used] == [
        ("grant-1", ["team:no-wiping"]), ("grant-2", [ASKS]),
    ]  # fmt: skip


def test_what_cannot_be_recorded_does_not_run(build: Any, board: Grants) -> None:
    class Full:
        """A stream that has no room for the use of a grant."""

        def __init__(self, stream: Any) -> None:
            self._stream = stream

        def __getattr__(self, name: str) -> Any:
            return getattr(self._stream, name)

        async def record_durable(self, event: Any, **how: Any) -> None:
            if isinstance(event, BreakglassUsed):
                raise AuditUnwritable("no room")
            await self._stream.record_durable(event, **how)

    house = build(control=(board,), judge=lambda _: ("grace", "alan"), audit=Full)
    board.grant(house, RULE)
    assert add(house).status_code == 503
    assert add(house, a=1).status_code == 200
    assert not [each for each in house.records() if each["type"] == "tool.attempt" and each.get("durable")]


def test_one_that_nobody_approved_lifts_nothing(build: Any, board: Grants) -> None:
    house = build(control=(board,))
    board.grant(house, RULE)
    assert denied(add(house))
    assert add(house, a=1).status_code == 200


@pytest.mark.parametrize(("lifted", "runs"), [({ASKS}, True), ({RULE}, False), (set(), False)])
def test_only_the_demand_for_a_yes_being_lifted_stands_for_one(
    house: House, lifted: set[str], *, runs: bool
) -> None:
    [target] = [one.manifest for one in house.exchange.functions.values() if one.manifest.name == "wipe"]
    how: dict[str, Any] = {
        "call": "4T7K-9QX2-M0DV", "principal": None, "target": target, "decision": None, "named": "wipe",
        "unvalidated": {}, "arguments": {}, "callers_token": None, "completing": None, "approval": None,
    }  # fmt: skip
    if runs:
        assert Authorized(**how, lifted=frozenset(lifted)).target is target
        return
    with pytest.raises(Refused, match="nobody has approved it"):
        Authorized(**how, lifted=frozenset(lifted))
