"""A project whose refunds ask somebody holds like any other; what breaks that is a mutant of AZ-07."""

import re
from contextlib import chdir
from pathlib import Path

import pytest
from promoted_orders import PromotedOrders

from launchworthy.cli.check import open_project
from launchworthy.promotion.finding import ControlId
from launchworthy.promotion.rehearsals.engine import run_rehearsals
from launchworthy.vocabulary import Environment

pytestmark = pytest.mark.slow
_ASKS = re.compile(r'approval +=\s"url".*\n')
_BY_APPROVERS = 'approval = { mode = "url", by = "approvers", claim = "groups:leads", acr = ["phr"] }\n'
_ASKED = ("AZ-07", "AZ-01", "AZ-02", "AZ-04", "SEC-05", "SEC-06")


@pytest.mark.parametrize("approval", ['approval = "form"\n', _BY_APPROVERS], ids=["form", "page"])
def test_a_server_that_asks_holds_everything_about_calls_and_what_they_borrow(
    tmp_path: Path, approval: str
) -> None:
    orders = PromotedOrders.make(tmp_path)
    file = orders.root / "manifests" / "tools.toml"
    text, changed = _ASKS.subn(approval, file.read_text())
    assert changed == 1
    file.write_text(text)
    assert orders.launchworthy("lock").returncode == 0
    orders.commit()
    with chdir(orders.root):
        project = open_project(Environment.REHEARSAL, None, trust=orders.root / "no-trust.toml")
    rehearsed = run_rehearsals(project, frozenset(map(ControlId, _ASKED)), lambda *_: None)
    assert rehearsed.errors == {}
    assert set(rehearsed.assertions) == set(_ASKED)
    for control, assertions in rehearsed.assertions.items():
        assert [each.what for each in assertions if not each.holds] == [], control
