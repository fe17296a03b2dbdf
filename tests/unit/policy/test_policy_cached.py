"""What was decided before is not decided again, and never for another question."""

import threading
from dataclasses import replace

import pytest

from launchworthy.policy import CachedPolicy
from launchworthy.vocabulary import PrincipalKind, Reason, Refused


def answer(policy, query):
    try:
        return policy.decide(query).rule
    except Refused as refused:
        return (refused.reason, refused.detail, refused.scopes, refused.rules)


def test_callers_with_the_same_scopes_share_a_decision(world):
    cached = CachedPolicy(world.compile())
    for subject in ("alice", "bob", "carol"):
        assert cached.decide(world.query(subject=subject, client=subject, token_id=subject, now=1500))
    assert len(cached) == 1


def test_the_decision_is_the_same_object(world):
    cached = CachedPolicy(world.compile())
    assert cached.decide(world.query()) is cached.decide(world.query())


@pytest.mark.parametrize(
    "change",
    [
        {"scopes": frozenset({"orders:write"})},
        {"actors": ("a", "b", "c")},
        {"arguments": {"quantity": 21, "gift": False, "tags": []}},
    ],
)
def test_another_value_is_another_question(world, change):
    cached = CachedPolicy(world.compile())
    assert cached.decide(world.query())
    assert answer(cached, world.query(**change)) == answer(world.compile(), world.query(**change))
    assert len(cached) == 2


def test_who_calls_is_part_of_the_question_where_a_rule_asks(world):
    cached = CachedPolicy(
        world.compile(world.rule('principal.kind == "machine" || principal.subject == "bob"'))
    )
    machine = replace(
        world.query(), principal=world.caller("orders:write", "orders:pay", kind=PrincipalKind.MACHINE)
    )
    assert cached.decide(world.query())
    assert answer(cached, machine)[3] == ("team:r",)
    assert answer(cached, world.query(subject="bob"))[3] == ("team:r",)
    assert cached.decide(world.query(subject="carol"))
    assert len(cached) == 4


def test_issuer_and_subject_are_not_run_together(world):
    cached = CachedPolicy(world.compile(world.rule('principal.subject == "b|c"')))
    assert cached.decide(world.query(issuer="a|b", subject="c"))
    assert answer(cached, world.query(issuer="a", subject="b|c"))[3] == ("team:r",)


def test_refusals_are_kept_too_and_raised_afresh(world):
    cached = CachedPolicy(world.compile())
    found = []
    for _ in range(2):
        with pytest.raises(Refused) as refused:
            cached.decide(world.query("place_order", "orders:read"))
        found.append(refused.value)
    first, second = found
    assert first is not second
    assert (first.reason, first.detail, first.scopes) == (second.reason, second.detail, second.scopes)
    assert first.scopes == ("orders:write", "orders:pay")
    assert len(cached) == 1


def test_the_age_of_a_token_is_asked_every_time(world):
    cached = CachedPolicy(world.compile(world.rule("context.token.age_seconds > 60")))
    assert cached.decide(world.query(now=1060))
    assert answer(cached, world.query(now=1061))[3] == ("team:r",)
    assert len(cached) == 0


def test_what_the_walk_did_not_understand_is_asked_every_time(world):
    policy = world.compile()
    key, piece = next((key, piece) for key, piece in policy.slices.items() if piece.uid == "place_order")
    odd = replace(piece, reads=replace(piece.reads, complete=False))
    cached = CachedPolicy(replace(policy, slices={key: odd}))
    assert cached.decide(world.query())
    assert len(cached) == 0


def test_a_failure_of_the_engine_is_not_kept(world):
    cached = CachedPolicy(world.compile())
    assert answer(cached, world.query(subject="\ud800"))[0] is Reason.INTERNAL
    assert cached.decide(world.query()), "the same question of a caller that has a name"


def test_an_argument_that_policy_cannot_read_is_refused_before_anything_is_kept(world):
    cached = CachedPolicy(world.compile())
    arguments = {**world.query().arguments, "quantity": True}
    assert cached.decide(world.query(arguments={**arguments, "quantity": 1}))
    assert answer(cached, world.query(arguments=arguments))[0] is Reason.TOOL_POLICY
    assert len(cached) == 1


def test_an_argument_that_is_missing_is_not_one_that_is_empty(world):
    rule = world.rule('context.arguments has note && context.arguments.note == ""')
    cached = CachedPolicy(world.compile(rule))
    arguments = {**world.query().arguments, "note": None}
    assert cached.decide(world.query(arguments=arguments))
    assert answer(cached, world.query(arguments={**arguments, "note": ""}))[3] == ("team:r",)


def test_targets_do_not_share(world):
    cached = CachedPolicy(world.compile())
    scopes = ("orders:read", "orders:write", "orders:pay")
    assert cached.decide(world.query("find_orders", *scopes)).rule == "manifest:find_orders"
    assert cached.decide(world.query("place_order", *scopes)).rule == "manifest:place_order"


def test_what_is_not_here_is_not_kept(world):
    cached = CachedPolicy(world.compile())
    assert answer(cached, world.query("refund_order"))[0] is Reason.TOOL_ENVIRONMENT
    assert len(cached) == 0


def test_it_keeps_no_more_than_it_may_and_forgets_the_oldest(world):
    cached = CachedPolicy(world.compile(), limit=3)
    for number in range(10):
        assert cached.decide(world.query(arguments={**world.query().arguments, "quantity": number}))
    assert len(cached) == 3
    assert {key[-1] for key in cached._answers} == {7, 8, 9}


@pytest.mark.parametrize(("texts", "kept"), [(2, 1), (200, 0)])
def test_what_a_caller_writes_at_length_is_decided_and_not_kept(world, texts, kept):
    rule = world.rule(
        'context.arguments.tags.contains("never")', 'principal, action == Action::"place_order", resource'
    )
    cached = CachedPolicy(world.compile(rule))
    tags = [f"{number}".rjust(1000) for number in range(texts)]
    asked = world.query(arguments={**world.query().arguments, "tags": tags})
    assert cached.decide(asked) == cached.policy.decide(asked)
    assert len(cached) == kept
    refused = world.query(arguments={**world.query().arguments, "tags": [*tags, "never"]})
    assert answer(cached, refused) == answer(cached, refused)
    assert answer(cached, refused)[0] is Reason.TOOL_POLICY
    assert len(cached) == 2 * kept


def test_a_cache_of_nothing_is_refused(world):
    with pytest.raises(ValueError, match="keeps something"):
        CachedPolicy(world.compile(), limit=0)


def test_threads_get_the_same_answers(world):
    cached = CachedPolicy(world.compile(), limit=4)
    wrong = []

    def ask(offset):
        for number in range(200):
            quantity = (number + offset) % 40
            found = answer(cached, world.query(arguments={**world.query().arguments, "quantity": quantity}))
            if (found == "manifest:place_order") is not (quantity <= 20):
                wrong.append(quantity)

    threads = [threading.Thread(target=ask, args=(offset,)) for offset in (0, 7, 19)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=20)
    assert wrong == []
