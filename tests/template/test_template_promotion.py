"""What the template renders is cleared once it is filled in, and held until then by what asks a person."""

import contextlib
import json
import shutil
import sys
import tomllib
from pathlib import Path

import pytest
from rendering import MATRIX, ROOT
from typer.testing import CliRunner

from conftest import Render
from launchworthy.cli.main import app

sys.path[:0] = [
    str(ROOT / "tests" / "integration" / "promotion_rehearsals"),
    str(ROOT / "tests" / "unit" / "promotion"),
]
from promoted_orders import ANSWERS, PromotedOrders  # noqa: E402 - they lie beside the tests of the gate
from promotion_project import UV_LOCK, commit, environment_of  # noqa: E402

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


def statuses_in(report: str) -> dict[str, str]:
    """How each control came out."""
    return {each["control"]: each["status"] for each in json.loads(report)["findings"]}


def held_by(statuses: dict[str, str]) -> set[str]:
    return {control for control, status in statuses.items() if status not in {"pass", "not_applicable"}}


@pytest.fixture(params=MATRIX)
def unmodified(request: pytest.FixtureRequest, render: Render, tmp_path: Path) -> tuple[str, Path]:
    """A rendering in git, with what copier and `uv lock` add to it; nobody has written anything."""
    root = Path(shutil.copytree(render(request.param), tmp_path / "project"))
    name = tomllib.loads((root / "pyproject.toml").read_text())["project"]["name"]
    (root / "uv.lock").write_text(UV_LOCK.replace('name = "orders"', f'name = "{name}"'))
    (root / ".copier-answers.yml").write_text(ANSWERS)
    commit(root)
    return request.param, root


def test_an_unmodified_rendering_is_held_by_what_asks_a_person(
    unmodified: tuple[str, Path], tmp_path: Path
) -> None:
    case, root = unmodified
    python = str(environment_of(tmp_path / "environment", root))
    with contextlib.chdir(root):
        assert CliRunner().invoke(app, ["lock", "--python", python]).exit_code == 0
        commit(root)
        done = CliRunner().invoke(app, ["check", "--format", "json", "--python", python])
    assert held_by(statuses_in(done.stdout)) == ASKS_A_PERSON[case] | ASKED_IN_PRODUCTION
    assert done.exit_code == 1


@pytest.mark.slow
@pytest.mark.parametrize("case", MATRIX)
def test_a_rendering_that_is_filled_in_is_cleared(case: str, render: Render, tmp_path: Path) -> None:
    project = PromotedOrders.make(tmp_path, rendered=render(case))
    promote = ("promote", "--environment", "rehearsal", "--format", "json")
    done = project.launchworthy(*promote)
    assert (done.returncode, held_by(statuses_in(done.stdout))) == (0, set()), done.stderr
    if case == "orders":
        again = project.launchworthy(*promote)
        assert again.returncode == 0
        assert statuses_in(again.stdout) == statuses_in(done.stdout), "the same verdict, control by control"
