"""`explain` has a page for every name that anything of ours prints."""

import json

import pytest
from typer.testing import CliRunner

from launchworthy.audit import EVENT_TYPES
from launchworthy.cli.main import app
from launchworthy.cli.pages import find_page, names_of_pages
from launchworthy.manifest import load_manifests
from launchworthy.policy.attributes import PRINCIPAL_ATTRIBUTES, TARGET_ATTRIBUTES, context_attributes
from launchworthy.promotion.control import load_catalogue, to_come
from launchworthy.settings.tables import FileTables
from launchworthy.vocabulary import Environment, ProblemError, Reason, wire_word

SERVER = b"""
name = "orders"
title = "Orders"
description = "Refund orders"
[ownership]
owner = "@acme/orders"
on_call = "https://on-call.acme.example"
security = "security@acme.example"
approvers = ["@acme/leads"]
runbook = "RUNBOOK.md"
reviewed = 2026-11-20
[scopes]
entry = []
[data]
classification = "internal"
tenancy = "single"
audit_retention = "400d"
[lifecycle]
stage = "active"
decommission = "RUNBOOK.md"
"""
REFUND = b"""
[tools.refund_order]
effect = "destructive"
scopes = ["orders:refund"]
example = { order_id = 1 }
"""
CATALOGUE = load_catalogue()
TOPICS = ("controls", "tools", "server", "settings", "world", "cases", "policy", "promotion.toml")


def explain(name):
    return CliRunner().invoke(app, ["explain", name])


@pytest.mark.parametrize("name", names_of_pages())
def test_every_page_fits_and_ends_once(name):
    page = find_page(name)
    for line in page.splitlines():
        assert len(line) <= 98 or " " not in line.strip(), line
        assert line == line.rstrip(), line
    assert "Attributes:" not in page


def test_every_control_event_reason_and_topic_has_a_page():
    names = set(names_of_pages())
    for wanted in (
        {control.id for control in CATALOGUE},
        set(to_come()),
        set(EVENT_TYPES),
        {reason.value for reason in Reason},
        set(TOPICS),
    ):
        assert wanted <= names


@pytest.mark.parametrize("control", CATALOGUE, ids=lambda control: control.id)
def test_a_control_says_why_what_how_it_is_proved_and_what_to_do(control):
    page = find_page(control.id)
    said = " ".join(page.split())
    for part in (control.title, control.why, control.holds, control.fix, *control.references):
        assert " ".join(part.split()) in said
    for label in ("Why", "Holds", "Proved", "Fix", "Sources"):
        assert f"\n {label} " in page
    assert "by reading: " in page or "by rehearsing" in page
    assert ("never waivable" in page) is not control.waivable


def test_a_control_to_come_says_so(monkeypatch):
    assert "TOK-99" not in names_of_pages()
    monkeypatch.setattr("launchworthy.cli.pages.library.to_come", lambda: ("TOK-99",))
    monkeypatch.setattr("launchworthy.cli.pages.control.to_come", lambda: ("TOK-99",))
    assert "is still to come" in find_page("TOK-99")
    assert "1 still to come" in find_page("controls")
    assert " To come " in find_page("controls")


def test_where_none_is_to_come_the_lists_say_so():
    assert to_come() == ()
    assert f"{len(CATALOGUE)} controls are decided by this release, none still to come" in find_page(
        "controls"
    )
    assert "To come" not in find_page("controls")


def test_the_list_of_controls_names_each_of_the_seventy_once():
    page = find_page("controls")
    for name in (*(control.id for control in CATALOGUE), *to_come()):
        assert page.split().count(name) == 1, name


def test_the_pages_of_files_name_every_field():
    settings = find_page("settings")
    for name, info in FileTables.model_fields.items():
        assert f"[{name}" in settings
        inner = info.annotation
        for field in getattr(inner, "model_fields", {}):
            assert f"   {field} " in settings
    assert "(local)" in settings
    for field in ("scopes", "effect", "policy_inputs", "approval_reason", "uri"):
        assert f"   {field} " in find_page("tools")
    for field in ("owner", "on_call", "reviewed", "decommission"):
        assert f"   {field} " in find_page("server")


def test_an_event_names_its_fields_and_what_they_mean():
    page = find_page("tool.attempt")
    for field in EVENT_TYPES["tool.attempt"].model_fields:
        assert f"   {field} " in page
    assert "the call id" in page


def test_a_refusal_says_what_its_caller_sees_and_nothing_that_only_we_know():
    assert "`invalid_token`" in find_page("token.audience")
    assert "Callers" not in find_page("startup.secret")


@pytest.mark.parametrize(
    ("name", "meant"),
    [("tok-04", "TOK-04"), ("TOK-4", "TOK-04"), ("secret-by-valu", "secret-by-value"),
     ("tool.attemt", "tool.attempt"), ("setings", "settings")],
)  # fmt: skip
def test_an_unknown_name_is_undecided_and_asks_what_was_meant(name, meant):
    shown = explain(name)
    assert shown.exit_code == 2
    problem = json.loads(shown.stderr)
    assert problem["reason"] == "no-page"
    assert f"`{meant}`" in problem["what"]


def test_a_name_that_is_like_nothing_gets_no_guess():
    with pytest.raises(ProblemError) as raised:
        find_page("x" * 500)
    [problem] = raised.value.problems
    assert "did you mean" not in problem.what
    assert len(problem.what) < 200


def test_a_word_that_a_caller_sees_leads_to_the_reasons_behind_it():
    assert " token.audience " in find_page("invalid_token")
    for reason in Reason:
        if reason.family != "startup":
            assert reason.value in find_page(wire_word(reason).value).split()


def test_who_asks_for_nothing_that_is_there_is_told_every_file_that_has_a_page():
    with pytest.raises(ProblemError) as raised:
        find_page("x" * 500)
    [problem] = raised.value.problems
    listed = "fields of a file: tools, server, settings, world, cases, policy, promotion.toml, control-file"
    assert listed in problem.fix


def test_the_page_of_policy_names_all_that_a_rule_may_look_at():
    [asked] = load_manifests({"manifests/server.toml": SERVER, "manifests/tools.toml": REFUND}).tools()
    known = context_attributes(asked, Environment.STAGING, has_tenants=True)
    wanted = {f"context.{'.'.join(each.path)}": each.cedar_type for each in known}
    wanted |= {f"principal.{name}": "String" for name in PRINCIPAL_ATTRIBUTES}
    wanted |= {f"resource.{name}": "String" for name in TARGET_ATTRIBUTES}
    rows = (line.split() for line in find_page("policy").splitlines() if line.startswith("   "))
    shown = {
        row[0]: row[1] for row in rows if row and row[0].startswith(("context.", "principal.", "resource."))
    }
    assert shown.pop("context.arguments.<name>") == "as"
    assert shown == wanted


def test_a_known_name_is_a_yes():
    shown = explain("no-record")
    assert (shown.exit_code, shown.output.splitlines()[0]) == (0, " no-record")
