"""A completion belongs to an argument of a marked function, and to a manifest that offers it."""

from types import ModuleType

import pytest

from launchworthy.manifest import Server, completion, load_manifests, match, prompt, resource, tool
from launchworthy.vocabulary import ProblemError


class Call: ...


Call.__module__ = "launchworthy.credentials.call"
OFFER = "[prompts.complaint]\n", "[prompts.complaint]\ncompletions = true\n"


def served(project, *completers, offered=True):
    """The example's functions and some completions, brought together with its manifests."""
    module = ModuleType("shop")

    def find_orders(call: Call, customer: str, limit: int = 20): ...
    def place_order(call: Call, customer: str, item: str, quantity: int = 1): ...
    async def refund_order(call: Call, order_id: int, reason: str): ...
    def order(call: Call, order_id: int): ...
    def complaint(topic: str): ...

    marked = [tool(find_orders), tool(place_order), tool(refund_order), resource(order), prompt(complaint)]
    vars(module).update({each.__name__: each for each in marked})
    for number, make in enumerate(completers):
        setattr(module, f"completer_{number}", make(module))
    files = dict(project.files)
    if offered:
        [path] = [path for path, text in files.items() if OFFER[0].encode() in text]
        files[path] = files[path].replace(*(each.encode() for each in OFFER))
    return match(load_manifests(files), Server(module).marks())


def of(function="complaint", argument="topic"):
    def make(module):
        def topics(call: Call, typed: str, given: dict[str, str]): ...

        return completion(getattr(module, function), argument)(topics)

    return make


def only(refused):
    [problem] = refused.value.problems
    return problem.reason


def test_a_completion_comes_with_the_function_that_it_belongs_to(project):
    [one] = [one for one in served(project, of()) if one.mark.completers]
    assert (one.mark.name, one.mark.completers[0].argument) == ("complaint", "topic")
    assert one.manifest.completions


def test_neither_code_nor_manifest_offers_completions_alone(project):
    assert not any(one.manifest.completions for one in served(project, offered=False))
    with pytest.raises(ProblemError) as refused:
        served(project)
    assert only(refused) == "manifest-without-completion"
    with pytest.raises(ProblemError) as refused:
        served(project, of(), offered=False)
    assert only(refused) == "completion-without-manifest"


def test_an_argument_of_a_tool_is_not_completed(project):
    with pytest.raises(ProblemError) as refused:
        served(project, of(), of("find_orders", "customer"))
    assert only(refused) == "completion-without-manifest"


def test_an_argument_is_completed_once_and_must_be_there(project):
    with pytest.raises(ProblemError) as refused:
        served(project, of(), of())
    assert only(refused) == "duplicate-name"
    with pytest.raises(ProblemError) as refused:
        served(project, of(argument="colour"))
    assert only(refused) == "unknown-argument"


def test_what_is_completed_is_served(project):
    def elsewhere(_module):
        return completion(lambda topic: topic, "topic")(lambda_free)

    def lambda_free(typed: str): ...

    with pytest.raises(ProblemError) as refused:
        served(project, of(), elsewhere)
    assert only(refused) == "completion-of-nothing"


@pytest.mark.parametrize("parameters", ["", "typed, more", "given", "text", "*typed_ones"])
def test_a_completion_takes_what_was_typed_and_perhaps_what_was_given(project, parameters):
    def make(module):
        scope: dict[str, object] = {"__name__": __name__}
        exec(f"def topics({parameters}): ...", scope)  # noqa: S102 - five signatures
        return completion(module.complaint, "topic")(scope["topics"])

    with pytest.raises(ProblemError) as refused:
        served(project, make)
    assert only(refused) == "completion-arguments"


def test_a_mark_goes_on_a_plain_function_once():
    def topics(typed: str): ...

    with pytest.raises(TypeError, match="plain function"):
        completion(topics, "topic")(lambda _typed: [])
    marked = completion(topics, "topic")(topics)
    with pytest.raises(TypeError, match="marked twice"):
        completion(topics, "topic")(marked)


def test_a_concrete_resource_and_an_argument_that_policy_counts_on_offer_none(project):
    text = project.files["manifests/tools.toml"].decode()
    for field, reason in (
        ('uri       = "orders://order/{order_id}"', "policy-input-optional"),
        ('uri       = "orders://orders"', "nothing-to-complete"),
    ):
        assert 'uri       = "orders://order/{order_id}"' in text
        inputs = 'policy_inputs = ["order_id"]\n' if "{" in field else ""
        changed = text.replace(
            'uri       = "orders://order/{order_id}"', f"{field}\ncompletions = true\n{inputs}"
        )
        if not inputs:
            head, _, tail = changed.partition("[resources.order]")
            tail = tail.replace('arguments = { order_id = "clear" }', "").replace(
                "example   = { order_id = 1 }", ""
            )
            changed = head + "[resources.order]" + tail
        with pytest.raises(ProblemError) as refused:
            load_manifests({**project.files, "manifests/tools.toml": changed.encode()})
        assert reason in [problem.reason for problem in refused.value.problems]
