"""`evidence container` on this kernel, and `handover` before it does anything."""

import json
import sys
from contextlib import chdir
from pathlib import Path

import pytest
from typer.testing import CliRunner

from launchworthy.cli.main import app
from launchworthy.promotion.evidence.container import ContainerEvidence

EXAMPLE = Path(__file__).resolve().parents[3] / "examples" / "orders"
_MOST = 256
linux = pytest.mark.skipif(sys.platform != "linux", reason="only Linux says it")


def run(*arguments: str):
    with chdir(EXAMPLE):
        return CliRunner().invoke(app, list(arguments))


@linux
def test_it_prints_what_this_kernel_says_and_names_what_is_open():
    done = run("evidence", "container", "--environment", "production")
    if sum(each.name.isdigit() for each in Path("/proc").iterdir()) >= _MOST - 56:
        pytest.skip("this is no container: too many processes run here")
    said = ContainerEvidence.model_validate_json(done.stdout)
    wrong = tuple(said.mistakes())
    assert said.server == "orders"
    assert said.environment == "production"
    assert done.exit_code == (1 if wrong else 0)
    assert done.stderr.count(" open: ") == len(wrong)


@pytest.mark.parametrize("environment", ["development", "rehearsal", "PRODUCTION"])
def test_only_a_deployment_has_a_container(environment):
    assert run("evidence", "container", "--environment", environment).exit_code == 2


def test_outside_of_a_project_nothing_is_said(tmp_path):
    with chdir(tmp_path):
        done = CliRunner().invoke(app, ["evidence", "container", "--environment", "production"])
    assert done.exit_code == 2
    assert json.loads(done.stderr.splitlines()[-1])["reason"] == "no-project"


def test_a_handover_outside_of_a_project_is_undecided(tmp_path):
    with chdir(tmp_path):
        done = CliRunner().invoke(app, ["handover", "--operator", "sam@acme.example"])
    assert done.exit_code == 2
    assert not list(tmp_path.iterdir())


def test_an_operator_without_a_mail_address_is_told_so_before_anything_is_installed(tmp_path):
    for name in ("sam", "THEIR-MAIL", "sam@", "@acme.example", ""):
        with chdir(tmp_path):
            done = CliRunner().invoke(app, ["handover", "--operator", name])
        assert (done.exit_code, json.loads(done.stderr.splitlines()[-1])["reason"]) == (2, "bad-value")
