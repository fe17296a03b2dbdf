"""The catalogue and the code are of one piece, and every control is somewhere."""

import pytest

from launchworthy.promotion.control import FAMILIES, load_catalogue, to_come
from launchworthy.promotion.registry import whole_registry
from launchworthy.vocabulary import Environment

_SEVENTY = """
ID-01 ID-02 ID-03 ID-04 ID-05 ID-06 TOK-01 TOK-02 TOK-03 TOK-04 TOK-05 TOK-06 TOK-07 TOK-08 TOK-09 TOK-10
KEY-01 KEY-02 KEY-03 KEY-04 KEY-05 KEY-06 KEY-07 TR-01 TR-02 TR-03 TR-04 TR-05 TR-06 AZ-01 AZ-02 AZ-03 AZ-04
AZ-05 AZ-06 AZ-07 AZ-08 AZ-09 AZ-10 TL-01 TL-02 TL-03 TL-04 TL-05 SEC-01 SEC-02 SEC-03 SEC-04 SEC-05 SEC-06
SEC-07 AUD-01 AUD-02 AUD-03 AUD-04 GOV-01 GOV-02 GOV-03 GOV-04 GOV-05 GOV-06 GOV-07 SUP-01 SUP-02 SUP-03
SUP-04 SUP-05 META-01 META-02 META-03
"""
SEVENTY = _SEVENTY.split()
PREFIXES = {
    "identity": {"ID"},
    "tokens": {"TOK"},
    "keys": {"KEY"},
    "transport": {"TR"},
    "tools and scopes": {"AZ", "TL"},
    "secrets": {"SEC"},
    "audit": {"AUD"},
    "ownership": {"GOV"},
    "build and the gate": {"SUP", "META"},
}
CATALOGUE = load_catalogue()


def test_each_of_the_seventy_is_decided_or_to_come_and_never_both():
    assert len(SEVENTY) == 70
    decided, coming = [control.id for control in CATALOGUE], list(to_come())
    assert sorted(decided + coming) == sorted(SEVENTY)


def test_what_is_in_the_catalogue_is_decided_and_nothing_else_is():
    assert {control.id for control in CATALOGUE} == set(whole_registry().decided())


@pytest.mark.parametrize("control", CATALOGUE, ids=lambda control: control.id)
def test_every_control_says_what_people_need(control):
    assert control.id.partition("-")[0] in PREFIXES[control.family]
    assert not control.title.endswith(".")
    assert control.why.endswith((".", "?"))
    assert control.holds.endswith(".")
    assert not control.fix.endswith(".")
    assert control.references
    assert "\n" not in control.why + control.holds + control.fix
    assert Environment.PRODUCTION in control.environments
    assert Environment.REHEARSAL not in control.environments


def test_only_what_a_person_can_answer_for_may_be_waived():
    may = {"GOV", "SUP"}
    for control in CATALOGUE:
        if control.waivable:
            assert control.id.partition("-")[0] in may or control.id in {"TL-03", "TR-02"}
    assert not next(control for control in CATALOGUE if control.id == "GOV-06").waivable


def test_families_are_shown_in_the_order_of_the_catalogue():
    shown = [control.family for control in CATALOGUE]
    assert shown == sorted(shown, key=FAMILIES.index)
