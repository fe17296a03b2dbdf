"""A project whose tools ask somebody holds like any other; what breaks that is a mutant of a control."""

import re
from contextlib import chdir
from pathlib import Path

import pytest
from promoted_orders import PromotedOrders

from launchworthy.cli.check import open_project
from launchworthy.promotion.finding import Assertion, ControlId
from launchworthy.promotion.rehearsals.engine import run_rehearsals
from launchworthy.vocabulary import Environment

pytestmark = pytest.mark.slow
_ASKS = re.compile(r'approval +=\s"url".*\n')
_ORDERS = re.compile(r"\[tools\.place_order\]\n")
_BY_APPROVERS = 'approval = { mode = "url", by = "approvers", claim = "groups:leads", acr = ["phr"] }\n'
_ASKED = ("AZ-07", "AZ-08", "AZ-01", "AZ-02", "AZ-04", "SEC-05", "SEC-06")
_LEAKED_TO = ("another subject", "another client", "somebody who acts", "another `order_id`", "`place_order`")


@pytest.mark.parametrize("approval", ['approval = "form"\n', _BY_APPROVERS], ids=["form", "page"])
def test_a_server_that_asks_holds_everything_about_calls_and_what_they_borrow(
    tmp_path: Path, approval: str
) -> None:
    _holding(PromotedOrders.make(tmp_path), _ASKS, approval, *_ASKED)


def test_a_handle_of_one_tool_is_leaked_to_everybody_and_to_another_tool_and_is_its_owners_own_afterwards(
    tmp_path: Path,
) -> None:
    asks_too = '[tools.place_order]\napproval = "form"\n'
    found = _holding(PromotedOrders.make(tmp_path), _ORDERS, asks_too, "AZ-08")[ControlId("AZ-08")]
    refused = [each.what for each in found if each.what.startswith("`refund_order` refuses its handle")]
    for leaked_to in _LEAKED_TO:
        assert any(leaked_to in each for each in refused), leaked_to
    for tool in ("refund_order", "place_order"):
        assert any(each.twin and f"`{tool}` handle counts for its owner" in each.what for each in found)


def _holding(
    orders: PromotedOrders, line: re.Pattern[str], instead: str, *asked: str
) -> dict[ControlId, tuple[Assertion, ...]]:
    """What is said of some controls where a line of the manifests is another, all of which holds."""
    file = orders.root / "manifests" / "tools.toml"
    text, changed = line.subn(instead, file.read_text())
    assert changed == 1
    file.write_text(text)
    assert orders.launchworthy("lock").returncode == 0
    orders.commit()
    with chdir(orders.root):
        project = open_project(Environment.REHEARSAL, None, trust=orders.root / "no-trust.toml")
    rehearsed = run_rehearsals(project, frozenset(map(ControlId, asked)), lambda *_: None)
    assert rehearsed.errors == {}
    assert set(rehearsed.assertions) == set(asked)
    for control, assertions in rehearsed.assertions.items():
        assert [each.what for each in assertions if not each.holds] == [], control
    return dict(rehearsed.assertions)
