"""One caller too often: it is refused, and nobody else notices.

A burst of each target that is limited, by a caller of its own, until the first refusal. What was let through
must never be more than the manifests allow for the time that has passed.
"""

import time
from collections.abc import Iterator

from launchworthy.manifest import Rate, TargetManifest, parse_rate
from launchworthy.promotion.checks.assertions import broken, seen
from launchworthy.promotion.finding import Assertion, NotApplicable
from launchworthy.promotion.project import Project
from launchworthy.promotion.registry import registry
from launchworthy.promotion.rehearsals.seen import Seen, good, saw, twin
from launchworthy.promotion.rehearsals.stage import Scene, Stage
from launchworthy.promotion.rehearsals.targets import as_target, declared, may_run
from launchworthy.state.replicas import require_counted_together
from launchworthy.testing.client import Client
from launchworthy.vocabulary import ProblemError

_TR_04 = "TR-04"
_TOO_MANY = 429
_MOST = 600
"""Calls that a rehearsal sends for one limit."""
_ALTOGETHER = 1500
"""Calls for all limits; the smallest come first."""


@registry.check(_TR_04)
def something_is_limited(project: Project) -> Iterator[Assertion]:
    """Where no manifest limits anything, there is nothing to rehearse; several replicas count together."""
    limited = _limited(project)
    if not limited:
        raise NotApplicable("no manifest declares a rate, a concurrency or a budget")
    try:
        require_counted_together(project.settings, project.manifests, project.rehearsed)
    except ProblemError as error:
        problem = error.problems[0]
        yield broken(problem.what, problem.where, *problem.fix)
    for target in limited:
        yield seen(f"`{target.name}` is limited: {_in_words(project, target)}")


@registry.rehearsal(_TR_04)
def one_caller_too_often(stage: Stage) -> Iterator[Seen]:
    """A burst of one caller beside a call of another."""
    limited = _limited(stage.project)
    if not limited:
        return
    runnable = [each for each in limited if may_run(each)]
    yield saw(
        _TR_04,
        bool(runnable),
        f"{len(runnable)} of {len(limited)} limited targets are called until they refuse",
        "what is limited is never run in a rehearsal: give one of them `rehearse = true`",
        where=limited[0].where,
    )
    with stage.scene() as scene:
        yield twin(_TR_04, good(scene.prober))
        left = _ALTOGETHER
        for target in sorted(runnable, key=lambda each: _smallest(stage.project, each)):
            amount = _smallest(stage.project, target)
            if amount <= min(_MOST, left):
                left -= amount
                yield from _burst(stage, scene, target)
            if target.concurrency is not None:
                yield from _places_come_back(stage, scene, target, target.concurrency)


def _burst(stage: Stage, scene: Scene, target: TargetManifest) -> Iterator[Seen]:
    rates, asked = _rates(stage.project, target), as_target(target)
    words = f"`{target.name}` ({_in_words(stage.project, target)})"
    began, through, status, patience = time.monotonic(), 0, 0, 0
    with _caller(stage, scene) as first, _caller(stage, scene) as second:
        for _ in range(2 * _smallest(stage.project, target) + 8):
            scene.world.executions.taken()
            answer = first.send(asked.method, asked.params)
            ran = scene.world.executions.taken()
            passed = time.monotonic() - began
            if ran == 0:
                status = answer.status_code
                patience = int(answer.headers.get("retry-after", "0"))
                break
            through += 1
            if through > _allowed(rates, passed):
                break
        refused = status == _TOO_MANY and patience > 0
        slow = status == 0 and through <= _allowed(rates, time.monotonic() - began)
        yield saw(
            _TR_04,
            (refused or slow) and through > 0,
            f"{words}: {through} calls of one caller go through, "
            + (f"the next is a 429, try again in {patience} s" if refused else "never more than that"),
            f"{words}: {through} calls of one caller go through, then {status or 'more'}, "
            f"Retry-After {patience}",
            requests=through + 1,
            where=target.where,
        )
        scene.world.executions.taken()
        beside = second.send(asked.method, asked.params).status_code
        yield saw(
            _TR_04,
            scene.world.executions.taken() == 1,
            f"{words}: another caller, from the same address, is served",
            f"{words}: another caller, from the same address, gets {beside}, and nothing runs",
            requests=1,
            where=target.where,
        )
        yield from _of_this_one_alone(stage, scene, target, first)


def _of_this_one_alone(stage: Stage, scene: Scene, target: TargetManifest, first: Client) -> Iterator[Seen]:
    """The caller who is refused here may call what shares no limit with it."""
    for other in declared(stage.project):
        if other.key == target.key or not may_run(other) or _shares_budget(stage.project, target, other):
            continue
        asked = as_target(other)
        answer = first.send(asked.method, asked.params)
        yield saw(
            _TR_04,
            scene.world.executions.taken() == 1,
            f"`{target.name}`: the same caller is served `{other.name}`",
            f"`{target.name}`: the same caller gets {answer.status_code} of `{other.name}`, and nothing runs",
            requests=1,
            where=target.where,
        )
        return


def _places_come_back(stage: Stage, scene: Scene, target: TargetManifest, places: int) -> Iterator[Seen]:
    """More calls than places, one after the other: each gives its place back."""
    room = _smallest(stage.project, target) if _rates(stage.project, target) else places + 2
    calls, asked = min(places + 2, room, _MOST), as_target(target)
    scene.world.executions.taken()
    with _caller(stage, scene) as caller:
        for _ in range(calls):
            caller.send(asked.method, asked.params)
    ran = scene.world.executions.taken()
    yield saw(
        _TR_04,
        ran == calls,
        f"`{target.name}` ({places} at once): {calls} calls one after the other all find a place",
        f"`{target.name}` ({places} at once): of {calls} calls one after the other {ran} find a place",
        requests=calls,
        where=target.where,
    )


def _caller(stage: Stage, scene: Scene) -> Client:
    """Somebody who has not called before."""
    world = scene.world
    return Client(world.url, world.token(*stage.scopes), tls=world.tls)


def _limited(project: Project) -> tuple[TargetManifest, ...]:
    return tuple(each for each in declared(project) if each.concurrency is not None or _rates(project, each))


def _rates(project: Project, target: TargetManifest) -> tuple[Rate, ...]:
    """What limits it in time: its own rate, and the budget of its effect."""
    budget = _budget(project, target)
    return tuple(each for each in (target.rate, budget) if each is not None)


def _budget(project: Project, target: TargetManifest) -> Rate | None:
    budgets = project.manifests.server.budget.model_dump(exclude_none=True)
    text = budgets.get(target.effect.value)
    return None if text is None else parse_rate(text)


def _shares_budget(project: Project, target: TargetManifest, other: TargetManifest) -> bool:
    return other.effect is target.effect and _budget(project, target) is not None


def _smallest(project: Project, target: TargetManifest) -> int:
    """The calls that its narrowest limit lets through at once; more than any rehearsal sends without one."""
    return min((each.amount for each in _rates(project, target)), default=_MOST + 1)


def _allowed(rates: tuple[Rate, ...], passed: float) -> int:
    """The most calls that all of them let through within so many seconds."""
    return min(each.amount * (1 + int(passed // each.seconds)) for each in rates)


def _in_words(project: Project, target: TargetManifest) -> str:
    words = [str(target.rate)] if target.rate is not None else []
    if (budget := _budget(project, target)) is not None:
        words.append(f"budget {budget}")
    if target.concurrency is not None:
        words.append(f"{target.concurrency} at once")
    return ", ".join(words)
