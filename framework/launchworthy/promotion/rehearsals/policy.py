"""Does the running server decide as the policy's cases say? What reading compiled may not be what runs.

Each case of `tests/policy.toml` that a token of the simulated world can be made for is sent as a call: one
that the policy allows first, then those that it forbids, then the allowed one again, so that a decision which
is kept for too much shows. Where the server has several tenants, what is one tenant's by an argument is asked
for by a caller of another.
"""

from collections.abc import Iterator
from dataclasses import replace

from launchworthy.policy.case_file import Case
from launchworthy.policy.cedar_schema import action_id
from launchworthy.policy.slice import guard_id
from launchworthy.probe.draft import good_draft
from launchworthy.probe.running import Observation
from launchworthy.promotion.registry import registry
from launchworthy.promotion.rehearsals.seen import Seen, good, saw, status, told, twin
from launchworthy.promotion.rehearsals.stage import Scene, Stage
from launchworthy.promotion.rehearsals.targets import as_target, declared, may_run
from launchworthy.vocabulary import PrincipalKind

_AZ_05 = "AZ-05"
_ALLOW, _SCOPE = "allow", "scope"
_OF_THE_GATE = frozenset({_ALLOW, _SCOPE, "environment", "approval"})
"""What a case may expect beside a rule of the team."""
_FORBIDDEN = 403
_PLAIN = ("caller", "client", "https://issuer.invalid")
"""What a case says of who calls, where it says nothing."""


@registry.rehearsal(_AZ_05)
def the_policy_decides(stage: Stage) -> Iterator[Seen]:
    """Every case that can be sent: allowed, forbidden by a rule, forbidden for a scope."""
    cases = [each for each in stage.project.cases if _can_be_sent(stage, each)]
    allowed = [each for each in cases if each.expect == _ALLOW and may_run(each.target)]
    forbidden = [each for each in cases if each.expect not in _OF_THE_GATE or each.expect == _SCOPE]
    with stage.scene() as scene:
        yield twin(_AZ_05, good(scene.prober))
        for case in allowed:
            yield _runs(scene, case)
        for case in forbidden:
            yield _is_refused(scene, case)
        for case in allowed:
            yield _runs(scene, case)
        yield from _tenants_are_kept_apart(stage, scene)


def _can_be_sent(stage: Stage, case: Case) -> bool:
    """Whether it is about this environment, and its caller is one that any token may have."""
    caller = case.principal
    return (
        case.applies_in(stage.project.rehearsed)
        and case.target.runs_in(stage.project.rehearsed)
        and case.peer is None
        and case.forwarded_peer is None
        and not case.approved
        and case.now == 0
        and caller.kind is PrincipalKind.MACHINE
        and (caller.subject, caller.client, caller.issuer) == _PLAIN
    )


def _sent(scene: Scene, case: Case) -> Observation:
    target = as_target(replace(case.target, example=dict(case.arguments)))
    draft = good_draft(scene.probed, target, scene.probed.revisions[0], 1)
    draft.scopes = tuple(sorted(case.principal.scopes))
    if case.principal.actors:
        draft.claims["act"] = _chain(case.principal.actors)
    if case.principal.tenant is not None:
        draft.claims |= _of_tenant(scene, case.principal.tenant)
    return scene.prober.send(draft)


def _of_tenant(scene: Scene, tenant: str) -> dict[str, object]:
    """What a token of the first issuer says of it."""
    claims = scene.world.tenant.claims if scene.world.tenant is not None else {}
    return {claims[name]: tenant for name in list(scene.world.issuers)[:1] if name in claims}


def _tenants_are_kept_apart(stage: Stage, scene: Scene) -> Iterator[Seen]:
    """One tenant's target with another's token, for everything that says whose it is."""
    for target in declared(stage.project):
        if target.example_tenant is None:
            continue
        draft = good_draft(scene.probed, as_target(target), scene.probed.revisions[0], 1)
        draft.scopes = target.scopes
        if may_run(target):
            own = scene.prober.send(draft)
            yield twin(_AZ_05, own, f"`{target.name}` of its own tenant goes through")
        draft.claims |= _of_tenant(scene, f"not-{target.example_tenant}")
        seen = scene.prober.send(draft)
        guard = guard_id(action_id(target.key))
        rules = {rule for each in scene.records() for rule in each.data.get("rules", ())}
        yield saw(
            _AZ_05,
            seen.runs == 0 and status(seen) == _FORBIDDEN and guard in rules,
            f"`{target.name}` of one tenant is refused to a caller of another",
            f"`{target.name}` of one tenant should be refused to a caller of another: {told(seen)}",
            requests=1,
            where=target.where,
        )


def _chain(actors: tuple[str, ...]) -> dict[str, object]:
    """RFC 8693 §4.1: the current actor outermost."""
    first, *rest = actors
    return {"sub": first, **({"act": _chain(tuple(rest))} if rest else {})}


def _runs(scene: Scene, case: Case) -> Seen:
    seen = _sent(scene, case)
    return saw(
        _AZ_05,
        seen.runs == 1,
        f"{case.where}: `{case.target.name}` runs",
        f"{case.where}: `{case.target.name}` should be allowed: {told(seen)}",
        requests=1,
        where=case.where,
    )


def _is_refused(scene: Scene, case: Case) -> Seen:
    seen = _sent(scene, case)
    by = "a missing scope" if case.expect == _SCOPE else f"the rule {case.expect}"
    return saw(
        _AZ_05,
        seen.runs == 0 and status(seen) == _FORBIDDEN,
        f"{case.where}: `{case.target.name}` is refused for {by}",
        f"{case.where}: `{case.target.name}` should be refused for {by}: {told(seen)}",
        requests=1,
        where=case.where,
    )
