"""A project with two issuers holds like any other, and each of them is told from the other."""

from contextlib import chdir
from pathlib import Path

import pytest
from promoted_orders import PromotedOrders

from launchworthy.cli.check import open_project
from launchworthy.promotion.finding import ControlId
from launchworthy.promotion.rehearsals.engine import run_rehearsals
from launchworthy.vocabulary import Environment

pytestmark = pytest.mark.slow
_PARTNERS = """
[issuers.partners]
issuer       = "https://partners.acme.example"
algorithms   = ["ES256"]
max_lifetime = "30m"
"""
_ASKED = ("TOK-03", "KEY-03", "TOK-07", "TOK-10", "KEY-04", "KEY-07", "ID-06")


def with_partners(directory: Path) -> PromotedOrders:
    """The example, whose production takes tokens of a second issuer."""
    orders = PromotedOrders.make(directory)
    with (orders.root / "config" / "production.toml").open("a") as end:
        end.write(_PARTNERS)
    orders.commit()
    return orders


def test_no_issuer_speaks_for_another_and_none_takes_another_with_it(tmp_path: Path) -> None:
    orders = with_partners(tmp_path)
    with chdir(orders.root):
        project = open_project(Environment.REHEARSAL, None, trust=orders.root / "no-trust.toml")
    rehearsed = run_rehearsals(project, frozenset(map(ControlId, _ASKED)), lambda *_: None)
    assert rehearsed.errors == {}
    assert set(rehearsed.assertions) == set(_ASKED)
    for control, assertions in rehearsed.assertions.items():
        assert [each.what for each in assertions if not each.holds] == [], control
    said = {control: [each.what for each in seen] for control, seen in rehearsed.assertions.items()}
    for asked, what in (
        ("TOK-03", "and not for `callers`: 401 invalid_token, nothing ran (token.kid)"),
        ("TOK-03", "and not for `partners`: 401 invalid_token, nothing ran (token.signature)"),
        ("KEY-03", "and past the end of the keys of `partners` too"),
    ):
        assert what in said[ControlId(asked)], said[ControlId(asked)]


def test_with_one_issuer_nothing_is_said_of_several(orders: PromotedOrders) -> None:
    with chdir(orders.root):
        project = open_project(Environment.REHEARSAL, None, trust=orders.root / "no-trust.toml")
    rehearsed = run_rehearsals(project, frozenset({ControlId("TOK-03")}), lambda *_: None)
    assert rehearsed.errors == {}
    said = [each.what for each in rehearsed.assertions[ControlId("TOK-03")]]
    assert said
    assert not any("and not for" in each for each in said)
