"""Code and manifests are brought together both ways, with what to paste where they differ."""

import pytest

from launchworthy.manifest import TargetKind, load_manifests, mark_of, match, prompt, resource, tool
from launchworthy.vocabulary import ProblemError, render_text


class Call: ...


Call.__module__ = "launchworthy.credentials.call"


def fresh():
    """The example's functions, marked anew."""

    def find_orders(call: Call, customer: str, limit: int = 20): ...
    def place_order(call: Call, customer: str, item: str, quantity: int = 1): ...
    async def refund_order(call: Call, order_id: int, reason: str): ...
    def order(call: Call, order_id: int): ...
    def complaint(): ...

    tools = [mark_of(tool(function)) for function in (find_orders, place_order, refund_order)]
    return [*tools, mark_of(resource(order)), mark_of(prompt(complaint))]


def problems(project, marks):
    with pytest.raises(ProblemError) as refused:
        match(load_manifests(project.files), marks)
    return refused.value.problems


def test_every_function_gets_its_manifest(project):
    served = match(load_manifests(project.files), fresh())
    assert [(one.mark.name, one.manifest.name) for one in served] == [
        (mark.name, mark.name) for mark in fresh()
    ]
    assert {one.manifest.kind for one in served} == set(TargetKind)


def test_a_tool_without_a_manifest_prints_the_table_to_paste(project):
    @tool
    def wipe_orders(call: Call, older_than: int, dry_run: str = ""): ...

    mark = mark_of(wipe_orders)
    [found] = problems(project, [*fresh(), mark])
    assert render_text("not started", found) == (
        "launchworthy: not started [tool-without-manifest]\n"
        f"  {mark.where} defines the tool `wipe_orders`, and no manifest declares it\n"
        "  → add to manifests/tools.toml, with the scope that it needs:\n"
        "      [tools.wipe_orders]\n"
        '      effect  = "read"          # read | write | destructive: say what it does\n'
        '      scopes  = ["…"]           # who may call it\n'
        "      example = { older_than = … }\n"
        "    launchworthy explain tool-without-manifest"
    )


def test_so_do_a_resource_and_a_prompt_and_a_tool_without_arguments(project):
    @resource
    def stock(item: str): ...

    @prompt
    def thanks(): ...

    @tool
    def ping(): ...

    marks = [*fresh(), mark_of(stock), mark_of(thanks), mark_of(ping)]
    first, second, third = problems(project, marks)
    assert first.fix[1] == "  [resources.stock]"
    assert first.fix[2].startswith('  uri     = "…://stock/{item}"')
    assert second.fix[1:] == ("  [prompts.thanks]", '  scopes  = ["…"]           # who may call it')
    assert third.fix[-1] == '  scopes  = ["…"]           # who may call it'


def test_a_mark_of_another_kind_is_not_the_declared_one(project):
    *others, _, complaint = fresh()

    @tool
    def order(order_id: int): ...

    found = problems(project, [*others, complaint, mark_of(order)])
    assert [problem.reason for problem in found] == ["tool-without-manifest", "manifest-without-tool"]


def test_a_manifest_without_a_function_says_what_may_have_been_meant(project):
    found, _, *others = fresh()

    @tool
    def place_orders(customer: str, item: str, quantity: int): ...

    first, second = problems(project, [found, mark_of(place_orders), *others])
    assert first.reason == "tool-without-manifest"
    assert (second.reason, second.where) == ("manifest-without-tool", "manifests/tools.toml:11")
    assert second.what.endswith("did you mean `place_orders`?")


def test_all_of_it_is_told_at_once(project):
    assert [problem.reason for problem in problems(project, [])] == ["manifest-without-tool"] * 5


@pytest.mark.parametrize(
    ("old", "new", "line"),
    [
        ('limit = "clear"', 'limits = "clear"', 8),
        ('example   = { customer = "c-17" }', 'example = { client = "c-17" }', 9),
        ("quantity = 2 }", 'quantity = 2, size = 1 }\npolicy_inputs = ["size"] #', 17),
    ],
)
def test_an_argument_that_the_function_does_not_have_is_told(project, old, new, line):
    if "size" in new:
        project.edit('policy_inputs = ["quantity"]', "")
    found = problems(project.edit(old, new), fresh())
    assert {problem.reason for problem in found} == {"unknown-argument"}
    assert found[0].where == f"manifests/tools.toml:{line}"


def test_what_a_call_acts_on_is_an_argument(project):
    project.edit('"customer/{customer}"', '"customer/{client}"').edit(
        'customer = "clear"', 'client = "clear"'
    )
    assert {problem.field for problem in problems(project, fresh())} == {
        "tools.find_orders.acts_on",
        "tools.find_orders.arguments.client",
    }


def test_the_nearest_argument_is_offered(project):
    [found] = problems(project.edit('limit = "clear"', 'limits = "clear"'), fresh())
    assert found.fix == ("did you mean `limit`?",)


@pytest.mark.parametrize(
    ("inputs", "reasons"), [('["reason"]', ["policy-input-optional"]), ('["reason?"]', [])]
)
def test_an_argument_that_may_be_none_is_optional_for_policy(project, inputs, reasons):
    def refund_order(order_id: int, reason: str | None = None): ...

    marks = [mark_of(tool(refund_order)) if mark.name == "refund_order" else mark for mark in fresh()]
    project.edit('approval  = "none"', f'approval = "none"\npolicy_inputs = {inputs}')
    if reasons:
        assert [problem.reason for problem in problems(project, marks)] == reasons
    else:
        assert len(match(load_manifests(project.files), marks)) == 5


@pytest.mark.parametrize("missing", [True, False])
def test_the_variables_of_a_uri_are_the_arguments(project, missing):
    def order(order_id: int, line: int): ...
    def no_order(): ...

    function = no_order if missing else order
    function.__name__ = "order"
    marks = [mark_of(resource(function)) if mark.name == "order" else mark for mark in fresh()]
    project.edit('arguments = { order_id = "clear" }\nexample   = { order_id = 1 }', "")
    [found] = problems(project, marks)
    assert (found.reason, found.field) == ("uri-arguments", "resources.order.uri")


def test_a_resource_takes_no_arguments_by_the_dozen(project):
    def order(order_id: int, **more: str): ...

    marks = [mark_of(resource(order)) if mark.name == "order" else mark for mark in fresh()]
    assert [problem.reason for problem in problems(project, marks)] == ["uri-arguments"]
