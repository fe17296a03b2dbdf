"""What the template renders is cleared once it is filled in, and held until then by what asks a person."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import Render
from rendering import MATRIX, ROOT

sys.path.insert(0, str(ROOT / "tests" / "integration" / "promotion_rehearsals"))
from promoted_orders import PromotedOrders

ASKS_A_PERSON = {
    "orders": {"GOV-01"},
    "orders, a token file": {"GOV-01"},
    "orders, no Kubernetes": {"GOV-01"},
    "orders, a token file, no Kubernetes": {"GOV-01", "ID-01"},
    "all left for later": {"GOV-01", "ID-01", "TOK-04"},
    "the longest name": {"GOV-01", "ID-01", "TOK-04"},
}
"""Who is on call; and, where the questions were not answered, whose identity and which address it has."""
ASKED_IN_PRODUCTION = {"TR-05", "GOV-03", "GOV-07", "SUP-04"}
"""Evidence that somebody must gather: a look at staging, the inventory, the handover, the container."""


def judged(project: PromotedOrders, *command: str) -> tuple[int, dict[str, str]]:
    """The exit code, and how each control came out."""
    done: subprocess.CompletedProcess[str] = project.launchworthy(*command, "--format", "json")
    assert done.stdout, done.stderr
    findings = json.loads(done.stdout)["findings"]
    return done.returncode, {each["control"]: each["status"] for each in findings}


def held_by(statuses: dict[str, str]) -> set[str]:
    return {control for control, status in statuses.items() if status not in {"pass", "not_applicable"}}


@pytest.mark.parametrize("case", MATRIX)
def test_an_unmodified_rendering_is_held_by_what_asks_a_person(
    case: str, render: Render, tmp_path: Path
) -> None:
    project = PromotedOrders.begun(tmp_path, render(case))
    assert project.launchworthy("lock").returncode == 0
    project.commit()
    code, statuses = judged(project, "check")
    assert (code, held_by(statuses)) == (1, ASKS_A_PERSON[case] | ASKED_IN_PRODUCTION)


@pytest.mark.slow
@pytest.mark.parametrize("case", MATRIX)
def test_a_rendering_that_is_filled_in_is_cleared(case: str, render: Render, tmp_path: Path) -> None:
    project = PromotedOrders.make(tmp_path, rendered=render(case))
    code, statuses = judged(project, "promote", "--environment", "rehearsal")
    assert (code, held_by(statuses)) == (0, set())
    if case == "orders":
        again = judged(project, "promote", "--environment", "rehearsal")
        assert again == (code, statuses), "the same verdict, control by control"
