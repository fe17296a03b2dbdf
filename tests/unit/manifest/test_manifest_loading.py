"""Manifests are read as promised, and every mistake is told with its line and what to do."""

import datetime as dt
import time

import pytest

from launchworthy.manifest import (
    ArgumentClass,
    Effect,
    InputType,
    PolicyInput,
    TargetKind,
    Visibility,
    describe,
    load_manifests,
)
from launchworthy.vocabulary import Environment, ProblemError

TOOLS = "manifests/tools.toml"


def problems(project):
    with pytest.raises(ProblemError) as refused:
        load_manifests(project.files)
    return refused.value.problems


def problem(project):
    found = problems(project)
    assert len(found) == 1, found
    return found[0]


def test_the_example_is_read_whole(project):
    manifests = load_manifests(project.files)
    find, place, refund = manifests.tools()
    [order] = manifests.resources()
    [complaint] = manifests.prompts()
    assert find.effect is Effect.READ
    assert find.scopes == ("orders:read",)
    assert find.key == (TargetKind.TOOL, "find_orders")
    assert find.environments is None
    assert place.inputs == (PolicyInput(name="quantity", type=InputType.INTEGER, optional=False),)
    assert place.policy_inputs == ("quantity",)
    assert place.where == "manifests/tools.toml:11"
    assert (place.rehearse, place.example["item"], place.timeout_seconds) == (True, "teapot", 30.0)
    assert (refund.effect, refund.approval, refund.timeout_seconds) == (Effect.DESTRUCTIVE, None, 10.0)
    assert order.uri == "orders://order/{order_id}"
    assert (order.effect, order.rehearse, order.visibility) == (Effect.READ, False, Visibility.SCOPED)
    assert complaint.example is None
    assert manifests.server.ownership.owner == "@acme/orders"
    assert manifests.server.ownership.reviewed == dt.date(2026, 11, 20)
    assert manifests.server.data.audit_retention == dt.timedelta(days=400)
    assert manifests.files == project.files


def test_an_argument_that_is_not_named_is_pseudonymised(project):
    find, _, refund = load_manifests(project.files).tools()
    assert find.argument_class("customer") is ArgumentClass.CLEAR
    assert find.argument_class("anything") is ArgumentClass.HMAC
    assert refund.argument_class("reason") is ArgumentClass.DROP


def test_the_object_of_a_call_is_named_for_the_audit(project):
    find, _, refund = load_manifests(project.files).tools()
    assert find.subject({"customer": "c-17", "limit": 20}) == "customer/c-17"
    assert refund.subject({"order_id": 17}) == "order/17"
    assert load_manifests(project.files).prompts()[0].subject({}) is None


def test_environments_say_where_a_target_runs(project):
    project.edit('effect    = "read"', 'effect = "read"\nenvironments = ["development", "staging"]')
    find, place, _ = load_manifests(project.files).tools()
    assert find.environments == {Environment.DEVELOPMENT, Environment.STAGING}
    assert find.runs_in(Environment.STAGING)
    assert not find.runs_in(Environment.PRODUCTION)
    assert not find.runs_in(Environment.REHEARSAL)
    assert all(place.runs_in(environment) for environment in Environment)


def test_targets_may_stand_in_several_files(project):
    project.add(
        '[tools.more]\neffect = "read"\nscopes = ["orders:read"]\nvisibility = "secret"\n', "manifests/b.toml"
    )
    manifests = load_manifests(project.files)
    assert [target.name for target in manifests.tools()] == [
        "more",
        "find_orders",
        "place_order",
        "refund_order",
    ]
    assert manifests.tools()[0].visibility is Visibility.SECRET


def test_the_digest_changes_with_a_promise_and_with_nothing_else(project):
    before = load_manifests(project.files).digest
    assert len(before) == 64
    project.add("# a comment\n\n").edit("effect    =", "effect =")
    assert load_manifests(project.files).digest == before
    project.edit('scopes    = ["orders:write"]', 'scopes = ["orders:buy"]')
    assert load_manifests(project.files).digest != before


def test_a_misspelt_field_is_told_with_its_line_and_what_was_meant(project):
    found = problem(project.edit('scopes    = ["orders:write"]', 'scope     = ["orders:write"]'))
    assert found.reason == "unknown-field"
    assert found.lines() == (
        "manifests/tools.toml:13 has no field `scope` in [tools.place_order]; did you mean `scopes`?",
        "→ rename it; all fields: launchworthy explain tools",
    )
    assert found.field == "tools.place_order.scope"


def test_several_problems_are_told_at_once(project):
    project.edit('scopes    = ["orders:write"]', "").edit('effect    = "read"', 'effect = "reed"')
    project.edit_server("@acme/orders", "bob").add("[tool.x]\n")
    assert [(found.reason, found.where, found.field) for found in problems(project)] == [
        ("bad-value", "manifests/server.toml:9", "ownership.owner"),
        ("bad-value", "manifests/tools.toml:5", "tools.find_orders.effect"),
        ("missing-field", "manifests/tools.toml:11", "tools.place_order.scopes"),
        ("unknown-field", "manifests/tools.toml:39", "tool"),
    ]


def test_a_server_is_for_one_tenant_or_for_several(project):
    assert not load_manifests(project.files).has_tenants
    assert load_manifests(project.edit_server('"single" ', '"multi"').files).has_tenants


def test_a_value_that_will_never_mean_anything_is_a_bad_value(project):
    assert problem(project.edit_server('"internal" ', '"secret"')).reason == "bad-value"


def test_an_argument_called_rate_is_an_argument(project):
    project.edit('limit = "clear"', 'rate = "clear", approval = "clear"').edit(
        '"c-17" }', '"c-17", rate = 3 }'
    )
    assert load_manifests(project.files).tools()[0].argument_class("rate") is ArgumentClass.CLEAR
    found = problem(project.edit('approval = "clear"', 'approval = "url"'))
    assert (found.reason, found.field) == ("bad-value", "tools.find_orders.arguments.approval")


def test_a_destructive_tool_says_why_nobody_is_asked(project):
    found = problem(project.edit("approval_reason =", "# approval_reason ="))
    assert (found.reason, found.field) == ("missing-field", "tools.refund_order.approval_reason")
    assert '  approval_reason = "…"' in found.fix


def test_a_destructive_tool_that_says_nothing_asks_its_caller_on_a_page(project):
    project.edit('approval  = "none"\n', "").edit("approval_reason =", "# approval_reason =")
    [find, place, refund] = load_manifests(project.files).tools()
    assert str(refund.approval) == "url by caller"
    assert (find.approval, place.approval) == (None, None)


@pytest.mark.parametrize(
    ("old", "new", "reason", "field"),
    [
        ('scopes    = ["orders:read"]', "scopes = []", "bad-value", "find_orders.scopes"),
        ('scopes    = ["orders:read"]', 'scopes = ["a b"]', "bad-value", "find_orders.scopes.0"),
        ('scopes    = ["orders:read"]', 'scopes = ["a", "a"]', "bad-value", "find_orders.scopes"),
        ('scopes    = ["orders:read"]', "scopes = 'orders:read'", "bad-value", "find_orders.scopes"),
        ('scopes    = ["orders:read"]', "scopes = [1]", "bad-value", "find_orders.scopes.0"),
        ('limit = "clear"', 'limit = "plain"', "bad-value", "find_orders.arguments.limit"),
        ('limit = "clear"', 'Limit = "clear"', "bad-value", "find_orders.arguments.Limit"),
        ("[tools.find_orders]", "[tools.FindOrders]", "bad-value", "FindOrders"),
        ("[tools.find_orders]", "[tools.'find orders']", "bad-value", "find orders"),
        ('timeout   = "10s"', "timeout = 10", "bad-value", "refund_order.timeout"),
        ('timeout   = "10s"', 'timeout = "0s"', "bad-value", "refund_order.timeout"),
        ('timeout   = "10s"', 'timeout = "6m"', "bad-value", "refund_order.timeout"),
        ('timeout   = "10s"', 'timeout = "10 s"', "bad-value", "refund_order.timeout"),
        ("rehearse  = true", 'rehearse = "yes"', "bad-value", "place_order.rehearse"),
        ('"order/{order_id}"', '"order/{order_id"', "bad-value", "refund_order.acts_on"),
        ('"orders://order/{order_id}"', '"order/{order_id}"', "bad-value", "order.uri"),
        ('["quantity"]', '["quantity", "quantity?"]', "bad-value", "place_order.policy_inputs"),
        ('["quantity"]', '["quan tity"]', "bad-value", "place_order.policy_inputs.0"),
        ('["quantity"]', '["quantity", "size?"]', "policy-input-untyped", "place_order.policy_inputs"),
        ("quantity = 2 }", "quantity = 2.5 }", "policy-input-untyped", "place_order.policy_inputs"),
        ("quantity = 2 }", "quantity = { a = 1 } }", "policy-input-untyped", "place_order.policy_inputs"),
        ("quantity = 2 }", "quantity = [1] }", "policy-input-untyped", "place_order.policy_inputs"),
        ("quantity = 2 }", "quantity = nan }", "bad-value", "place_order.example.quantity"),
        ("quantity = 2 }", "quantity = [-inf] }", "bad-value", "place_order.example.quantity.0"),
        ("quantity = 2 }", f"quantity = {2**63} }}", "bad-value", "place_order.example.quantity"),
        ('customer = "clear", ', "", "acts-on-not-clear", "find_orders.acts_on"),
        ('"clear", reason', '"hmac", reason', "acts-on-not-clear", "refund_order.acts_on"),
        ('approval  = "none"', 'approval = "some"', "bad-value", "refund_order.approval"),
        ("the payment service asks a person itself", "because", "bad-value", "refund_order.approval_reason"),
        ("{ order_id = 1 }", "{ order = 1 }", "unknown-argument", "order.example.order"),
        ('{ order_id = "clear" }', '{ order = "clear" }', "unknown-argument", "order.arguments.order"),
        ("[prompts.complaint]", '[prompts.complaint]\neffect = "read"', "unknown-field", "complaint.effect"),
        ("[prompts.complaint]", "[[prompts.complaint]]", "bad-value", "complaint"),
    ],
)  # fmt: skip
def test_a_value_that_cannot_be_meant_is_refused(project, old, new, reason, field):
    found = problem(project.edit(old, new))
    assert (found.reason, found.field.partition(".")[2]) == (reason, field)
    assert found.where.startswith("manifests/tools.toml:")
    assert found.fix


def test_a_resource_shows_only_its_variables_to_policy(project):
    project.edit("example   = { order_id = 1 }", 'example = { order_id = 1 }\npolicy_inputs = ["order_id"]')
    assert load_manifests(project.files).resources()[0].policy_inputs == ("order_id",)
    project.edit('policy_inputs = ["order_id"]', 'policy_inputs = ["order"]')
    assert {found.reason for found in problems(project)} == {"unknown-argument", "policy-input-untyped"}


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        ("'a'", InputType.STRING),
        ("true", InputType.BOOLEAN),
        ("['a']", InputType.STRINGS),
        ("[]", InputType.STRINGS),
    ],
)
def test_the_example_says_what_a_policy_input_is(project, value, kind):
    project.edit("quantity = 2 }", f"quantity = {value} }}").edit('["quantity"]', '["quantity?"]')
    known = PolicyInput(name="quantity", type=kind, optional=True)
    assert load_manifests(project.files).tools()[1].inputs == (known,)


def test_a_tool_that_is_rehearsed_has_an_example(project):
    project.edit('example   = { order_id = 1, reason = "arrived in pieces" }', "")
    assert problem(project).field == "tools.refund_order.example"


@pytest.mark.parametrize(
    ("old", "new", "field"),
    [
        ("@acme/orders", "@bob", "ownership.owner"),
        ("@acme/orders", "bob@acme.example", "ownership.owner"),
        ('["@acme/payments-leads"]', "[]", "ownership.approvers"),
        ('["@acme/payments-leads"]', '["alice"]', "ownership.approvers.0"),
        ("https://on-call.acme.invalid/orders", "ask around", "ownership.on_call"),
        ("https://on-call.acme.invalid/orders", "http://on-call.acme.example", "ownership.on_call"),
        ('"RUNBOOK.md"', '"/etc/passwd"', "ownership.runbook"),
        ('"RUNBOOK.md"', '"../RUNBOOK.md"', "ownership.runbook"),
        ("2026-11-20", '"yesterday"', "ownership.reviewed"),
        ("2026-11-20", "20261120", "ownership.reviewed"),
        ('"400d"', '"for ever"', "data.audit_retention"),
        ('"400d"', "400", "data.audit_retention"),
        ('"active"', '"dead"', "lifecycle.stage"),
        ('name        = "orders"', 'name = "Orders Server"', "name"),
        ('title       = "Orders"', 'title = ""', "title"),
        ('title       = "Orders"', 'title = "a\\nb"', "title"),
        ('["orders:read"]', '["orders read"]', "scopes.entry.0"),
    ],
)
def test_who_answers_for_a_server_is_said_properly(project, old, new, field):
    found = problem(project.edit_server(old, new))
    assert (found.reason, found.field) == ("bad-value", field)


@pytest.mark.parametrize("table", ["ownership", "scopes", "data", "lifecycle"])
def test_nothing_of_the_server_manifest_may_be_left_out(project, table):
    found = problem(project.edit_server(f"[{table}]", f"[{table}s]" if table != "scopes" else "[scope]"))
    assert (found.reason, found.field) == ("unknown-field", f"{table}s" if table != "scopes" else "scope")
    assert f"did you mean `{table}`?" in found.what


def test_a_server_without_a_manifest_is_refused(project):
    del project.texts["manifests/server.toml"]
    found = problem(project)
    assert (found.reason, found.where) == ("manifest-missing", "manifests/server.toml")


def test_a_server_that_serves_nothing_is_refused(project):
    project.texts[TOOLS] = "# later\n"
    assert problem(project).reason == "manifest-missing"


def test_one_name_is_declared_once(project):
    project.add('[tools.find_orders]\neffect = "read"\nscopes = ["orders:read"]\n', "manifests/z.toml")
    found = problem(project)
    assert (found.reason, found.where) == ("duplicate-name", "manifests/z.toml:1")
    assert "manifests/tools.toml:4" in found.what


def test_a_tool_and_a_resource_may_share_a_name(project):
    project.add('[tools.order]\neffect = "read"\nscopes = ["orders:read"]\n', "manifests/z.toml")
    assert (TargetKind.TOOL, "order") in load_manifests(project.files).targets


@pytest.mark.parametrize(
    "uri", ["orders://order/new", "orders://order/{id}", "ORDERS://order".lower() + "/{x}"]
)
def test_a_uri_that_could_mean_two_resources_is_refused(project, uri):
    found = problem(project.add(f'[resources.other]\nscopes = ["orders:read"]\nuri = "{uri}"\n'))
    assert (found.reason, found.field) == ("overlapping-uri", "resources.other.uri")
    assert "`order`" in found.what


def test_the_same_uri_twice_is_refused_once(project):
    found = problem(
        project.add('[resources.other]\nscopes = ["orders:read"]\nuri = "orders://order/{order_id}"\n')
    )
    assert (found.reason, found.field) == ("overlapping-uri", "resources.other.uri")


def test_a_uri_of_another_shape_is_fine(project):
    project.add('[resources.other]\nscopes = ["orders:read"]\nuri = "orders://order/{order_id}/items"\n')
    assert len(load_manifests(project.files).resources()) == 2


def test_strangers_are_not_told_to_ask_for_a_destructive_scope(project):
    found = problem(project.edit_server('["orders:read"]', '["orders:read", "orders:refund"]'))
    assert (found.reason, found.where) == ("destructive-entry-scope", "manifests/server.toml:17")
    assert "refund_order" in found.what


def test_nor_for_one_that_implies_it(project):
    implies = 'implies = { "orders:all" = ["orders:some"], "orders:some" = ["orders:refund"] }'
    found = problem(project.edit_server('["orders:read"]', f'["orders:read", "orders:all"]\n{implies}'))
    assert found.reason == "destructive-entry-scope"
    assert "`orders:refund`, which it implies" in found.what


def test_entry_scopes_that_imply_reads_are_fine(project):
    project.edit_server('["orders:read"]', '["orders:all"]\nimplies = { "orders:all" = ["orders:read"] }')
    assert load_manifests(project.files).server.scopes.implies == {"orders:all": ("orders:read",)}


def test_an_entry_scope_that_nothing_needs_is_a_mistake(project):
    found = problem(project.edit_server('["orders:read"]', '["orders:raed"]'))
    assert (found.reason, found.field) == ("unknown-scope", "scopes.entry")


def test_so_is_an_implied_one(project):
    found = problem(project.edit_server("[data]", '[scopes.implies]\n"orders:all" = ["orders:raed"]\n[data]'))
    assert (found.reason, found.field) == ("unknown-scope", "scopes.implies.orders:all")
    assert found.where == "manifests/server.toml:20"


def test_a_scope_does_not_imply_itself(project):
    cycle = 'implies = { "a" = ["orders:read", "b"], "b" = ["a"] }'
    found = problem(project.edit_server('["orders:read"]', f'["orders:read"]\n{cycle}'))
    assert found.reason == "scope-cycle"
    assert "`a` → `b` → `a`" in found.what


def test_a_first_read_needs_something_to_ask_for(project):
    found = problem(project.edit_server('["orders:read"]', "[]"))
    assert (found.reason, found.field) == ("missing-field", "scopes.entry")


def test_a_server_of_destructive_tools_only_has_nothing_to_offer_strangers(project):
    head, refund = project.texts[TOOLS].split("[tools.refund_order]")
    project.texts[TOOLS] = "[tools.refund_order]" + refund.split("[resources.order]")[0]
    assert head
    project.edit_server('["orders:read"]', "[]")
    assert load_manifests(project.files).server.scopes.entry == ()


@pytest.mark.parametrize(
    ("content", "reason", "where"),
    [
        (b"a = [", "not-toml", TOOLS),
        (b"a = 1\nb = ]\n", "not-toml", f"{TOOLS}:2"),
        (b"a = 1\na = 2\n", "not-toml", f"{TOOLS}:2"),
        (b"# fine\n# \xff\n", "not-utf8", f"{TOOLS}:2"),
        (b"a = " + b"[" * 5000, "not-toml", TOOLS),
        (b"a = " + b"9" * 5000, "not-toml", TOOLS),
        (b"#" * (1024 * 1024 + 1), "not-toml", TOOLS),
        ("# \u202e\n".encode(), "hidden-character", f"{TOOLS}:1"),
        (b'a = 1\nb = { c = ["\\u202e"] }\n', "hidden-character", f"{TOOLS}:2"),
        (b'"\\u200b" = 1\n', "hidden-character", f"{TOOLS}:1"),
    ],
)
def test_a_file_that_cannot_be_read_says_why(project, content, reason, where):
    with pytest.raises(ProblemError) as refused:
        load_manifests({**project.files, TOOLS: content})
    assert (refused.value.problems[0].reason, refused.value.problems[0].where) == (reason, where)


def test_windows_line_ends_are_read(project):
    files = {path: content.replace(b"\n", b"\r\n") for path, content in project.files.items()}
    assert load_manifests(files).digest == load_manifests(project.files).digest


def test_a_message_never_holds_the_value(project):
    canary = "lw-canary-5be1c07a"
    for _, old in [("", '"read"'), ("", '"clear"'), ("", '"orders://order/{order_id}"')]:
        project.edit(old, f'"{canary} "')
    project.edit_server("@acme/orders", canary).edit_server("2026-11-20", f'"{canary}"')
    project.edit_server('"400d"', f'"{canary}"')
    found = problems(project)
    assert len(found) == 6
    assert canary not in repr(found)


def test_a_thousand_tools_load_quickly(project):
    project.add("".join(f'[tools.t{n}]\neffect = "read"\nscopes = ["orders:read"]\n' for n in range(1000)))
    before = time.perf_counter()
    assert len(load_manifests(project.files).targets) == 1005
    assert time.perf_counter() - before < 5


def test_limits_are_read(project):
    project.edit('effect    = "write"', 'effect = "write"\nrate = "60/minute"\nconcurrency = 4')
    project.edit_server("[data]", '[budget]\ndestructive = "5/hour"\n[data]')
    manifests = load_manifests(project.files)
    target = next(each for each in manifests.tools() if each.name == "place_order")
    assert (str(target.rate), target.concurrency) == ("60/minute", 4)
    assert manifests.server.budget.destructive == "5/hour"
    assert manifests.server.budget.write is None
    other = next(each for each in manifests.tools() if each.name == "find_orders")
    assert (other.rate, other.concurrency) == (None, None)
    assert describe(manifests)["tools"]["place_order"]["rate"] == "60/minute"
    assert describe(manifests)["server"]["budget"] == {"destructive": "5/hour"}


@pytest.mark.parametrize("line", ['rate = "60"', 'rate = "0/minute"', "concurrency = 0", "rate = 60"])
def test_a_limit_that_is_none_is_a_bad_value(project, line):
    found = problem(project.edit('effect    = "write"', f'effect = "write"\n{line}'))
    assert (found.reason, found.where) == ("bad-value", "manifests/tools.toml:13")


@pytest.mark.parametrize("said", ['"form"', '{ mode = "form" }', '{ mode = "form", by = "caller" }'])
def test_a_destructive_tool_may_have_its_caller_asked(project, said):
    project.edit('approval  = "none"\n', f"approval = {said}\n").edit(
        "approval_reason =", "# approval_reason ="
    )
    [_, place, refund] = load_manifests(project.files).tools()
    assert str(refund.approval) == "form by caller"
    assert (refund.approval_reason, place.approval) == (None, None)


@pytest.mark.parametrize(
    ("said", "means"),
    [
        ('"url"', "url by caller"),
        ('{ mode = "url" }', "url by caller"),
        ('{ mode = "url", max_age = "30s" }', "url by caller, signed in within 30 s"),
        (
            '{ mode = "url", by = "approvers", claim = "groups:payments" }',
            "url by approvers (groups:payments)",
        ),
        (
            '{ mode = "url", by = "approvers", claim = "https://a.example/r:leads", acr = ["phr", "phrh"] }',
            "url by approvers (https://a.example/r:leads), acr phr or phrh",
        ),
    ],
)
def test_a_tool_may_have_a_person_asked_on_a_page(project, said, means):
    project.edit('approval  = "none"\n', f"approval = {said}\n").edit(
        "approval_reason =", "# approval_reason ="
    )
    manifests = load_manifests(project.files)
    [*_, refund] = manifests.tools()
    assert str(refund.approval) == means
    assert describe(manifests)["tools"]["refund_order"]["approval"] == means


@pytest.mark.parametrize(
    ("said", "field"),
    [
        ('{ mode = "url", by = "approvers" }', "claim"),
        ('{ mode = "url", claim = "groups:payments" }', "claim"),
        ('{ mode = "form", by = "approvers", claim = "groups:payments" }', "by"),
        ('{ mode = "form", max_age = "1m" }', "max_age"),
        ('{ mode = "form", acr = ["phr"] }', "acr"),
        ('{ mode = "url", max_age = "3m" }', "max_age"),
        ('{ mode = "url", max_age = "500ms" }', "max_age"),
        ('{ mode = "url", by = "approvers", claim = "payments" }', "claim"),
        ('{ mode = "url", by = "approvers", claim = "groups:" }', "claim"),
        ('{ mode = "url", by = "anybody" }', "by"),
        ('{ mode = "url", acr = ["phr", "phr"] }', "acr"),
        ('{ mode = "url", acr = [""] }', "acr.0"),
    ],
)
def test_what_does_not_fit_together_asks_nobody(project, said, field):
    project.edit('approval  = "none"\n', f"approval = {said}\n").edit(
        "approval_reason =", "# approval_reason ="
    )
    found = problem(project)
    assert (found.reason, found.field) == ("bad-value", f"tools.refund_order.approval.{field}")


def test_who_asks_somebody_gives_no_reason_for_asking_nobody(project):
    found = problem(project.edit('approval  = "none"\n', 'approval = "form"\n'))
    assert (found.reason, found.field) == ("bad-value", "tools.refund_order.approval_reason")


@pytest.mark.parametrize(
    "said", ["true", "[]", '"some"', '{ mode = "some" }', "{}", '{ mode = "form", bye = "caller" }']
)
def test_another_word_for_an_approval_is_none(project, said):
    found = problem(project.edit('effect    = "write"', f'effect = "write"\napproval = {said}'))
    assert found.reason in {"bad-value", "missing-field", "unknown-field"}
    assert found.field.startswith("tools.place_order.approval")
    assert "[word]" not in found.what + found.field
    assert "[table]" not in found.what + found.field
