"""A project whose refunds ask somebody: AZ-07 holds, and holds the promotion where a yes counts for more."""

import re
from contextlib import chdir
from dataclasses import dataclass
from pathlib import Path

import pytest
from promoted_orders import PromotedOrders, environ
from test_promotion_rehearsals_mutants import Mutant, broken, held

from launchworthy.cli.check import open_project
from launchworthy.promotion.building import build_and_install
from launchworthy.promotion.project import Project
from launchworthy.vocabulary import Environment

pytestmark = pytest.mark.slow
_ASKS_NOBODY = re.compile(r'approval +=\s"none".*\napproval_reason = "[^"]*"\n')
_USED_UP = 'state_key(KeyPurpose.CLAIM, "approval", question.nonce)'
_SOMETHING_ELSE = "state_key(KeyPurpose.CLAIM, str(self._random_bits(64)))"
MUTANTS = (
    Mutant(
        control="AZ-07",
        edits=(("approval/asked_call.py", '{"given": self.given, "filled": self._filled()}', '"any"'),),
    ),
    Mutant(control="AZ-07", edits=(("approval/approvals.py", _USED_UP, _SOMETHING_ELSE),)),
)


@dataclass(frozen=True, kw_only=True)
class Asking:
    """A project that asks, and the framework as it is installed where it is rehearsed."""

    project: Project
    runtime: Path


@pytest.fixture(scope="module")
def asking(tmp_path_factory: pytest.TempPathFactory) -> Asking:
    orders = PromotedOrders.make(tmp_path_factory.mktemp("asking"))
    file = orders.root / "manifests" / "tools.toml"
    text, changed = _ASKS_NOBODY.subn('approval  = "form"\n', file.read_text())
    assert changed == 1
    file.write_text(text)
    assert orders.launchworthy("lock").returncode == 0
    orders.commit()
    with chdir(orders.root):
        project = open_project(Environment.REHEARSAL, None, trust=orders.root / "no-trust.toml")
    built = build_and_install(project.root, python=project.python, environ=environ())
    [installed] = built.python.parents[1].glob("lib/*/site-packages/launchworthy")
    return Asking(project=project, runtime=installed)


def test_a_server_that_asks_holds_everything_about_calls_and_what_they_borrow(asking: Asking) -> None:
    assert held(asking.project, "AZ-07", "AZ-01", "AZ-02", "AZ-04", "SEC-05", "SEC-06") == set()


@pytest.mark.parametrize("mutant", MUTANTS, ids=["other-arguments", "answer-without-nonce"])
def test_a_yes_that_counts_for_more_holds_the_promotion(asking: Asking, mutant: Mutant) -> None:
    with broken(asking.runtime, mutant):
        assert held(asking.project, "AZ-07", "TR-02") == {"AZ-07"}
