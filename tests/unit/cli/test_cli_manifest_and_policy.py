"""`manifest show` and `policy test` read a project, and import nothing of it."""

import json
import shutil
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from launchworthy.cli.main import app

ORDERS = Path(__file__).resolve().parents[3] / "examples" / "orders"


@pytest.fixture
def root(tmp_path, monkeypatch):
    copy = tmp_path / "orders"
    shutil.copytree(ORDERS, copy, ignore=shutil.ignore_patterns(".venv", ".launchworthy"))
    monkeypatch.chdir(copy)
    yield copy
    assert "orders" not in sys.modules


def run(*arguments):
    return CliRunner().invoke(app, arguments)


def replace(file, before, after):
    text = file.read_text()
    assert before in text
    file.write_text(text.replace(before, after))


@pytest.mark.usefixtures("root")
def test_the_table_says_who_may_do_what_where():
    shown = run("manifest", "show")
    assert shown.exit_code == 0
    [line] = [line.split() for line in shown.output.splitlines() if line.startswith(" refund_order  tool")]
    assert line == ["refund_order", "tool", "destructive", "orders:refund", "everywhere", "10/minute", "url",
                    "by", "caller", "order_id=clear", "reason=drop"]  # fmt: skip


def test_the_table_says_why_nobody_is_asked(root):
    replace(root / "manifests/tools.toml", 'approval  = "url"',
            'approval_reason = "the payment service asks a person itself"\napproval = "none"')  # fmt: skip
    shown = run("manifest", "show")
    assert "refund_order asks nobody: the payment service asks a person itself" in shown.output


def test_it_works_from_a_folder_inside_the_project(root, monkeypatch):
    monkeypatch.chdir(root / "src" / "orders")
    assert run("manifest", "show").exit_code == 0


@pytest.mark.usefixtures("root")
def test_markdown_is_one_table_with_a_row_a_target():
    lines = run("manifest", "show", "--format", "markdown").output.strip().splitlines()
    assert len(lines) == 2 + 4
    assert len({line.count(" | ") for line in lines}) == 1


@pytest.mark.usefixtures("root")
def test_json_is_what_the_lock_describes():
    said = json.loads(run("manifest", "show", "--format", "json").output)
    assert said["tools"]["refund_order"]["scopes"] == ["orders:refund"]
    assert len(said["digest"]) == 64


def test_a_manifest_that_is_malformed_is_undecided_with_its_line(root):
    replace(root / "manifests/tools.toml", "scopes    = ", "scope     = ")
    shown = run("manifest", "show")
    assert shown.exit_code == 2
    problem = json.loads(shown.stderr.splitlines()[0])
    assert (problem["reason"], problem["where"][:21]) == ("unknown-field", "manifests/tools.toml:")


@pytest.mark.parametrize(
    "command", [("manifest", "show"), ("policy", "test"), ("check",), ("lock", "--check")]
)
def test_outside_of_a_project_nothing_can_be_decided(tmp_path, monkeypatch, command):
    monkeypatch.chdir(tmp_path)
    shown = run(*command)
    assert shown.exit_code == 2
    assert json.loads(shown.stderr)["reason"] == "no-project"


@pytest.mark.usefixtures("root")
def test_every_case_is_asked_in_both_environments():
    shown = run("policy", "test")
    assert shown.exit_code == 0
    lines = [line for line in shown.output.splitlines() if line.startswith(" ok ")]
    assert len(lines) == 16
    assert sum(" production " in line for line in lines) == 8
    assert shown.output.splitlines()[-1].startswith(" 16 answers, 0 not as expected · 3 tools, 0 pairs")


def test_a_case_that_is_decided_otherwise_is_a_no_and_says_which_rule(root):
    replace(root / "tests/policy.toml", "quantity = 21", "quantity = 20")
    shown = run("policy", "test")
    assert shown.exit_code == 1
    assert " WRONG   24  staging" in shown.output
    assert (
        "expects `team:no-bulk-orders` of the tool `place_order` in staging, and it is `allow`"
        in shown.output
    )


def test_a_tool_without_its_no_is_a_no(root):
    replace(root / "tests/policy.toml", 'scopes = ["orders:read", "orders:write"]\nexpect = "scope"',
            'scopes = ["orders:refund"]\napproved = true\nexpect = "allow"')  # fmt: skip
    replace(root / "tests/policy.toml", 'expect = "approval"', 'approved = true\nexpect = "allow"')
    shown = run("policy", "test")
    assert shown.exit_code == 1
    assert "`refund_order` is denied in production" in shown.output


@pytest.mark.parametrize(
    ("file", "before", "after", "reason"),
    [
        ("tests/policy.toml", 'call   = "find_orders"', 'call   = "find_order"', "unknown-target"),
        ("tests/policy.toml", "expect", "expects", "unknown-field"),
        ("policy/rules.cedar", "forbid (", "permit (", "policy-permits"),
    ],
)
def test_what_is_malformed_is_undecided(root, file, before, after, reason):
    replace(root / file, before, after)
    shown = run("policy", "test")
    assert shown.exit_code == 2
    assert reason in {json.loads(line)["reason"] for line in shown.stderr.splitlines()}


def test_no_cases_are_undecided_and_not_fine(root):
    (root / "tests/policy.toml").unlink()
    shown = run("policy", "test")
    assert (shown.exit_code, json.loads(shown.stderr)["reason"]) == (2, "no-cases")
